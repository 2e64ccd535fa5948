"""What a container may do and has, in Compose's own words. The compose file alone says it, for every engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Final

from topology.document import Fields

#: What a node has for itself in every runtime.
NETWORK: Final = "net."


@dataclass(frozen=True)
class Confinement:
    """As the words of the same names mean in a compose file; what is left out is the engine's default.

    `tmpfs`: the options by the folder, such as `exec`. `cpu_shares`: its weight where processors are short; 0: the
    engine's default, 1024. `sysctls`: settings of the kernel for its network alone.
    """

    user: str = ""
    read_only: bool = False
    cap_drop: tuple[str, ...] = ()
    cap_add: tuple[str, ...] = ()
    security_opt: tuple[str, ...] = ()
    tmpfs: tuple[str, ...] = ()
    cpu_shares: int = 0
    sysctls: Mapping[str, str] = field(default_factory=dict)

    @property
    def scratch(self) -> Mapping[str, str]:
        """The options of each tmpfs by its folder."""
        return dict(each.partition(":")[::2] for each in self.tmpfs)


WORDS: Final = tuple(each.name for each in fields(Confinement))


def read(service: Fields) -> Confinement:
    """Raises BadInput."""
    user, read_only, shares = (service.get(word) for word in ("user", "read_only", "cpu_shares"))
    return Confinement(
        user=user.as_text("a user") if user else "",
        read_only=read_only.as_flag() if read_only else False,
        cap_drop=_words(service, "cap_drop"),
        cap_add=_words(service, "cap_add"),
        security_opt=_words(service, "security_opt"),
        tmpfs=_words(service, "tmpfs"),
        cpu_shares=shares.as_whole("a weight such as 1024") if shares else 0,
        sysctls=_settings(service),
    )


def _settings(service: Fields) -> Mapping[str, str]:
    value = service.get("sysctls")
    if value is None:
        return {}
    settings = value.as_fields("settings of the kernel")
    for name in settings.values:
        if not name.startswith(NETWORK):
            raise settings.bad_key(name, f"a setting of the node's own network, {NETWORK}…")
    return {name: each.as_text("a setting's value") for name, each in settings}


def _words(service: Fields, name: str) -> tuple[str, ...]:
    value = service.get(name)
    return tuple(each.as_text() for each in value.as_items(f"a list of {name}")) if value else ()
