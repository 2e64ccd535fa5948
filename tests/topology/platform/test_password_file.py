from __future__ import annotations

from patroni.postgresql.config import ConfigHandler

from topology.platform.password_file import for_each_port

content = for_each_port(ConfigHandler._pgpass_content)
LOGIN = {"user": "replicator", "password": "s:cret"}


def test_every_host_has_a_line_with_its_own_port() -> None:
    assert content({**LOGIN, "host": "wan,wan", "port": "5411,5412"}) == (
        "wan:5411:*:replicator:s\\:cret\nwan:5412:*:replicator:s\\:cret\n"
    )


def test_one_port_is_as_patroni_has_it() -> None:
    for record in (
        {**LOGIN, "host": "a,b", "port": 5432},
        {**LOGIN, "host": "a"},
        {"host": "a,b", "port": "1,2"},
    ):
        assert content(record) == ConfigHandler._pgpass_content(record)
