"""The ways in which a storage enclosure fails."""

from __future__ import annotations

from enum import Enum
from typing import Final

#: How much longer each read, write and sync takes on a slow enclosure, seconds; and which share of them fails on one
#: with intermittent errors. Settings of this replica: the reports of such outages give no figure.
SLOWER_S: Final = 0.1
FAILING_SHARE: Final = 0.1


class Failure(Enum):
    """What was synced before is there again when the enclosure is repaired; where nothing broke, all is."""

    #: Every read and write of a file fails (EIO). Programs go on running as far as they can.
    BROKEN = "broken"
    #: Nothing can be written (EROFS); what is there can still be read.
    READ_ONLY = "read-only"
    #: It has no power. Its nodes end with it, and do not start.
    OFFLINE = "offline"
    #: Every read, write and sync takes `SLOWER_S` longer. Nothing fails.
    SLOW = "slow"
    #: A share of the reads, writes and syncs fails (EIO), `FAILING_SHARE`; the next one may succeed.
    INTERMITTENT = "intermittent"


#: Those that a layer between programs and their files makes; the file system below stays well.
TROUBLES: Final = frozenset({Failure.SLOW, Failure.INTERMITTENT})
