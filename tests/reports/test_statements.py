"""A Japanese report says in Japanese what runbooks and faults saw, and what faults were aimed at."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from harness.runbook.proofs import PROOFS
from reports import aims, statements
from reports.names import Names
from reports.reading import Record
from reports.words import Words, catalogue

JA = Words("ja")


@pytest.mark.parametrize("proof", PROOFS)
def test_every_proof_has_words_of_its_own(proof: str) -> None:
    texts = catalogue()[f"proof.{proof}"]
    named = {name for _, name, _, _ in Formatter().parse(texts["ja"]) if name}
    needed = {argument.name for argument in PROOFS[proof].arguments if argument.needed}
    assert named <= needed


@pytest.mark.parametrize(
    "verb", ["lose", "hang", "cut", "stale", "degrade", "erase", "fail", "blackout", "misfilter"]
)
def test_every_fault_has_words_of_its_own(verb: str) -> None:
    assert not re.search("[a-z]", statements.of_fault(verb, JA))


@pytest.mark.parametrize(
    ("aim", "said"),
    [
        ({"region": "singapore"}, "シンガポール"),
        ({"from": ["singapore"], "to": ["tokyo"]}, "シンガポールと東京の間"),
        ({"role": "database", "is": "primary"}, "主のデータベース"),
        ({"link": "wan-singapore-tokyo", "latency": 600.0}, "シンガポール・東京間の回線（遅延 600 秒）"),
        ({"answers": {"company": 3}}, "会社 3 の回答"),
        ({"share": 0.5, "keeps_s": 75.0}, "リゾルバの 50\u202f% が 75\u202f秒 保持"),
        ({"carrier": "softbank", "senders": ".co.jp"}, "ソフトバンクで、.co.jp からのメール"),
        ({"something": "else"}, ""),
    ],
)
def test_aims_are_told_by_the_titles_of_the_topology(
    moved_record: Record, aim: dict[str, object], said: str
) -> None:
    assert aims.told(aim, Names(moved_record, JA), JA) == said  # type: ignore[arg-type]
