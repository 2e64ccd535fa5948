"""What a report calls things: by the titles of the topology, in its language."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reports.faults import Fault
from reports.names import Names
from reports.reading import Record
from reports.words import Lang, Words


def failure(target: str, *nodes: str) -> Fault:
    return Fault("1-fail", "fail", target, nodes, 1.0, 2.0, "proven", "", True)


@pytest.mark.parametrize(
    ("fault", "lang", "label"),
    [
        (
            failure("the enclosure of database that is primary", "database-a"),
            "en",
            "storage failed: storage of data centre A",
        ),
        (
            failure("the enclosure of database that is primary (read-only)", "database-a"),
            "ja",
            "ストレージ故障：データセンターAのストレージ (読み取り専用)",
        ),
        (
            failure("au-storage (offline)", "au-mail"),
            "en",
            "storage failed: au's mail storage (without power)",
        ),
        (failure("gone-storage", "gone"), "en", "storage failed: gone-storage"),
        (
            Fault("1", "lose", "singapore.a", ("database-a",), 1.0, None, "", "", None),
            "en",
            "power lost: singapore.a",
        ),
    ],
)
def test_the_bar_of_a_storage_failure_names_the_enclosure(
    record: Record, fault: Fault, lang: Lang, label: str
) -> None:
    assert Names(record, Words(lang)).fault(fault) == label


def test_without_a_topology_it_says_what_was_recorded(record: Record) -> None:
    names = Names(replace(record, topology=None), Words("en"))
    assert names.fault(failure("au-storage", "au-mail")) == "storage failed: au-storage"
