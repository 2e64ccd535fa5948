"""A run's own expectations of a check, held against what it measured."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from harness.checks import host
from harness.checks.recording import Recording
from harness.checks.terms import Breach, Held, Terms, hold
from harness.rundir import Json


def expectations(
    recording: Recording,
    check: str,
    terms: Terms,
    measured: Mapping[str, Json],
    *,
    judged: Collection[str] = (),
    pressed: Collection[str] = (),
) -> Held:
    """What the scenario states, and what is expected of every run, held against `measured`.

    The names in `judged` the check has judged already, in better words: they are told as expected and not held again.
    Those in `pressed` were missed only at times when the host was starved.
    """
    stated = recording.stated(check)
    held = hold(
        terms,
        {name: want for name, want in stated.items() if name not in judged},
        measured,
        starved=host.starved(recording),
        pressed=pressed,
        whole=recording.whole,
    )
    told = {terms[name].measured: want for name, want in stated.items()}
    return Held({**held.expected, **told}, held.breaches)


def asked(recording: Recording, check: str, *, looked: bool, breaches: Collection[Breach] = ()) -> bool:
    """Whether a check was part of the run: it had something to look at, or the scenario expects something of it.

    So it was where anything is amiss, too: what could not be read back may have held something to look at.
    """
    return looked or bool(breaches) or bool(recording.stated(check))
