"""Free words of a topology that are nearly ours: a misspelt role would leave its node out of everything."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

from topology.__main__ import PROGRAMS
from topology.compose import Service
from topology.document import BadInput, Value, nearest, one_of, quoted

#: How a node runs a program of ours.
_RUNS: Final = ("python", "-m", "topology")
#: Roles of which the program is Toxiproxy or the harness's own, or that of another role.
_WITHOUT_PROGRAM: Final = (
    "access-link",
    "wide-area-link",
    "hosted-firewall",
    "hosted-mailbox",
    "hosted-archive",
    "citizens",
    "observers",
)
#: So near to a known word it is that word misspelt, from 0 to 1.
_SLIP: Final = 0.85


def no_such_program(service: Service) -> None:
    """Raises BadInput for a command that asks for a program of ours that there is not."""
    if service.command[: len(_RUNS)] != _RUNS:
        return
    for program in service.command[len(_RUNS) : len(_RUNS) + 1]:
        if program not in PROGRAMS:
            found = f"{service.name} with the program {quoted(program)}"
            raise BadInput(service.place, found, one_of(PROGRAMS), nearest(program, PROGRAMS))


def nearly_a_role(role: Value) -> None:
    """Raises BadInput for what is nearly a role that the service has; any other may be a new one."""
    known = [*PROGRAMS, *_WITHOUT_PROGRAM]
    written = role.as_text("a role")
    if written not in known and (near := get_close_matches(written, known, n=1, cutoff=_SLIP)):
        raise role.bad("a role", near[0])
