"""What the body of each request asks for. Everything here raises ApiError for a body that asks for nothing sensible."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final

from topology.platform.proxy import errors
from topology.platform.proxy.active import ActiveToxic, Direction
from topology.platform.proxy.body import Field, Json, Shape, Value, decode, first_value, kind
from topology.platform.proxy.proxy import ProxySpec
from topology.platform.proxy.toxics import TYPES
from topology.platform.proxy.toxics.toxic import Toxic

_LISTED_TYPE: Final = 'struct { toxiproxy.Proxy; Enabled *bool "json:\\"enabled\\"" }'
_UPDATE_TYPE: Final = (
    'struct { Attributes interface {} "json:\\"attributes\\""; Toxicity float32 "json:\\"toxicity\\"" }'
)


def _proxy_fields(prefix: str) -> dict[str, Field]:
    types = {
        "name": "string",
        "listen": "string",
        "upstream": "string",
        "enabled": "bool",
        "Logger": "zerolog.Logger",
    }
    return {name: Field(go_type, prefix + name) for name, go_type in types.items()}


_PROXY: Final = Shape("toxiproxy.Proxy", _proxy_fields("Proxy."))
_LISTED: Final = Shape(_LISTED_TYPE, {**_proxy_fields(".Proxy."), "enabled": Field("bool", ".enabled")})
_TOXIC: Final = Shape(
    "toxics.ToxicWrapper",
    {
        "attributes": Field("toxics.NoopToxic", "ToxicWrapper.attributes"),
        "name": Field("string", "ToxicWrapper.name"),
        "type": Field("string", "ToxicWrapper.type"),
        "stream": Field("string", "ToxicWrapper.stream"),
        "toxicity": Field("float32", "ToxicWrapper.toxicity"),
    },
)


def new_proxy(body: bytes) -> ProxySpec:
    return _spec(decode(first_value(body), _PROXY))


def new_proxies(body: bytes) -> list[ProxySpec]:
    """Of a populate request, or of a configuration file."""
    listed = first_value(body)
    if listed is None:
        return []
    if not isinstance(listed, list):
        raise errors.bad_body(f"json: cannot unmarshal {kind(listed)} into Go value of type []{_LISTED_TYPE}")
    found = [decode(item, _LISTED) for item in listed]
    return [_spec(fields, f" at proxy {place}") for place, fields in enumerate(found, 1)]


def updated_proxy(body: bytes, current: ProxySpec) -> ProxySpec:
    fields = decode(first_value(body), _PROXY)
    return ProxySpec(
        current.name,
        str(fields.get("listen", current.listen)),
        str(fields.get("upstream", current.upstream)),
        bool(fields.get("enabled", current.enabled)),
    )


def new_toxic(body: bytes) -> ActiveToxic:
    fields = decode(first_value(body), _TOXIC)
    stream = str(fields.get("stream", "downstream"))
    if stream.lower() not in {direction.value for direction in Direction}:
        raise errors.invalid_stream()
    type_name = str(fields.get("type", ""))
    if type_name not in TYPES:
        raise errors.invalid_toxic_type()
    return ActiveToxic(
        name=str(fields.get("name", "")) or f"{type_name}_{stream}",
        type=type_name,
        stream=stream,
        toxicity=_number(fields.get("toxicity", 1.0)),
        toxic=_with_attributes(TYPES[type_name](), fields.get("attributes")),
    )


def updated_toxic(body: bytes, active: ActiveToxic) -> ActiveToxic:
    """Only its attributes and its toxicity can change."""
    shape = Shape(
        _UPDATE_TYPE,
        {
            "attributes": Field(f"toxics.{active.toxic.GO_NAME}", ".attributes"),
            "toxicity": Field("float32", ".toxicity"),
        },
    )
    fields = decode(first_value(body), shape)
    toxic = _with_attributes(active.toxic, fields.get("attributes"))
    return dataclasses.replace(active, toxic=toxic, toxicity=_number(fields.get("toxicity", active.toxicity)))


def _spec(fields: Mapping[str, Value], place: str = "") -> ProxySpec:
    name, listen, upstream = (str(fields.get(field, "")) for field in ("name", "listen", "upstream"))
    for field, value in (("name", name), ("upstream", upstream)):
        if not value:
            raise errors.missing_field(field + place)
    return ProxySpec(name, listen, upstream, bool(fields.get("enabled", True)))


def _with_attributes(toxic: Toxic, attributes: Value | None) -> Toxic:
    fields = {
        field.name: Field(str(field.type).lower(), f"{toxic.GO_NAME}.attributes.{field.name}")
        for field in dataclasses.fields(toxic)
    }
    given: Json = attributes if isinstance(attributes, dict) else None
    return dataclasses.replace(toxic, **decode(given, Shape(toxic.GO_NAME, fields)))


def _number(value: Value) -> float:
    assert isinstance(value, float | int)
    return float(value)
