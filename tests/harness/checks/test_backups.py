"""Backups, from what the backup nodes told during the run and what came of restoring them at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from harness.checks import backups
from harness.rundir import Json
from harness.rundir.verdict import Finding, Verdict
from tests.harness.checks.recorded import Recorded, lines, ns

Record = Callable[..., Recorded]
TOKYO = ("tokyo.a", None)
VIRGINIA = ("virginia.a", None)


class Kept:
    """A run whose backup nodes are looked at every half second."""

    def __init__(self, run: Recorded, **nodes: tuple[str, str | None]) -> None:
        self.run = run
        self._places = [place("database-a", "database", "singapore.a", "disk-a")]
        self._places += [place(name.replace("_", "-"), "backup", *where) for name, where in nodes.items()]
        self._looks: list[dict[str, Json]] = []
        self._verified: list[dict[str, Json]] = []

    def looks(
        self,
        node: str,
        from_s: float,
        until_s: float,
        behind_s: float | Callable[[float], float] = 1.0,
        generations: Sequence[str] = ("1",),
        holes: Sequence[str] = (),
    ) -> None:
        """`behind_s`: how old the newest restorable instant is at a time."""
        for tick in range(round((until_s - from_s) * 2)):
            at_s = from_s + tick / 2
            behind = behind_s if isinstance(behind_s, float | int) else behind_s(at_s)
            self._looks.append(
                {
                    "at_ns": ns(at_s),
                    "node": node,
                    "answered": True,
                    "reached_ns": ns(at_s - behind),
                    "generations": list(generations),
                    "holes": list(holes),
                }
            )

    def place(self, node: str, role: str, zone: str, enclosure: str | None) -> None:
        self._places.append(place(node, role, zone, enclosure))

    def silent(self, node: str, from_s: float, until_s: float) -> None:
        for tick in range(round((until_s - from_s) * 2)):
            self._looks.append({"at_ns": ns(from_s + tick / 2), "node": node, "answered": False})

    def verified(self, node: str, generation: str = "1", why: str = "") -> None:
        row: dict[str, Json] = {"node": node, "generation": generation, "restorable": not why, "why": why}
        self._verified.append(row)

    def end(self, *, until_s: float = 60.0, writes_until_s: float | None = None) -> Finding:
        """Ten answers a second are acknowledged; database-a takes them."""
        for tick in range(round((until_s if writes_until_s is None else writes_until_s) * 10)):
            self.run.answer(tick + 1, 1, tick / 10, took_s=0.0)
        self.run.database(1.0, "database-a", "primary", wrote=True)
        recording = self.run.end(until_s)
        folder = self.run.run.path / "backups"
        folder.mkdir()
        lines(folder / "places.jsonl", self._places)
        lines(folder / "observed.jsonl", self._looks)
        lines(folder / "verified.jsonl", self._verified)
        return backups.check(recording)


def place(node: str, role: str, zone: str, enclosure: str | None) -> dict[str, Json]:
    region = zone.partition(".")[0]
    return {"node": node, "role": role, "region": region, "zone": zone, "enclosure": enclosure}


def sound(record: Record, **expect: Json) -> Kept:
    """Two backup nodes in other regions, one second behind: a minute of drill time."""
    kept = Kept(record(backups=expect), backup_t=TOKYO, backup_v=VIRGINIA)
    for node in ("backup-t", "backup-v"):
        kept.looks(node, -5, 60)
        kept.verified(node)
    return kept


def test_everything_can_be_brought_back(record: Record) -> None:
    finding = sound(record, generations=2).end()
    assert finding.verdict is Verdict.PASS, finding.why
    assert finding.measured["generations"] == 2
    age_s = finding.measured["newest_restorable_age_real_s"]
    assert age_s == pytest.approx(1.0, abs=0.12)  # of real time, whatever the drill's clock
    assert finding.expected["newest_restorable_age_real_s"] == 300
    assert finding.measured["no_backup_elsewhere_s"] == 0


@pytest.mark.parametrize(
    ("expect", "why"),
    [
        ({}, ""),
        ({"age": 5}, "Age of the newest restorable instant, in real time: 6.9 s, expected at most 5 s"),
    ],
)
def test_a_stale_archive_fails_in_real_time(record: Record, expect: dict[str, Json], why: str) -> None:
    kept = Kept(record(backups=expect), backup_t=TOKYO)
    kept.looks("backup-t", -5, 60, lambda at_s: 1 + max(0.0, min(at_s - 20, 6)))
    kept.verified("backup-t")
    finding = kept.end()
    assert finding.verdict is (Verdict.FAIL if why else Verdict.PASS)
    assert finding.measured["newest_restorable_age_real_s"] == pytest.approx(7, abs=0.2)
    assert why in finding.why


def test_what_is_promised_fails_without_being_stated(record: Record) -> None:
    kept = Kept(record(), backup_t=TOKYO)
    kept.looks("backup-t", -5, 400, lambda at_s: max(1.0, at_s - 20))
    kept.verified("backup-t")
    finding = kept.end(until_s=400)
    assert finding.verdict is Verdict.FAIL
    assert "Age of the newest restorable instant, in real time: 379" in finding.why


def test_the_best_of_several_nodes_counts(record: Record) -> None:
    kept = Kept(record(), backup_t=TOKYO, backup_v=VIRGINIA)
    kept.looks("backup-t", -5, 60, lambda at_s: 1 + max(0.0, at_s - 20))
    kept.looks("backup-v", -5, 60)
    kept.verified("backup-t")
    kept.verified("backup-v")
    assert kept.end().verdict is Verdict.PASS


def test_nothing_grows_old_while_nothing_is_acknowledged(record: Record) -> None:
    """A failover of half a minute: there is nothing that could be lost meanwhile."""
    kept = Kept(record(), backup_t=TOKYO)
    kept.looks("backup-t", -5, 20)
    kept.looks("backup-t", 20, 51, lambda at_s: at_s - 20)
    kept.looks("backup-t", 51, 60)
    kept.verified("backup-t")
    kept.run.answer(9000, 1, 50.0)
    finding = kept.end(writes_until_s=20)
    assert finding.verdict is Verdict.PASS
    assert finding.measured["newest_restorable_age_real_s"] == pytest.approx(1, abs=0.1)


def test_a_node_that_does_not_answer_keeps_what_it_had(record: Record) -> None:
    kept = Kept(record(), backup_t=TOKYO)
    kept.looks("backup-t", -5, 30)
    kept.silent("backup-t", 30, 60)
    kept.verified("backup-t")
    finding = kept.end()
    assert finding.measured["newest_restorable_age_real_s"] == pytest.approx(31, abs=1)


def test_a_node_that_is_lost_with_its_region_does_not_count_until_it_is_back(record: Record) -> None:
    kept = Kept(record(), backup_t=TOKYO, backup_v=VIRGINIA)
    kept.looks("backup-t", -5, 30)
    kept.silent("backup-t", 30, 45)
    kept.looks("backup-t", 45, 60)
    kept.looks("backup-v", -5, 60, lambda at_s: 20 if 20 < at_s < 50 else 1)
    kept.verified("backup-t")
    kept.verified("backup-v")
    kept.run.event(30, "fault.injecting", fault="1-lose", verb="lose", target="tokyo", nodes=["backup-t"])
    kept.run.event(30.1, "fault.injected", fault="1-lose")
    kept.run.event(45, "fault.undone", fault="1-lose")
    finding = kept.end()
    assert finding.measured["newest_restorable_age_real_s"] == pytest.approx(20, abs=0.6)


def test_a_node_in_the_region_that_took_over_does_not_count_beside_one_elsewhere(record: Record) -> None:
    kept = Kept(record(), backup_t=TOKYO, backup_v=VIRGINIA)
    kept.place("database-t", "database", "tokyo.a", None)
    kept.looks("backup-t", -5, 60)
    kept.looks("backup-v", -5, 60, lambda at_s: 1 + max(0.0, at_s - 40))
    kept.verified("backup-t")
    kept.verified("backup-v")
    kept.run.database(40.0, "database-t", "primary", wrote=True, timeline=2)
    finding = kept.end()
    assert finding.measured["newest_restorable_age_real_s"] == pytest.approx(20.5, abs=0.6)
    assert finding.measured["no_backup_elsewhere_s"] == 0


def test_where_no_other_is_left_the_one_beside_the_database_counts_and_that_is_told(record: Record) -> None:
    kept = Kept(record(), backup_t=TOKYO, backup_v=VIRGINIA)
    kept.place("database-t", "database", "tokyo.a", None)
    kept.looks("backup-t", -5, 60)
    kept.looks("backup-v", -5, 30)
    kept.silent("backup-v", 30, 60)
    kept.verified("backup-t")
    kept.verified("backup-v")
    kept.run.event(30, "fault.injecting", fault="1-lose", verb="lose", target="virginia", nodes=["backup-v"])
    kept.run.database(40.0, "database-t", "primary", wrote=True, timeline=2)
    finding = kept.end()
    assert finding.measured["newest_restorable_age_real_s"] == pytest.approx(1, abs=0.1)
    assert finding.measured["no_backup_elsewhere_s"] == pytest.approx(20, abs=1)


def test_a_hole_in_the_archive_fails(record: Record) -> None:
    kept = Kept(record(), backup_t=TOKYO)
    kept.looks("backup-t", -5, 60, holes=["000000010000000000000007"])
    kept.verified("backup-t", why="the replay ended at 0/1C00000: there is a hole in it")
    finding = kept.end()
    assert finding.verdict is Verdict.FAIL
    assert (finding.measured["holes"], finding.measured["unrestorable"]) == (1, 1)
    assert {"what": "hole", "node": "backup-t", "segment": "000000010000000000000007"} in finding.evidence


@pytest.mark.parametrize(("number", "verdict"), [(9, Verdict.FAIL), (10, Verdict.PASS), (11, Verdict.FAIL)])
def test_exactly_ten_generations_are_kept(record: Record, number: int, verdict: Verdict) -> None:
    kept = Kept(record(), backup_t=TOKYO)
    made = [f"{day:02}" for day in range(1, 13)]
    for at_s in range(-5, 60, 5):
        until = min(len(made), 5 + (at_s + 5) // 5)
        kept.looks("backup-t", at_s, at_s + 5, generations=made[max(0, until - number) : until])
    kept.verified("backup-t")
    finding = kept.end()
    assert finding.verdict is verdict, finding.why
    if verdict is Verdict.FAIL:
        assert f"Backup-t kept {number} generations, expected exactly 10" in finding.why


def test_a_generation_that_vanished_fails(record: Record) -> None:
    kept = Kept(record(), backup_t=TOKYO)
    kept.looks("backup-t", -5, 30, generations=["1", "2"])
    kept.looks("backup-t", 30, 60, generations=["2"])
    kept.verified("backup-t")
    assert "kept 1 generations, expected exactly 2" in kept.end().why


def test_a_wiped_archive_is_allowed_to_begin_anew_while_another_has_all(record: Record) -> None:
    kept = Kept(record(), backup_t=TOKYO, backup_v=VIRGINIA)
    kept.looks("backup-t", -5, 30, generations=["1", "2"])
    kept.looks("backup-v", -5, 60)
    kept.verified("backup-t", "3")
    kept.verified("backup-v")
    kept.run.event(30, "fault.injecting", fault="1-erase", verb="erase", target="x", nodes=["backup-t"])
    kept.run.event(30.1, "fault.injected", fault="1-erase")
    kept.run.event(30.2, "fault.proven", fault="1-erase", effect="proven", proof="it is empty")
    kept.looks("backup-t", 31, 60, generations=["3"])
    finding = kept.end()
    assert finding.verdict is Verdict.PASS, finding.why


@pytest.mark.parametrize(
    ("where", "shared"),
    [
        (("tokyo.a", "disk-a"), "enclosure disk-a"),
        (("singapore.a", None), "zone singapore.a"),
        (("singapore.b", None), "region singapore"),
    ],
)
def test_a_backup_that_is_lost_with_its_database_fails(
    record: Record, where: tuple[str, str | None], shared: str
) -> None:
    kept = Kept(record(), backup_t=where)
    kept.looks("backup-t", -5, 60)
    kept.verified("backup-t")
    finding = kept.end()
    assert finding.verdict is Verdict.FAIL
    assert f"database-a shares {shared} with every backup" in finding.why


def test_generations_that_nobody_tried_prove_nothing(record: Record) -> None:
    kept = Kept(record(), backup_t=TOKYO)
    kept.looks("backup-t", -5, 60)
    finding = kept.end()
    assert finding.verdict is Verdict.UNKNOWN
    assert "no generation of backup-t was tried." in finding.why


def test_why_nobody_could_try_them_is_said(record: Record) -> None:
    kept = Kept(record(), backup_t=TOKYO)
    kept.looks("backup-t", -5, 60)
    said = "Traceback (most recent call last):\n  File …\nOSError: no space left\n"
    kept.run.event(60, "readback.failed", what="backups/backup-t", tried=[said])
    assert "no generation of backup-t was tried (OSError: no space left)" in kept.end().why


def test_a_service_without_backup_nodes(record: Record) -> None:
    assert backups.check(record().end()).verdict is Verdict.PASS
    assert backups.check(record(backups={"generations": 1}).end()).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(("others", "verdict"), [({}, Verdict.PASS), ({"backup_u": TOKYO}, Verdict.FAIL)])
def test_a_region_that_takes_over_needs_a_backup_elsewhere_where_there_are_several(
    record: Record, others: dict[str, tuple[str, str | None]], verdict: Verdict
) -> None:
    kept = Kept(record(), backup_t=TOKYO, **others)
    kept.place("database-t", "database", "tokyo.a", None)
    for node in ("backup-t", *(name.replace("_", "-") for name in others)):
        kept.looks(node, -5, 60)
        kept.verified(node)
    kept.run.database(40.0, "database-t", "primary", wrote=True, timeline=2)
    assert kept.end().verdict is verdict
