"""The ways in which a storage enclosure fails."""

from __future__ import annotations

from enum import Enum


class Failure(Enum):
    """What was synced before is there again when the enclosure is repaired; nothing else is."""

    #: Every read and write of a file fails (EIO). Programs go on running as far as they can.
    BROKEN = "broken"
    #: Nothing can be written (EROFS); what is there can still be read.
    READ_ONLY = "read-only"
    #: It has no power. Its nodes end with it, and do not start.
    OFFLINE = "offline"
