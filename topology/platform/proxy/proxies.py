"""All proxies of a server, by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from topology.platform.proxy.dial import Dialler
from topology.platform.proxy.engine import Engine
from topology.platform.proxy.proxy import Proxy, ProxySpec


class Proxies:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._dialler = Dialler(engine.loop)
        self._proxies: dict[str, Proxy] = {}

    def __iter__(self) -> Iterator[Proxy]:
        return iter(tuple(self._proxies.values()))

    def __contains__(self, name: str) -> bool:
        return name in self._proxies

    def __getitem__(self, name: str) -> Proxy:
        """Raises KeyError."""
        return self._proxies[name]

    async def add(self, spec: ProxySpec) -> Proxy:
        """Make a proxy, in place of one of the same name. Raises AddressError; then there is no new one."""
        proxy = Proxy(self._engine, self._dialler, spec)
        if spec.enabled:
            await proxy.start()
        self._proxies[spec.name] = proxy
        return proxy

    async def populate(self, specs: Sequence[ProxySpec], done: list[Proxy]) -> None:
        """Make these proxies, or leave those that are there with the same addresses as they are, enabled or not.

        Raises AddressError at the first that cannot be; `done` then holds those before it.
        """
        for spec in specs:
            existing = self._proxies.get(spec.name)
            if existing is not None:
                if not await existing.differs(spec):
                    done.append(existing)
                    continue
                existing.stop()
            done.append(await self.add(spec))

    def remove(self, name: str) -> None:
        """Raises KeyError."""
        self._proxies.pop(name).stop()

    def close(self) -> None:
        for proxy in self:
            proxy.stop()
