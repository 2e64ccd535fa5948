"""Everything the HTTP API refuses, with the very words."""

from __future__ import annotations

import pytest

from tests.topology.platform.proxy.stage import Answer, Proxy, Toxiproxy

UPDATE = (
    'struct { Attributes interface {} \\"json:\\\\\\"attributes\\\\\\"\\"; '
    'Toxicity float32 \\"json:\\\\\\"toxicity\\\\\\"\\" }'
)
UNREADABLE = "bad request body: json: cannot unmarshal"


def assert_refused(answer: Answer, status: int, error: str) -> None:
    assert answer.text == f'{{"error":"{error}","status":{status}}}\n'
    assert answer.status == status
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/proxies/nobody"),
        ("POST", "/proxies/nobody"),
        ("PATCH", "/proxies/nobody"),
        ("DELETE", "/proxies/nobody"),
        ("GET", "/proxies/nobody/toxics"),
        ("POST", "/proxies/nobody/toxics"),
        ("GET", "/proxies/nobody/toxics/t"),
        ("PATCH", "/proxies/nobody/toxics/t"),
        ("DELETE", "/proxies/nobody/toxics/t"),
    ],
)
def test_an_unknown_proxy(toxiproxy: Toxiproxy, method: str, path: str) -> None:
    assert_refused(toxiproxy.call(method, path, "{}"), 404, "proxy not found")


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_an_unknown_toxic(toxiproxy: Toxiproxy, proxy: Proxy, method: str) -> None:
    assert_refused(toxiproxy.call(method, f"{proxy.path}/toxics/t", "{}"), 404, "toxic not found")


@pytest.mark.parametrize(
    "path",
    ["/", "/nothing", "/proxies/", "/proxies/a/b", "/proxies/a%2Fb", "/metrics", "/proxies/a/toxics/b/c"],
)
def test_an_unknown_page(toxiproxy: Toxiproxy, path: str) -> None:
    answer = toxiproxy.call("GET", path)
    assert (answer.status, answer.text) == (404, "404 page not found\n")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/version"),
        ("HEAD", "/version"),
        ("GET", "/reset"),
        ("GET", "/populate"),
        ("PUT", "/proxies"),
        ("PUT", "/proxies/a"),
    ],
)
def test_a_wrong_method(toxiproxy: Toxiproxy, method: str, path: str) -> None:
    answer = toxiproxy.call(method, path)
    assert (answer.status, answer.text) == (405, "")


@pytest.mark.parametrize(
    ("path", "clean"),
    [("//proxies", "/proxies"), ("/proxies/../version", "/version"), ("//proxies?a=1", "/proxies?a=1")],
)
def test_an_unclean_path_is_redirected(toxiproxy: Toxiproxy, path: str, clean: str) -> None:
    answer = toxiproxy.call("GET", path)
    assert (answer.status, answer.headers["Location"], answer.text) == (301, clean, "")


def test_browsers_are_kept_out(toxiproxy: Toxiproxy) -> None:
    answer = toxiproxy.call("GET", "/proxies", agent="Mozilla/5.0 (X11)")
    assert (answer.status, answer.text) == (403, "User agent not allowed\n")
    assert toxiproxy.call("GET", "/proxies", agent="curl/8 Mozilla/5.0").status == 200


def test_every_answer_has_a_number_of_its_own(toxiproxy: Toxiproxy) -> None:
    numbers = {toxiproxy.call("GET", "/version").headers["X-Toxiproxy-Request-Id"] for _ in range(3)}
    assert len(numbers) == 3


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "EOF"),
        ("  ", "EOF"),
        ("{", "unexpected EOF"),
        ('{"name":"a"', "unexpected EOF"),
        ('"abc', "unexpected EOF"),
        ('{"name":nul', "unexpected EOF"),
        ("garbage", "invalid character 'g' looking for beginning of value"),
        ("'x'", "invalid character '\\\\'' looking for beginning of value"),
        ("é", "invalid character 'Ã' looking for beginning of value"),
        ('{"name":NaN}', "invalid character 'N' looking for beginning of value"),
        ("[1,]", "invalid character ']' looking for beginning of value"),
        ("{name:1}", "invalid character 'n' looking for beginning of object key string"),
        ('{"name":"a",}', "invalid character '}' looking for beginning of object key string"),
        ('{"name" "a"}', "invalid character '\\\"' after object key"),
        ('{"name":"a" x}', "invalid character 'x' after object key:value pair"),
        ('{"name":01}', "invalid character '1' after object key:value pair"),
        ("[1 2]", "invalid character '2' after array element"),
        ('{"name":{"a":[1,2}}', "invalid character '}' after array element"),
        ('{"name":trux}', "invalid character 'x' in literal true (expecting 'e')"),
        ('{"name":-}', "invalid character '}' in numeric literal"),
        ('{"name":1.}', "invalid character '}' after decimal point in numeric literal"),
        ('{"name":1e}', "invalid character '}' in exponent of numeric literal"),
        ('{"name":"\\q"}', "invalid character 'q' in string escape code"),
        ('{"name":"\\u12x4"}', "invalid character 'x' in \\\\u hexadecimal character escape"),
        ('{"name":"a\nb"}', "invalid character '\\\\n' in string literal"),
        ("[]", "json: cannot unmarshal array into Go value of type toxiproxy.Proxy"),
        ("3", "json: cannot unmarshal number into Go value of type toxiproxy.Proxy"),
        ("true", "json: cannot unmarshal bool into Go value of type toxiproxy.Proxy"),
        ('{"name":1}', "json: cannot unmarshal number into Go struct field Proxy.name of type string"),
        ('{"name":[{}]}', "json: cannot unmarshal array into Go struct field Proxy.name of type string"),
        (
            '{"enabled":"yes"}',
            "json: cannot unmarshal string into Go struct field Proxy.enabled of type bool",
        ),
        (
            '{"Logger":5}',
            "json: cannot unmarshal number into Go struct field Proxy.Logger of type zerolog.Logger",
        ),
    ],
)
def test_a_body_that_is_no_proxy(toxiproxy: Toxiproxy, proxy: Proxy, body: str, error: str) -> None:
    for method, path in (("POST", "/proxies"), ("PATCH", proxy.path)):
        assert_refused(toxiproxy.call(method, path, body), 400, f"bad request body: {error}")


@pytest.mark.parametrize(
    ("body", "field"),
    [("{}", "name"), ("null", "name"), ('{"name":""}', "name"), ('{"name":"a"}', "upstream")],
)
def test_a_proxy_without_a_field(toxiproxy: Toxiproxy, body: str, field: str) -> None:
    assert_refused(toxiproxy.call("POST", "/proxies", body), 400, f"missing required field: {field}")


def test_a_proxy_that_exists(toxiproxy: Toxiproxy, proxy: Proxy) -> None:
    answer = toxiproxy.call(
        "POST", "/proxies", {"name": proxy.name, "upstream": "x:1", "listen": "127.0.0.1:0"}
    )
    assert_refused(answer, 409, "proxy already exists")


ADDRESSES = [
    ("nohost", "address nohost: missing port in address"),
    ("[::1]", "address [::1]: missing port in address"),
    ("[::1:80", "address [::1:80: missing ']' in address"),
    ("x]:80", "address x]:80: unexpected ']' in address"),
    ("a:b:80", "address a:b:80: too many colons in address"),
    ("127.0.0.1:99999", "address 99999: invalid port"),
    ("127.0.0.1:-1", "address -1: invalid port"),
    ("127.0.0.1:zzz", "lookup tcp/zzz: unknown port"),
]


@pytest.mark.parametrize(("listen", "error"), ADDRESSES)
def test_an_address_that_is_none(toxiproxy: Toxiproxy, proxy: Proxy, listen: str, error: str) -> None:
    created = toxiproxy.call("POST", "/proxies", {"name": "new", "upstream": "x:1", "listen": listen})
    assert_refused(created, 500, f"listen tcp: {error}")
    assert_refused(toxiproxy.call("PATCH", proxy.path, {"listen": listen}), 500, error)
    assert toxiproxy.call("GET", "/proxies/new").status == 404
    assert toxiproxy.call("GET", proxy.path).json["listen"] == proxy.listen


def test_an_address_in_use(toxiproxy: Toxiproxy, proxy: Proxy) -> None:
    wanted = {"name": "new", "upstream": "x:1", "listen": proxy.listen}
    error = f"listen tcp {proxy.listen}: bind: address already in use"
    assert_refused(toxiproxy.call("POST", "/proxies", wanted), 500, error)
    other = toxiproxy.proxy_to("x:1")
    assert_refused(toxiproxy.call("PATCH", other.path, {"listen": proxy.listen}), 500, error)
    now = toxiproxy.call("GET", other.path).json
    assert (now["listen"], now["enabled"]) == (proxy.listen, False)  # it has given up its old address by then
    toxiproxy.call("DELETE", other.path)


ATTRIBUTES = "Go struct field LatencyToxic.attributes.latency of type int64"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "bad request body: EOF"),
        ("[]", f"{UNREADABLE} array into Go value of type toxics.ToxicWrapper"),
        (
            '{"type":5}',
            f"{UNREADABLE} number into Go struct field ToxicWrapper.type of type string",
        ),
        (
            '{"type":"latency","toxicity":"x"}',
            f"{UNREADABLE} string into Go struct field ToxicWrapper.toxicity of type float32",
        ),
        (
            '{"type":"latency","toxicity":1e300}',
            f"{UNREADABLE} number 1e300 into Go struct field ToxicWrapper.toxicity of type float32",
        ),
        (
            '{"type":"latency","attributes":5}',
            f"{UNREADABLE} number into Go struct field ToxicWrapper.attributes of type toxics.NoopToxic",
        ),
        (
            '{"type":"latency","attributes":{"latency":"x"}}',
            f"{UNREADABLE} string into {ATTRIBUTES}",
        ),
        (
            '{"type":"latency","attributes":{"latency":1.5}}',
            f"{UNREADABLE} number 1.5 into {ATTRIBUTES}",
        ),
        (
            '{"type":"latency","attributes":{"latency":1e3}}',
            f"{UNREADABLE} number 1e3 into {ATTRIBUTES}",
        ),
        (
            '{"type":"slicer","attributes":{"delay":true}}',
            f"{UNREADABLE} bool into Go struct field SlicerToxic.attributes.delay of type int",
        ),
        (
            '{"type":"reset_peer","attributes":{"timeout":{}}}',
            f"{UNREADABLE} object into Go struct field ResetToxic.attributes.timeout of type int64",
        ),
        (
            '{"type":"latency","stream":"sideways"}',
            "stream was invalid, can be either upstream or downstream",
        ),
        ('{"type":"latency","stream":""}', "stream was invalid, can be either upstream or downstream"),
        ("{}", "invalid toxic type"),
        ('{"type":"Latency"}', "invalid toxic type"),
    ],
)
def test_a_body_that_is_no_toxic(toxiproxy: Toxiproxy, proxy: Proxy, body: str, error: str) -> None:
    assert_refused(toxiproxy.call("POST", f"{proxy.path}/toxics", body), 400, error)
    assert toxiproxy.call("GET", f"{proxy.path}/toxics").text == "[]"


def test_a_toxic_that_exists_on_either_stream(toxiproxy: Toxiproxy, proxy: Proxy) -> None:
    proxy.add("noop", stream="upstream")
    answer = toxiproxy.call("POST", f"{proxy.path}/toxics", {"type": "latency", "name": "t"})
    assert_refused(answer, 409, "toxic already exists")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "EOF"),
        ("[1]", f"json: cannot unmarshal array into Go value of type {UPDATE}"),
        ('{"toxicity":"x"}', "json: cannot unmarshal string into Go struct field .toxicity of type float32"),
        (
            '{"attributes":5}',
            "json: cannot unmarshal number into Go struct field .attributes of type toxics.LatencyToxic",
        ),
        ('{"attributes":{"latency":"x"}}', f"json: cannot unmarshal string into {ATTRIBUTES}"),
    ],
)
def test_a_change_that_is_none(toxiproxy: Toxiproxy, proxy: Proxy, body: str, error: str) -> None:
    proxy.add("latency", latency=3)
    assert_refused(toxiproxy.call("PATCH", f"{proxy.path}/toxics/t", body), 400, f"bad request body: {error}")
    assert toxiproxy.call("GET", f"{proxy.path}/toxics/t").json["attributes"] == {"latency": 3, "jitter": 0}
