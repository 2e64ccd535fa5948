"""The HTTP API, request by request: every endpoint, every status, every byte of every body."""

from __future__ import annotations

import re

import pytest

from tests.topology.platform.proxy.stage import Proxy, Toxiproxy, Upstream, accepts, free_port

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"


def shown(proxy: Proxy, upstream: str, *, enabled: str = "true", toxics: str = "") -> str:
    return (
        f'{{"name":"{proxy.name}","listen":"{proxy.listen}","upstream":"{upstream}",'
        f'"enabled":{enabled},"Logger":{{}},"toxics":[{toxics}]}}'
    )


LATENCY = '{"attributes":{"latency":1000,"jitter":10},"name":"lag","type":"latency","stream":"upstream","toxicity":0.5}'


@pytest.fixture
def slow(toxiproxy: Toxiproxy, proxy: Proxy) -> Proxy:
    """A proxy with one toxic on it."""
    toxic = {"name": "lag", "type": "latency", "stream": "upstream", "toxicity": 0.5}
    attributes = {"latency": 1000, "jitter": 10}
    assert toxiproxy.call("POST", f"{proxy.path}/toxics", {**toxic, "attributes": attributes}).text == LATENCY
    return proxy


# -- everything that succeeds ------------------------------------------------------------------------------------


def test_version_is_json(toxiproxy: Toxiproxy) -> None:
    answer = toxiproxy.call("GET", "/version")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json;charset=utf-8")
    assert re.fullmatch(r'\{"version": "[\w.-]+"\}\n', answer.text)


def test_a_proxy_is_created_and_listens(toxiproxy: Toxiproxy, upstream: Upstream) -> None:
    port = free_port()
    wanted = {"name": "made", "listen": f"127.0.0.1:{port}", "upstream": upstream.address}
    answer = toxiproxy.call("POST", "/proxies", wanted)
    made = Proxy(toxiproxy, "made", f"127.0.0.1:{port}")
    assert (answer.status, answer.headers["Content-Type"]) == (201, JSON)
    assert answer.text == shown(made, upstream.address)
    assert accepts("127.0.0.1", port)
    assert toxiproxy.call("DELETE", made.path).status == 204
    assert not accepts("127.0.0.1", port)


def test_a_disabled_proxy_is_created_and_does_not_listen(toxiproxy: Toxiproxy) -> None:
    port = free_port()
    wanted = {"name": "off", "listen": f"localhost:{port}", "upstream": "nowhere", "enabled": False}
    answer = toxiproxy.call("POST", "/proxies", wanted)
    made = Proxy(toxiproxy, "off", f"localhost:{port}")
    assert answer.text == shown(made, "nowhere", enabled="false")
    assert not accepts("127.0.0.1", port)
    toxiproxy.call("DELETE", made.path)


@pytest.mark.parametrize(
    ("listen", "becomes"),
    [
        ("localhost:0", r"127\.0\.0\.1"),
        (":0", r"\[::\]"),
        ("0.0.0.0:0", r"\[::\]"),
        ("", r"\[::\]"),
        ("[::1]:0", r"\[::1\]"),
    ],
)
def test_a_proxy_shows_where_it_listens(toxiproxy: Toxiproxy, listen: str, becomes: str) -> None:
    answer = toxiproxy.call("POST", "/proxies", {"name": "where", "listen": listen, "upstream": "x:1"})
    assert re.fullmatch(becomes + r":\d+", answer.json["listen"])
    toxiproxy.call("DELETE", "/proxies/where")


def test_names_are_matched_in_any_case_and_text_after_the_value_is_ignored(toxiproxy: Toxiproxy) -> None:
    body = '{"NAME":"a<&>é", "Upstream":"x:1", "bogus":[1], "enabled":null, "listen":"127.0.0.1:0"} and more'
    answer = toxiproxy.call("POST", "/proxies", body)
    assert answer.status == 201
    assert answer.text.startswith('{"name":"a\\u003c\\u0026\\u003eé",')
    assert toxiproxy.call("DELETE", "/proxies/a%3C%26%3E%C3%A9").status == 204


def test_all_proxies_are_listed_by_name(toxiproxy: Toxiproxy, slow: Proxy, upstream: Upstream) -> None:
    answer = toxiproxy.call("GET", "/proxies")
    assert (answer.status, answer.headers["Content-Type"]) == (200, JSON)
    assert answer.text == f'{{"{slow.name}":{shown(slow, upstream.address, toxics=LATENCY)}}}'


def test_one_proxy_is_shown(toxiproxy: Toxiproxy, slow: Proxy, upstream: Upstream) -> None:
    answer = toxiproxy.call("GET", slow.path)
    assert (answer.status, answer.headers["Content-Type"]) == (200, JSON)
    assert answer.text == shown(slow, upstream.address, toxics=LATENCY)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_proxy_is_disabled_and_enabled_on_the_same_port(
    toxiproxy: Toxiproxy, slow: Proxy, upstream: Upstream, method: str
) -> None:
    host, port = slow.listen.split(":")
    off = toxiproxy.call(method, slow.path, {"enabled": False, "name": "ignored"})
    assert (off.status, off.text) == (200, shown(slow, upstream.address, enabled="false", toxics=LATENCY))
    assert not accepts(host, int(port))
    on = toxiproxy.call(method, slow.path, {"enabled": True})
    assert (on.status, on.text) == (200, shown(slow, upstream.address, toxics=LATENCY))
    assert accepts(host, int(port))


def test_a_proxy_moves_to_another_address(toxiproxy: Toxiproxy, proxy: Proxy) -> None:
    port = free_port()
    answer = toxiproxy.call("PATCH", proxy.path, {"listen": f"127.0.0.1:{port}", "upstream": "x:1"})
    assert answer.text == shown(Proxy(toxiproxy, proxy.name, f"127.0.0.1:{port}"), "x:1")
    assert not accepts("127.0.0.1", int(proxy.listen.split(":")[1]))
    assert accepts("127.0.0.1", port)


def test_a_toxic_is_listed_shown_changed_and_removed(toxiproxy: Toxiproxy, slow: Proxy) -> None:
    path = f"{slow.path}/toxics/lag"
    assert toxiproxy.call("GET", f"{slow.path}/toxics").text == f"[{LATENCY}]"
    assert toxiproxy.call("GET", path).text == LATENCY
    changed = LATENCY.replace("1000", "7").replace("0.5", "1")
    for method in ("POST", "PATCH"):
        body = {"attributes": {"latency": 7}, "toxicity": 1, "name": "ignored", "stream": "downstream"}
        answer = toxiproxy.call(method, path, body)
        assert (answer.status, answer.headers["Content-Type"], answer.text) == (200, JSON, changed)
    assert toxiproxy.call("PATCH", path, "null").text == changed
    removed = toxiproxy.call("DELETE", path)
    assert (removed.status, removed.text) == (204, "")
    assert toxiproxy.call("GET", f"{slow.path}/toxics").text == "[]"


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("latency", '{"latency":0,"jitter":0}'),
        ("bandwidth", '{"rate":0}'),
        ("slow_close", '{"delay":0}'),
        ("timeout", '{"timeout":0}'),
        ("slicer", '{"average_size":0,"size_variation":0,"delay":0}'),
        ("limit_data", '{"bytes":0}'),
        ("reset_peer", '{"timeout":0}'),
        ("noop", "{}"),
    ],
)
def test_a_toxic_has_defaults(toxiproxy: Toxiproxy, proxy: Proxy, kind: str, attributes: str) -> None:
    answer = toxiproxy.call("POST", f"{proxy.path}/toxics", {"type": kind})
    assert (answer.status, answer.headers["Content-Type"]) == (200, JSON)
    assert answer.text == (
        f'{{"attributes":{attributes},"name":"{kind}_downstream","type":"{kind}","stream":"downstream","toxicity":1}}'
    )


@pytest.mark.parametrize(
    ("toxicity", "text"),
    [
        ("0.333333333", "0.33333334"),
        ("1e-9", "1e-9"),
        ("0.0000001", "1e-7"),
        ("123456.789", "123456.79"),
        ("1e22", "1e+22"),
    ],
)
def test_toxicity_has_32_bits(toxiproxy: Toxiproxy, proxy: Proxy, toxicity: str, text: str) -> None:
    answer = toxiproxy.call("POST", f"{proxy.path}/toxics", f'{{"type":"noop","toxicity":{toxicity}}}')
    assert answer.text.endswith(f'"toxicity":{text}}}')


def test_upstream_toxics_are_listed_first_and_a_stream_keeps_its_spelling(
    toxiproxy: Toxiproxy, proxy: Proxy
) -> None:
    for stream in ("downstream", "UPSTREAM", "upstream"):
        toxiproxy.call("POST", f"{proxy.path}/toxics", {"type": "noop", "stream": stream})
    listed = toxiproxy.call("GET", f"{proxy.path}/toxics").json
    assert [toxic["name"] for toxic in listed] == ["noop_UPSTREAM", "noop_upstream", "noop_downstream"]


def test_reset_enables_all_and_removes_all_toxics(
    toxiproxy: Toxiproxy, slow: Proxy, upstream: Upstream
) -> None:
    slow.enable(False)
    answer = toxiproxy.call("POST", "/reset")
    assert (answer.status, answer.text) == (204, "")
    assert toxiproxy.call("GET", slow.path).text == shown(slow, upstream.address)


# -- populate ----------------------------------------------------------------------------------------------------


def test_populate_makes_what_is_missing_and_leaves_what_is_there(
    toxiproxy: Toxiproxy, slow: Proxy, upstream: Upstream
) -> None:
    listed = [
        {
            "name": slow.name,
            "listen": slow.listen.replace("127.0.0.1", "localhost"),
            "upstream": upstream.address,
            "enabled": False,
        },
        {"name": "new", "listen": "127.0.0.1:0", "upstream": "x:1", "enabled": False},
    ]
    answer = toxiproxy.call("POST", "/populate", listed)
    new = Proxy(toxiproxy, "new", "127.0.0.1:0")
    assert (answer.status, answer.headers["Content-Type"]) == (201, JSON)
    kept = shown(slow, upstream.address, toxics=LATENCY)
    assert answer.text == f'{{"proxies":[{kept},{shown(new, "x:1", enabled="false")}]}}'
    toxiproxy.call("DELETE", "/proxies/new")


def test_populate_replaces_what_has_other_addresses(toxiproxy: Toxiproxy, slow: Proxy) -> None:
    answer = toxiproxy.call(
        "POST", "/populate", [{"name": slow.name, "listen": slow.listen, "upstream": "x:2"}]
    )
    assert answer.text == f'{{"proxies":[{shown(slow, "x:2")}]}}'


def test_populate_tells_what_it_made_before_it_failed(toxiproxy: Toxiproxy, proxy: Proxy) -> None:
    listed = [
        {"name": "one", "listen": "127.0.0.1:0", "upstream": "x:1", "enabled": False},
        {"name": "two", "listen": proxy.listen, "upstream": "x:1"},
    ]
    answer = toxiproxy.call("POST", "/populate", listed)
    one = shown(Proxy(toxiproxy, "one", "127.0.0.1:0"), "x:1", enabled="false")
    assert answer.status == 500
    assert answer.text == (
        f'{{"error":"listen tcp {proxy.listen}: bind: address already in use","status":500,"proxies":[{one}]}}'
    )
    assert toxiproxy.call("GET", "/proxies/two").status == 404
    toxiproxy.call("DELETE", "/proxies/one")


@pytest.mark.parametrize("body", ["[]", "null"])
def test_populate_with_nothing(toxiproxy: Toxiproxy, body: str) -> None:
    answer = toxiproxy.call("POST", "/populate", body)
    assert (answer.status, answer.text) == (201, '{"proxies":null}')


LISTED = 'struct { toxiproxy.Proxy; Enabled *bool \\"json:\\\\\\"enabled\\\\\\"\\" }'


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "bad request body: EOF"),
        ("{}", f"bad request body: json: cannot unmarshal object into Go value of type []{LISTED}"),
        ("[1]", f"bad request body: json: cannot unmarshal number into Go value of type {LISTED}"),
        (
            '[{"name":1}]',
            "bad request body: json: cannot unmarshal number into Go struct field .Proxy.name of type string",
        ),
        (
            '[{"name":"x","enabled":"y"}]',
            "bad request body: json: cannot unmarshal string into Go struct field .enabled of type bool",
        ),
        ('[{"upstream":"x:1"}]', "missing required field: name at proxy 1"),
        ('[{"name":"x","upstream":"x:1"},{"name":"y"}]', "missing required field: upstream at proxy 2"),
    ],
)
def test_populate_refuses_the_whole_body(toxiproxy: Toxiproxy, body: str, error: str) -> None:
    answer = toxiproxy.call("POST", "/populate", body)
    assert (answer.status, answer.headers["Content-Type"]) == (400, JSON)
    assert answer.text == f'{{"error":"{error}","status":400,"proxies":null}}'
    assert toxiproxy.call("GET", "/proxies").text == "{}"
