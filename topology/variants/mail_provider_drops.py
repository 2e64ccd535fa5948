"""A mail provider that loses one mail in 5,000 after it has accepted it: no bounce, no record, nothing queued.

A carrier's spam filter did so to ten million mails on 2018-09-17, after 250 OK. It is a matter of which lines mails
are put in: everything else is the provider as it is.
"""

from __future__ import annotations

from collections.abc import Collection

from topology.world.lines import Lines
from topology.world.mail import Mail
from topology.world.mail_provider import main as provide

ONE_IN = 5_000
FIRST = 100
"""The first mail that is lost: early, so that a short drill loses one too. Then every 5,000th."""
_PROBE = "probe-"


class LosingLines(Lines):
    """Counts the mails to people, in the order in which they were accepted, and forgets some of them.

    Probes are left alone: no check counts them. A restart of the program finds the forgotten ones again, for they are
    in its journal, and begins to count anew.
    """

    def __init__(self, domains: Collection[str]) -> None:
        super().__init__(domains)
        self._added = 0

    def add(self, mail: Mail) -> bool:
        if not mail.id.startswith(_PROBE):
            self._added += 1
            if self._added % ONE_IN == FIRST:
                return True
        return super().add(mail)


def main() -> int:
    return provide(LosingLines)


if __name__ == "__main__":
    raise SystemExit(main())
