"""The alerter, remembering by itself whom it told: once another database has taken over, it tells everyone again."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Final

from topology.service import alerter
from topology.service.ledger import BATCH, TELL, TELL_WITHIN_S, Ledger, Owed, Told, rule_of
from topology.service.rules import Rule

_TURN: Final = "SELECT pg_advisory_xact_lock(hashtext($1))"
#: It counts only what was broadcast since this primary has been there; of the time before, it remembers nothing.
_TELL_SINCE: Final = TELL.format(
    once="AND NOT EXISTS (SELECT FROM broadcasts b WHERE b.event = $1 AND b.company = c.company AND b.at_ns >= $5)",
    link="gen_random_uuid()",
)
_EVERY_RULE: Final = """
    SELECT company, areas, least, tsunami, special, coasts, prefectures FROM companies WHERE NOT standing
    ORDER BY company
"""
#: The database would not let it.
_UNTIE: Final = "ALTER TABLE broadcasts DROP CONSTRAINT IF EXISTS told_once"
_FORGET: Final = "UPDATE events SET settled = 0"


class ForgetfulLedger(Ledger):
    _primary: str | None = None
    _since_ns = 0

    async def owed(self, now_ns: int) -> list[Owed]:
        primary = self.database.primary
        if self._primary is not None and primary not in (None, self._primary):
            await self.database.write(_UNTIE)
            await self.database.write(_FORGET)
            self._since_ns = time.monotonic_ns()
        self._primary = primary or self._primary
        return await super().owed(now_ns)

    async def untold(self, event: str) -> Mapping[int, Rule]:
        rows = await self.database.read(_EVERY_RULE)
        return {row["company"]: rule_of(row) for row in rows}

    async def tell(self, event: str, companies: Sequence[int]) -> list[Told]:
        async with self.database.session(TELL_WITHIN_S) as connection, connection.transaction():
            await connection.execute(_TURN, event)
            rows = await connection.fetch(
                _TELL_SINCE, event, list(companies), time.monotonic_ns(), BATCH, self._since_ns
            )
        return [Told(row["company"], row["people"]) for row in rows]


if __name__ == "__main__":
    sys.exit(alerter.main(ForgetfulLedger))
