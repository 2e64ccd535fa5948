"""Proxies and toxics as the API shows them, byte for byte as Go's encoder writes them."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from topology.platform.proxy.active import ActiveToxic
from topology.platform.proxy.proxy import Proxy

_HTML = {ord(character): f"\\u{ord(character):04x}" for character in "&<>\u2028\u2029"}


def proxy_text(proxy: Proxy) -> str:
    fields = dump(
        {"name": proxy.name, "listen": proxy.listen, "upstream": proxy.upstream, "enabled": proxy.enabled}
    )
    return f'{fields[:-1]},"Logger":{{}},"toxics":{toxics_text(proxy.all_toxics())}}}'


def proxies_text(proxies: Iterable[Proxy]) -> str:
    """All proxies by name, in the order of their names."""
    in_order = sorted(proxies, key=lambda proxy: proxy.name.encode())
    return "{" + ",".join(f"{dump(proxy.name)}:{proxy_text(proxy)}" for proxy in in_order) + "}"


def toxic_text(active: ActiveToxic) -> str:
    attributes = dump(asdict(active.toxic))
    names = dump({"name": active.name, "type": active.type, "stream": active.stream})
    return f'{{"attributes":{attributes},{names[1:-1]},"toxicity":{float32_text(active.toxicity)}}}'


def toxics_text(toxics: Iterable[ActiveToxic]) -> str:
    return "[" + ",".join(map(toxic_text, toxics)) + "]"


def dump(value: Any) -> str:
    """JSON without spaces, safe to stand in HTML."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_HTML)


def float32_text(number: float) -> str:
    """The shortest text that reads back as this 32-bit number; an exponent only outside 1e-6 to 1e21."""
    text = next(
        text
        for text in (f"{number:.{digits}g}" for digits in range(1, 10))
        if _nearest(float(text)) == number
    )
    if "e" not in text:
        return text
    if _nearest(1e-6) <= abs(number) < _nearest(1e21):
        return f"{float(text):.0f}" if abs(number) >= 1 else f"{float(text):.15f}".rstrip("0")
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:].lstrip('0')}"


def _nearest(number: float) -> float:
    nearest: float = struct.unpack("f", struct.pack("f", number))[0]
    return nearest
