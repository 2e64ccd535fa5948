"""What a signal means the first time, and what again."""

from __future__ import annotations

import os
import signal

import pytest

from harness.interruption import GiveUp, Interruption


def hear(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_insists_gives_up(number: signal.Signals) -> None:
    with Interruption() as interruption:
        hear(number)
        assert interruption.asked.is_set()
        assert interruption.why == number.name
        with pytest.raises(GiveUp):
            hear(number)


def test_a_terminal_that_hangs_up_twice_insists_on_nothing() -> None:
    with Interruption() as interruption:
        interruption.ask("the terminal was closed")
        hear(signal.SIGHUP)
        hear(signal.SIGHUP)
        assert interruption.why == "the terminal was closed"
        with pytest.raises(GiveUp):
            hear(signal.SIGINT)
