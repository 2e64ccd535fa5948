"""Isolation, judged from what the attempts came to and from what was found lying open."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from harness.checks import isolation
from harness.rundir import Json
from harness.rundir.verdict import Verdict
from tests.harness.checks.recorded import Recorded, ns

Record = Callable[..., Recorded]
Row = dict[str, Json]
LOOKED: Row = {"what": "looked", "files": 30, "bytes": 4096, "seconds": 0.1, "unread": []}
HIT: Row = {"what": "hit", "file": "nodes/mailer-a.log", "offset": 120, "form": "plain", "packed": False}


def row(what: str, at_s: float = 1.0, **data: Json) -> Row:
    return {"at_ns": ns(at_s), "what": what, **data}


def told(what: str, at_s: float = 1.0, **data: Json) -> Row:
    request = "GET /admin?company=2 HTTP/1.1\r\nHost: anpi.example\r\n\r\n"
    return row(what, at_s, kind="company", endpoint="a, http", request=request, status=200, reply="", **data)


COUNTS = row(
    "counts", **{"company.refused": 90, "altered.refused": 9, "company.unanswered": 5, "sideways.own": 1}
)
ENDED = row("ended", 9.0)


@pytest.fixture
def run(record: Record) -> Recorded:
    """Company 1 asks for company 2's data; broadcast 11 is company 1's, 12 is company 2's."""
    run = record(isolation={"leaks": 0, "attempts": 100})
    run.event(-1.0, "canaries", mark="m", company=2, observer=1)
    run.final("broadcasts", {"broadcast": 11, "company": 1}, {"broadcast": 12, "company": 2})
    return run


def attempted(run: Recorded, *rows: Row) -> None:
    path = run.run.path / isolation.FILE
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))


def test_refused_every_time(run: Recorded) -> None:
    attempted(run, COUNTS, told("granted", broadcast=11), ENDED)
    run.final("plaintext", LOOKED)
    finding = isolation.check(run.end())
    assert finding.verdict is Verdict.PASS
    assert (finding.measured["attempts"], finding.measured["leaks"]) == (100, 0)
    assert finding.measured["unanswered"] == 5
    assert finding.detail["kinds"] == {
        "company": {"refused": 90, "unanswered": 5},
        "altered": {"refused": 9},
        "sideways": {"own": 1},
    }


def test_a_reply_with_anothers_data_fails_and_is_told(run: Recorded) -> None:
    attempted(run, COUNTS, told("leak", 3.5, why="kanarienvogel-m is in the reply"), ENDED)
    run.final("plaintext", LOOKED)
    finding = isolation.check(run.end())
    assert finding.verdict is Verdict.FAIL
    assert "GET /admin?company=2" in finding.why
    (evidence,) = finding.evidence
    assert isinstance(evidence, dict)
    assert (evidence["at_s"], evidence["endpoint"]) == (3.5, "a, http")


def test_a_page_of_anothers_broadcast_is_a_leak_though_it_bears_no_mark(run: Recorded) -> None:
    attempted(run, COUNTS, told("granted", broadcast=12), ENDED)
    run.final("plaintext", LOOKED)
    finding = isolation.check(run.end())
    assert (finding.verdict, finding.measured["leaks"]) == (Verdict.FAIL, 1)
    assert "broadcast 12 is another company's" in finding.why


def test_an_address_that_lies_open_fails_with_its_file_and_place(run: Recorded) -> None:
    attempted(run, COUNTS, ENDED)
    run.final("plaintext", LOOKED, HIT)
    finding = isolation.check(run.end())
    assert (finding.verdict, finding.measured["plaintext"]) == (Verdict.FAIL, 1)
    assert "nodes/mailer-a.log at 120" in finding.why


def test_too_few_attempts_are_no_leak_but_no_proof(run: Recorded) -> None:
    attempted(run, row("counts", **{"company.refused": 40}), ENDED)
    run.final("plaintext", LOOKED)
    finding = isolation.check(run.end())
    assert finding.verdict is Verdict.UNKNOWN
    assert "40, expected at least 100" in finding.why


def test_a_leak_counts_however_few_attempts_there_were(run: Recorded) -> None:
    leak = told("leak", why="kanarienvogel-m is in the reply")
    attempted(run, row("counts", **{"company.refused": 40}), leak, ENDED)
    run.final("plaintext", LOOKED)
    assert isolation.check(run.end()).verdict is Verdict.FAIL


WAYS = row("ways", 0.0, regions={"a, http": "singapore", "t, http": "tokyo", "t, https": "tokyo"})


def by_ways(at_s: float, **counts: int) -> Row:
    """Refused at each way in, told at that time: a, t and ts."""
    ways = {"a": "a, http", "t": "t, http", "ts": "t, https"}
    told: dict[str, Json] = {
        ways[name]: {"refused": count, "unanswered": 1} for name, count in counts.items()
    }
    return row("counts", at_s, **{"company.refused": sum(counts.values())}, ways=told)


@pytest.fixture
def moved(record: Callable[..., Recorded]) -> Callable[..., Recorded]:
    """Singapore takes writes until 10 s, Tokyo from 20 s on."""

    def make(**expected: Json) -> Recorded:
        run = record(isolation={"leaks": 0, **expected})
        run.event(-1.0, "canaries", mark="m", company=2, observer=1)
        run.final("broadcasts")
        run.final("plaintext", LOOKED)
        for at_s, node, region in ((0.0, "database-a", "singapore"), (0.0, "database-t", "tokyo")):
            run.replicated(at_s, node, region, at_s, at_s)
        for at_s in range(11):
            run.database(at_s, "database-a", "primary", wrote=True)
        for at_s in range(20, 31):
            run.database(at_s, "database-t", "primary", wrote=True)
        rows = [by_ways(5.0, a=50, t=6), by_ways(12.0, t=3), by_ways(20.5, t=1), by_ways(25.0, t=40, ts=20)]
        attempted(run, WAYS, *rows, ENDED)
        return run

    return make


def test_every_way_in_is_counted_and_what_a_region_refused_that_stood_by(
    moved: Callable[..., Recorded],
) -> None:
    finding = isolation.check(moved(attempts=120, everywhere=20, standing_by=9).end())
    assert finding.verdict is Verdict.PASS, finding.why
    assert (finding.measured["fewest"], finding.measured["standing_by"]) == (20, 9)
    ways = finding.detail["ways"]
    assert isinstance(ways, dict)
    assert ways["t, http"] == {"region": "tokyo", "refused": 50, "unanswered": 4, "standing_by": 9}
    assert ways["a, http"] == {"region": "singapore", "refused": 50, "unanswered": 1, "standing_by": 0}


@pytest.mark.parametrize(
    ("expected", "says"),
    [
        ({"everywhere": 21}, "the way in that answered fewest: 20, expected at least 21"),
        ({"standing_by": 10}, "regions that stood by: 9, expected at least 10"),
    ],
)
def test_a_way_in_that_was_hardly_tried_is_unknown(
    moved: Callable[..., Recorded], expected: dict[str, int], says: str
) -> None:
    finding = isolation.check(moved(**expected).end())
    assert finding.verdict is Verdict.UNKNOWN
    assert says in finding.why


@pytest.mark.parametrize(
    ("rows", "looked"),
    [
        ([], LOOKED),
        ([COUNTS, told("granted", broadcast=11)], LOOKED),  # not recorded to its end
        ([COUNTS, row("counts", **{"token.refused": 1}), ENDED], None),
        (
            [COUNTS, row("counts", **{"token.refused": 1}), ENDED],
            {**LOOKED, "unread": ["database-a/pg_wal: denied"]},
        ),
    ],
)
def test_what_was_not_seen_is_unknown(run: Recorded, rows: list[Row], looked: Row | None) -> None:
    attempted(run, *rows)
    if looked is not None:
        run.final("plaintext", looked)
    assert isolation.check(run.end()).verdict is Verdict.UNKNOWN


def test_without_broadcasts_nobody_knows_whose_pages_were_shown(record: Record) -> None:
    run = record(isolation={"leaks": 0})
    run.event(-1.0, "canaries", mark="m", company=2, observer=1)
    attempted(run, COUNTS, told("granted", broadcast=11), ENDED)
    run.final("plaintext", LOOKED)
    assert isolation.check(run.end()).verdict is Verdict.UNKNOWN


def test_a_run_that_does_not_ask_for_it_passes(record: Record) -> None:
    assert isolation.check(record().end()).verdict is Verdict.PASS
