"""What a write to a node's own volumes comes to, tried on the node itself."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.faults import Stage
from harness.faults.looking import each
from harness.runtime import NodeFailed
from topology.map import Node

#: A disk that gives no answer at all for so long is no disk.
WRITTEN_WITHIN_S: Final = 5.0
DOWN, SILENT = "down", "no answer"
#: Run on a node: so many times it writes to a file in each of the folders that it is given, and syncs it. Prints what
#: each try came to (nothing, or the name of the error) and how long it took, seconds.
WRITE: Final = """\
import errno, json, os, sys, time
seen = []
for folder in sys.argv[2:]:
    path = os.path.join(folder, ".written-to-prove-it")
    for _ in range(int(sys.argv[1])):
        word, began = "", time.monotonic()
        try:
            file = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
            try:
                os.write(file, b"x" * 4096)
                os.fsync(file)
            finally:
                os.close(file)
        except OSError as error:
            word = errno.errorcode.get(error.errno, str(error.errno))
        seen.append((word, time.monotonic() - began))
    try:
        os.unlink(path)
    except OSError:
        pass
print(json.dumps(seen))
"""


@dataclass(frozen=True)
class Written:
    """`words` are what the tries came to: nothing where it was written, the error's name, DOWN or SILENT."""

    words: Mapping[str, int]
    median_s: float = 0.0

    @property
    def tries(self) -> int:
        return sum(self.words.values())

    def share(self, word: str) -> float:
        """Of the tries that came to this."""
        return self.words.get(word, 0) / self.tries

    @property
    def well(self) -> bool:
        return self.share("") == 1

    @property
    def down(self) -> bool:
        return DOWN in self.words

    def told(self, node: str) -> str:
        """As a proof says it: `a write on database-a: EIO`, or how often and how slowly where there were several."""
        if self.down:
            return f"{node} is down"
        if self.tries == 1:
            (word,) = self.words
            return f"a write on {node}: {word or 'written'}"
        refused = ", ".join(f"{count} {word}" for word, count in self.words.items() if word)
        return (
            f"{self.tries} writes on {node}: {refused or 'all written'}, {self.median_s * 1000:.1f} ms each"
        )


def write(stage: Stage, nodes: Sequence[Node], tries: int = 1) -> dict[str, Written]:
    """By node, what so many writes to each of its volumes come to. All nodes at once."""
    seen = each(lambda node: _write(stage, node, tries), nodes)
    return {node.name: written for node, written in zip(nodes, seen, strict=True)}


def _write(stage: Stage, node: Node, tries: int) -> Written:
    if not stage.runtime.alive(node):
        return Written({DOWN: 1})
    argv = ["python", "-c", WRITE, str(tries), *(volume.target for volume in node.volumes)]
    try:
        done = stage.runtime.exec(node, argv, WRITTEN_WITHIN_S)
    except TimeoutError:
        return Written({SILENT: 1})
    except NodeFailed:
        return Written({DOWN: 1})
    try:
        seen = json.loads(done.stdout)
    except ValueError:  # it died in the middle of it
        return Written({DOWN: 1})
    return Written(Counter(word for word, _ in seen), statistics.median(took_s for _, took_s in seen))
