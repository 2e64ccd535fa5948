"""Domains that an operator has suspended: nothing is relayed to them, so that they hold up nobody.

On 2018-07-06 a prefecture's alert mail was late for everybody until about 3,000 addresses whose hosts throttled it were
suspended. That is a trade, and not a repair: what is for a suspended domain bounces, and its people get no mail.

    suspended.json   ["softbank.example"]   on disk before an operator is told that it is done; kept over a restart
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import orjson

from topology.platform import durable


class Suspension:
    """Which of the domains that mails go to are suspended. Raises OSError if what is on disk cannot be read."""

    def __init__(self, data: Path, domains: Collection[str]) -> None:
        self._path = data / "suspended.json"
        self._known = frozenset(domains)
        self._domains: frozenset[str] = frozenset()
        if self._path.exists():
            self._domains = frozenset(orjson.loads(self._path.read_bytes()))

    def __contains__(self, domain: object) -> bool:
        return domain in self._domains

    @property
    def domains(self) -> list[str]:
        return sorted(self._domains)

    def change(self, domain: str, *, suspended: bool) -> None:
        """Raises KeyError for a domain that no mail goes to, OSError if the disk refused; then nothing has changed."""
        if domain not in self._known:
            raise KeyError(domain)
        now = self._domains | {domain} if suspended else self._domains - {domain}
        if now != self._domains:
            durable.write(self._path, orjson.dumps(sorted(now)))
            self._domains = now
