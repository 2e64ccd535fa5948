"""What an argument of a command, a proof or a runbook has to be, and what is made of how it was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from harness import quantities
from harness.duration import Duration, NotADuration
from harness.runbook.model import Kind
from harness.rundir import Json
from topology.document import Items, Value, nearest, one_of
from topology.map import Map

EXPECTED: Final[Mapping[Kind, str]] = {
    Kind.REGION: "a region of the service",
    Kind.NODE: "a node of the topology",
    Kind.ROLES: "roles",
    Kind.SHARE: "a share",
    Kind.DURATION: "a duration",
    Kind.COUNT: "a number",
    Kind.INSTANT: "an instant with its zone, such as 2026-01-15T14:46:40+09:00, or a time of the timeline, such as 59s",
    Kind.TEXT: "text",
}


def typed(value: Value, kind: Kind, topology: Map) -> Json:
    """As `Kind` says. Raises BadInput for what is none, or is not there in this topology."""
    match kind:
        case Kind.REGION:
            return known(value, topology.service_regions, EXPECTED[kind])
        case Kind.NODE:
            return known(value, list(topology.nodes), EXPECTED[kind])
        case Kind.ROLES:
            roles = sorted({node.role for node in topology})
            each = value.values if isinstance(value, Items) else (value,)
            return [known(one, roles, "a role of the topology") for one in each]
        case Kind.SHARE:
            return quantities.share(value)
        case Kind.DURATION:
            return quantities.duration(value).s
        case Kind.COUNT:
            return value.as_whole(least=1)
        case Kind.INSTANT:
            return _instant(value)
        case Kind.TEXT:
            return value.as_text(EXPECTED[kind])


def _instant(value: Value) -> str:
    """As it was written. Raises BadInput for what is no instant; a time without its zone could be any of many."""
    text = value.as_text(EXPECTED[Kind.INSTANT])
    try:
        if datetime.fromisoformat(text).tzinfo is not None:
            return text
    except ValueError:
        with suppress(NotADuration):
            Duration.parse(text)
            return text
    raise value.bad(EXPECTED[Kind.INSTANT])


def known(value: Value, words: Sequence[str], what: str) -> str:
    """One of these words. Raises BadInput with the nearest of them."""
    word = value.as_text(what)
    if word not in words:
        raise value.bad(f"{what}: {one_of(words)}", nearest(word, words))
    return word
