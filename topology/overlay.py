"""Laying one compose file over another, as Compose does it.

Mappings are merged key by key, words replaced, lists joined; but a command is replaced whole, and what is
mounted is one for each place it is mounted at. `!reset` takes a key away, `!override` replaces it all.
"""

from __future__ import annotations

from typing import Final

from topology.document import BadInput, Fields, Items, Place, Scalar, Value

#: Words of a service that may be a list of names or of `KEY=value` instead of a mapping.
_MAPPINGS: Final = ("environment", "labels", "depends_on", "networks")
_REPLACED: Final = ("command", "entrypoint", "test")
_BY_TARGET: Final = ("volumes", "configs")


def as_mappings(file: Fields) -> Fields:
    """The compose file with every list that stands for a mapping written as one, ready to be merged."""
    services = file.get("services")
    if not isinstance(services, Fields):
        return file
    mapped = {
        name: Fields(
            {key: _mapping(each) if key in _MAPPINGS else each for key, each in service},
            service.keys,
            service.place,
            service.tag,
        )
        if isinstance(service, Fields)
        else service
        for name, service in services
    }
    values = {**file.values, "services": Fields(mapped, services.keys, services.place, services.tag)}
    return Fields(values, file.keys, file.place, file.tag)


def _mapping(value: Value) -> Value:
    if not isinstance(value, Items):
        return value
    values: dict[str, Value] = {}
    keys: dict[str, Place] = {}
    for item in value:
        key, equals, rest = item.as_text().partition("=")
        values[key] = Scalar(rest, rest if equals else None, item.place)
        keys[key] = item.place
    return Fields(values, keys, value.place, value.tag)


def lay(over: Value, base: Value, key: str = "") -> Value:
    """`base` with `over` laid over it, both standing under `key`. Raises BadInput if they differ in kind."""
    if over.tag == "!override" or key in _REPLACED:
        return over
    if isinstance(over, Scalar):
        if over.value is None and not isinstance(base, Scalar):
            return base
        if isinstance(base, Scalar):
            return over
    if isinstance(over, Fields) and isinstance(base, Fields):
        return _merged(over, base)
    if isinstance(over, Items) and isinstance(base, Items):
        return _joined(over, base, by_target=key in _BY_TARGET)
    raise BadInput(over.place, over.shown, f"{base.shown}, as in {base.place}")


def _merged(over: Fields, base: Fields) -> Fields:
    values, keys = dict(base.values), dict(base.keys)
    for key, value in over:
        keys[key] = over.keys[key]
        values[key] = lay(value, base.values[key], key) if key in base else value
        if value.tag == "!reset":
            del values[key], keys[key]
    return Fields(values, keys, base.place, base.tag)


def _joined(over: Items, base: Items, by_target: bool) -> Items:
    kept: tuple[Value, ...] = base.values
    if by_target:
        taken = {_target(item) for item in over}
        kept = tuple(item for item in base if _target(item) not in taken)
    return Items(kept + over.values, base.place, base.tag)


def _target(item: Value) -> str:
    """Where a volume or config is seen: `target`, or the middle of `name:/path:ro`."""
    if isinstance(item, Fields):
        return item.need("target", "the path where it is seen").as_text()
    parts = item.as_text().split(":")
    return parts[1] if len(parts) > 1 else parts[0]


def layered(files: list[Fields]) -> Fields:
    """All the files laid over the first, in order."""
    base = as_mappings(files[0])
    for file in files[1:]:
        base = _merged(as_mappings(file), base)
    return base
