"""What a PostgreSQL that was shut down left in its control file: that it was in order, and where its log ends.

It is gone before it can be asked, and as a standby it takes seconds to come back. Until then its users would wait.
"""

from __future__ import annotations

import struct
from typing import Final

from harness.runbook.scene import Scene
from topology.map import Node

#: Where a database node keeps it.
PATH: Final = "/mnt/data/postgresql/global/pg_control"
#: The beginning of PostgreSQL's ControlFileData: system identifier, versions of the file and of the catalogue, state,
#: time, and where the last checkpoint's record begins. Byte order and padding are those of the machine that wrote it.
_BEGINNING: Final = struct.Struct("@QIIIqQ")
#: DB_SHUTDOWNED: a primary that ended in order. Its checkpoint is then the last record of its log.
_SHUT_DOWN: Final = 1
_WITHIN_S: Final = 5.0


def end_of_log(scene: Scene, node: Node) -> int | None:
    """Where the last record begins that a primary wrote before it was shut down; None if it was not, in order.

    Raises NodeFailed, OSError.
    """
    return read(scene.program(node, ("cat", PATH), _WITHIN_S))


def read(content: bytes) -> int | None:
    """The same of the file's content."""
    if len(content) < _BEGINNING.size:
        return None
    *_, state, _time, checkpoint = _BEGINNING.unpack_from(content)
    return int(checkpoint) if state == _SHUT_DOWN else None
