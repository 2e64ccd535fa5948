"""What notices that a path to the storage has failed, and switches to the other one.

It can look in two ways. To see whether a path takes what is written is sound. To see whether the controller answers is
the bug that this replica knows: a controller whose disk has failed answers. What the bug of 2020-05-30 was is not
published; that it kept the path from being switched is (MIC).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final, TypeAlias

from topology.world.maps.paths import Path, Refused, Storage
from topology.world.site import say

#: Real seconds between two looks, and so many in a row that must see a path failed. Settings.
LOOK_EVERY_S: Final = 0.2
LOOKS: Final = 3
#: A path that has not answered yet has not failed: its controller is given so long to come up. A setting, real seconds.
STANDING_WITHIN_S: Final = 10.0

#: One look at a path. Raises Refused if it is seen to have failed.
Look: TypeAlias = Callable[[Path], Awaitable[None]]


async def _takes_writes(path: Path) -> None:
    await path.write(b'{"look":1}\n')


async def _answers(path: Path) -> None:
    await path.answers()


#: By the word that DETECTOR has for it.
LOOKS_AT: Final[Mapping[str, Look]] = {"writes": _takes_writes, "answers": _answers}


class Detector:
    """Watches the path in use. `switched` counts how often it has switched."""

    def __init__(
        self, storage: Storage, look: Look, every_s: float = LOOK_EVERY_S, looks: int = LOOKS
    ) -> None:
        self._storage, self._look = storage, look
        self._every_s, self._looks = every_s, looks
        self.switched = 0

    async def watch(self) -> None:
        """Until cancelled."""
        await self._standing()
        failed = 0
        while True:
            path = self._storage.used
            why = await self._seen(path, self._look)
            failed = failed + 1 if why else 0
            if failed >= self._looks and await self._other_is_sound():
                self.switched += 1
                say(f"{path.name} has failed ({why}); {self._storage.switch().name} is used from now on")
                failed = 0
            await asyncio.sleep(self._every_s)

    async def _standing(self) -> None:
        """Wait for the controller of the path in use: when all machines start at once, the block may be the first."""
        with suppress(TimeoutError):
            async with asyncio.timeout(STANDING_WITHIN_S):
                while await self._seen(self._storage.used, _answers):
                    await asyncio.sleep(self._every_s)

    async def _seen(self, path: Path, look: Look) -> str:
        """Why a path counts as failed; empty while it does not."""
        try:
            await look(path)
        except Refused as refused:
            return str(refused) or "refused"
        return ""

    async def _other_is_sound(self) -> bool:
        others = [path for path in self._storage.paths if path is not self._storage.used]
        return bool(others) and not await self._seen(others[0], self._look)
