"""A compose file as one: override files laid over it, variables replaced, the content of its configs inside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from topology.compose import active_profiles, content_of, is_wanted, read_file
from topology.document import Fields, Items, Scalar, Value, write


def flatten(
    path: Path | str,
    overrides: Iterable[Path | str] = (),
    variables: Mapping[str, str] | None = None,
    only: Iterable[str] = (),
) -> str:
    """A compose file that `topology.map.read` reads as the same map, wherever it lies; and so does Compose.

    With `only`, which regions of the service are there is written into it, and it is read as `Map.only` of them. What
    stands because its profile was asked for stands there without one.

    Raises BadInput as `topology.map.read` does.
    """
    file = _settled(
        read_file(Path(path), [Path(each) for each in overrides], variables or {}), variables or {}
    )
    configs = file.get("configs")
    if isinstance(configs, Fields):
        inside = {name: _inside(name, value, Path(path).parent) for name, value in configs}
        flat = Fields(inside, configs.keys, configs.place)
        file = Fields({**file.values, "configs": flat}, file.keys, file.place)
    if regions := tuple(only):
        file = _restricted(file, regions)
    return write(_protected(file))


def _settled(file: Fields, variables: Mapping[str, str]) -> Fields:
    """The same where the services of the active profiles have none any more."""
    active = active_profiles(variables)
    services = file.need("services", "the services").as_fields("services")
    made: dict[str, Value] = {}
    for name, value in services:
        fields = value.as_fields("a service")
        kept = {key: each for key, each in fields if key != "profiles" or not is_wanted(fields, active)}
        made[name] = Fields(kept, fields.keys, fields.place)
    return Fields(
        {**file.values, "services": Fields(made, services.keys, services.place)}, file.keys, file.place
    )


def _restricted(file: Fields, regions: Iterable[str]) -> Fields:
    extension = file.need("x-topology", "the regions and carriers").as_fields()
    names = Items(tuple(Scalar(name, name, extension.place) for name in regions), extension.place)
    keys = {**extension.keys, "only": extension.place}
    extended = Fields({**extension.values, "only": names}, keys, extension.place)
    return Fields({**file.values, "x-topology": extended}, file.keys, file.place)


def _inside(name: str, value: Value, folder: Path) -> Value:
    content = content_of(name, value, folder)
    return Fields({"content": Scalar(content, content, value.place)}, {"content": value.place}, value.place)


def _protected(value: Value) -> Value:
    """The same with every dollar sign doubled, so that it stays one."""
    match value:
        case Scalar() if isinstance(value.value, str):
            text = value.text.replace("$", "$$")
            return Scalar(text, text, value.place, value.plain)
        case Items():
            return Items(tuple(_protected(each) for each in value), value.place)
        case Fields():
            return Fields({key: _protected(each) for key, each in value}, value.keys, value.place)
    return value
