"""Questions that are held while there is nobody to ask."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from topology.service import holding
from topology.service.holding import Holding
from topology.service.pool import Broken, Nobody, Slow, Unavailable

HELD_S = 0.6
#: The last try has to end by then, too.
LAST_TRY_S = HELD_S - holding.AGAIN_AFTER_S

T = TypeVar("T")


class Leaping(asyncio.SelectorEventLoop):
    """Its time stands still while there is something to do, and leaps to the next deadline when there is not."""

    def __init__(self) -> None:
        self.now_s = 0.0

        class Leap(selectors.DefaultSelector):
            def select(_self, timeout: float | None = None) -> Any:  # noqa: N805
                self.now_s += timeout or 0.0
                return super().select(0)

        super().__init__(Leap())

    def time(self) -> float:
        return self.now_s


def run(coming: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=Leaping) as runner:
        return runner.run(coming)


class Server:
    """There from the moment that `somebody` is set; `why` is what it says until then."""

    def __init__(self, why: Unavailable) -> None:
        self.why, self.asked = why, 0
        self.somebody = asyncio.Event()

    async def ask(self) -> str:
        self.asked += 1
        if not self.somebody.is_set():
            raise self.why
        return "served"


async def timed(asking: asyncio.Future[str]) -> tuple[str, float]:
    began_s = asyncio.get_running_loop().time()
    try:
        said = await asking
    except Unavailable as error:
        said = str(error)
    return said, asyncio.get_running_loop().time() - began_s


def held(server: Server, hurried: list[bool], *, again: bool = False) -> asyncio.Future[str]:
    one = Holding(HELD_S, lambda: hurried.append(True))
    return asyncio.ensure_future(one.ask(server.ask, server.somebody, again=again))


def test_who_is_held_is_served_as_soon_as_there_is_somebody() -> None:
    async def come() -> tuple[str, float, list[bool]]:
        server, hurried = Server(Nobody("nobody")), list[bool]()
        asyncio.get_running_loop().call_later(0.3, server.somebody.set)
        return *(await timed(held(server, hurried))), hurried

    said, seconds, hurried = run(come())
    assert said == "served"
    assert seconds == pytest.approx(0.3)
    assert hurried == [True]


@pytest.mark.parametrize(
    ("why", "again", "waits"),
    [
        (Nobody("nobody"), False, True),
        (Broken("broken"), True, True),
        (Broken("broken"), False, False),  # it may have been carried out
        (Slow("slow"), True, False),  # it has waited already
    ],
)
def test_who_is_refused_in_the_end_hears_why(why: Unavailable, again: bool, waits: bool) -> None:
    async def come() -> tuple[str, float]:
        return await timed(held(Server(why), [], again=again))

    said, seconds = run(come())
    assert said == str(why)
    assert seconds == (pytest.approx(LAST_TRY_S) if waits else 0.0)


def test_not_everybody_can_be_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "MOST", 2)

    async def come() -> list[float]:
        server, one = Server(Nobody("nobody")), Holding(HELD_S, lambda: None)
        asking = [asyncio.ensure_future(one.ask(server.ask, server.somebody)) for _ in range(5)]
        return [seconds for _, seconds in await asyncio.gather(*map(timed, asking))]

    assert sorted(run(come())) == pytest.approx([0, 0, 0, LAST_TRY_S, LAST_TRY_S])
