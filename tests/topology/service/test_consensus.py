"""What the consensus store says, as its gateway writes it."""

from __future__ import annotations

import base64
import json

import pytest

from topology.service.consensus import View, read_view


def gateway(**values: str) -> bytes:
    def encoded(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    rows = [
        {"key": encoded(f"/service/anpi/{key}"), "value": encoded(value)} for key, value in values.items()
    ]
    return json.dumps({"header": {}, "kvs": rows}).encode()


@pytest.mark.parametrize(
    ("sync", "synchronous"),
    [
        ('{"leader": "a", "sync_standby": "b"}', {"a", "b"}),
        ('{"leader": "a", "sync_standby": "b,c"}', {"a", "b", "c"}),
        ('{"leader": "a", "sync_standby": null}', {"a"}),
        ('{"leader": null, "sync_standby": null}', set()),
        ("", set()),
    ],
)
def test_who_leads_and_who_has_everything(sync: str, synchronous: set[str]) -> None:
    view = read_view(gateway(leader="a", sync=sync, members="x"), 5.0)

    assert view == View("a", frozenset(synchronous), 5.0)


def test_a_copy_of_another_region_s_databases_is_sure_of_nothing() -> None:
    config = '{"ttl": 20, "standby_cluster": {"host": "afar"}}'
    sync = '{"leader": "a", "sync_standby": "b"}'  # what was true before
    view = read_view(gateway(leader="a", sync=sync, config=config), 5.0)
    assert view == View("a", frozenset(), 5.0, following=True)
    assert not read_view(gateway(leader="a", sync=sync, config='{"ttl": 20}'), 5.0).following


def test_without_a_leader_nobody_leads() -> None:
    assert read_view(gateway(sync='{"leader": "a"}'), 0.0).leader is None
    assert read_view(b'{"header": {}}', 0.0) == View(None, frozenset(), 0.0)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b'{"kvs": [{}]}', b'{"kvs": 5}', b'{"kvs": [{"key": "!"}]}', gateway(sync="[]")],
)
def test_anything_else_is_no_answer(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_view(body, 0.0)
