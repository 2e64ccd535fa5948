"""Which block serves which area. Pure.

Every block is the home of as many areas. A block is widened over another one's areas, one after the other, by saying
how many of them it serves; so the same said twice is done once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class NoSuchArea(Exception):
    """What was asked for cannot be: the text says why."""


@dataclass(frozen=True)
class Areas:
    """`serving[area]` is the block that lets that area's handsets in; area numbers follow the blocks' order."""

    blocks: tuple[str, ...]
    each: int
    serving: tuple[str, ...]

    @classmethod
    def at_home(cls, blocks: Sequence[str], each: int) -> Areas:
        """Every area is served by its own block. Raises ValueError for no block or no area."""
        if not blocks or each < 1:
            raise ValueError(f"expected blocks and areas, found {len(blocks)} blocks with {each} areas each")
        return cls(tuple(blocks), each, tuple(block for block in blocks for _ in range(each)))

    def home(self, area: int) -> str:
        return self.blocks[area // self.each]

    def served(self, block: str, home: str) -> list[int]:
        """The areas of `home` that `block` serves."""
        return [area for area, by in enumerate(self.serving) if by == block and self.home(area) == home]

    def widened(self, block: str, home: str, count: int) -> Areas:
        """`block` serves at least `count` of the areas of `home`; the missing ones are taken from `home` itself.

        Raises NoSuchArea for blocks that there are not, and for more areas than are left.
        """
        for name in (block, home):
            if name not in self.blocks:
                raise NoSuchArea(f"{name}: not one of {', '.join(self.blocks)}")
        if block == home:
            raise NoSuchArea(f"{block} cannot be widened over its own areas")
        missing = count - len(self.served(block, home))
        left = self.served(home, home)
        if missing > len(left):
            raise NoSuchArea(
                f"{home} itself serves {len(left)} of its areas, {missing} are to be taken from it"
            )
        taken = set(left[: max(0, missing)])
        serving = (block if area in taken else by for area, by in enumerate(self.serving))
        return Areas(self.blocks, self.each, tuple(serving))

    def returned(self, home: str) -> Areas:
        """`home` serves all of its areas again. Raises NoSuchArea for a block that there is not."""
        if home not in self.blocks:
            raise NoSuchArea(f"{home}: not one of {', '.join(self.blocks)}")
        serving = (home if self.home(area) == home else by for area, by in enumerate(self.serving))
        return Areas(self.blocks, self.each, tuple(serving))
