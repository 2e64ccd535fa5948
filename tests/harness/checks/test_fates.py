"""What became of each mail, against a reckoning that takes one mail at a time."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks import mail_detail
from harness.checks.fates import Fates
from harness.checks.ledger import ledger
from harness.checks.legs import HOSTED, NEVER, Leg, Mails
from harness.checks.waits import PLACES, backlogs, instants, over_time

MAILS, ADDRESSES = 4, 3
RESULTS = {
    "composed": ("queued", "sent"),
    "submitted": ("ok",),
    "relayed": ("ok", "deferred", "bounced"),
    "accepted": ("accepted", "deferred", "ok", "bounced", "discarded"),
    "redelivered": ("ok",),
    "stored": ("ok",),
    "noticed": ("ok", "lost"),
    "opened": ("notice", "by hand"),
}
NODES = 2
Row = tuple[int, int, str]  # mail, to, result; the rows of all legs happen one after the other


@st.composite
def journals(draw: st.DrawFn) -> dict[str, list[Row]]:
    """Any rows at all on every leg, but a mail is composed only once."""
    row = {leg: st.tuples(st.integers(0, MAILS - 1), st.integers(0, ADDRESSES - 1), st.sampled_from(results))
           for leg, results in RESULTS.items()}  # fmt: skip
    unique = st.lists(row["composed"], max_size=MAILS, unique_by=lambda each: each[0])
    return {"composed": draw(unique)} | {
        leg: draw(st.lists(row[leg], max_size=8)) for leg in list(RESULTS)[1:]
    }


def one_by_one(rows: dict[str, list[Row]], drained: bool) -> Counter[str]:
    said = {leg: {(mail, result) for mail, _, result in found} for leg, found in rows.items()}
    count: Counter[str] = Counter()
    for mail, to, result in rows["composed"]:
        copies = sum(1 for at, box, _ in rows["stored"] if at == mail and box == to)
        strays = sum(1 for at, box, _ in rows["stored"] if at == mail and box != to)
        count["duplicated"] += max(copies - 1, 0)
        count["misdelivered"] += strays
        if copies:
            count["stored"] += 1
        elif (mail, "bounced") in said["relayed"] | said["accepted"]:
            count["bounced"] += 1
        elif strays:
            count["astray"] += 1
        elif (mail, "ok") in said["relayed"] or any(at == mail for at, _ in said["accepted"]):
            over = {(mail, "ok"), (mail, "discarded")} & said["accepted"]
            held = (mail, "accepted") in said["accepted"] and not over
            count["queued" if held and not drained else "lost"] += 1
        else:
            submitted = any(at == mail for leg in ("submitted", "relayed") for at, _ in said[leg])
            gone = drained if submitted else result == "sent"
            count["lost" if gone else "queued"] += 1
    return count


def fates_of(rows: dict[str, list[Row]], drained: bool) -> Fates:
    ids = pa.array([f"mail {number}" for number in range(MAILS)])
    addresses = pa.array([f"{number}@{'ab'[number % 2]}.example" for number in range(ADDRESSES)])
    nodes = pa.array([f"node {number}" for number in range(NODES)])
    legs, began = {}, 0
    for leg, found in rows.items():
        legs[leg] = _leg(leg, found, began)
        began += len(found)
    hosted = {leg: legs.pop(leg) for leg in HOSTED}
    return Fates(Mails(legs, ids, addresses, nodes, hosted), drained)


def vectorised(rows: dict[str, list[Row]], drained: bool) -> Counter[str]:
    fates = fates_of(rows, drained)
    lost = sum(int(flags.sum()) for flags in fates.lost_at.values())
    return Counter(
        {
            "duplicated": int(np.maximum(fates.copies[fates.composed] - 1, 0).sum()),
            "misdelivered": int(fates.strays[fates.composed].sum()),
            "stored": int((fates.composed & (fates.copies > 0)).sum()),
            "bounced": int(fates.bounced.sum()),
            "astray": int(fates.astray.sum()),
            "lost": lost,
            "queued": int(fates.queued.sum()),
        }
    )


def _leg(name: str, rows: list[Row], began: int) -> Leg:
    return Leg(
        np.array([mail for mail, _, _ in rows], np.int64),
        np.array([to for _, to, _ in rows], np.int64),
        np.arange(began, began + len(rows), dtype=np.int64),
        {result: np.array([each == result for _, _, each in rows], np.bool_) for result in RESULTS[name]},
        np.arange(began, began + len(rows), dtype=np.int64) % NODES,
    )


@given(journals(), st.booleans())
def test_as_one_by_one(rows: dict[str, list[Row]], drained: bool) -> None:
    assert +vectorised(rows, drained) == +one_by_one(rows, drained)


@given(journals(), st.booleans())
def test_it_adds_up(rows: dict[str, list[Row]], drained: bool) -> None:
    count = vectorised(rows, drained)
    fates = ("stored", "bounced", "queued", "astray", "lost")
    assert sum(count[fate] for fate in fates) == len(rows["composed"])


@given(journals(), st.booleans())
def test_every_leg_adds_up(rows: dict[str, list[Row]], drained: bool) -> None:
    accounts = mail_detail.accounts(fates_of(rows, drained))
    for leg, row in accounts.items():
        parts = ("on", "bounced", "waiting", "lost", "misdelivered", "rests")
        assert row["came"] == sum(int(str(row[part])) for part in parts), leg
    assert accounts["composed"]["came"] == len(rows["composed"])
    for leg, onward in (("composed", "submitted"), ("submitted", "relayed"), ("relayed", "stored")):
        assert accounts[leg]["on"] == accounts[onward]["came"]


@given(journals(), st.booleans())
def test_nobody_is_counted_twice_on_a_leg(rows: dict[str, list[Row]], drained: bool) -> None:
    for leg, account in ledger(fates_of(rows, drained)).items():
        fates = [flags for name, flags in vars(account).items() if name != "came"]
        assert (np.sum(fates, axis=0) == account.came).all(), leg


@given(journals(), st.booleans())
def test_domains_and_all_together_tell_the_same(rows: dict[str, list[Row]], drained: bool) -> None:
    fates = fates_of(rows, drained)
    late = fates.late(2, 20)
    domains = mail_detail.domains(fates, late, 1.0)
    wanted = {"composed": fates.composed, "stored": fates.stored, "lost": fates.lost, "late": late}
    for name, flags in wanted.items():
        assert sum(int(str(row[name])) for row in domains.values()) == int(flags.sum()), name


@given(journals(), st.booleans())
def test_a_mail_was_last_seen_in_its_latest_row(rows: dict[str, list[Row]], drained: bool) -> None:
    fates = fates_of(rows, drained)
    at = 0
    latest: dict[int, tuple[str, int, str]] = {}
    for leg, found in rows.items():
        for mail, _, result in found:
            latest[mail] = (leg, at, result)
            at += 1
    for mail in range(MAILS):
        if mail not in latest:
            with pytest.raises(KeyError):
                fates.last_seen(mail)
            continue
        seen = fates.last_seen(mail)
        assert (seen.leg, seen.at_ns, seen.result) == latest[mail]
        assert seen.node == f"node {latest[mail][1] % NODES}"


@given(journals(), st.booleans(), st.integers(0, 25))
def test_what_is_late(rows: dict[str, list[Row]], drained: bool, within_ns: int) -> None:
    fates, ended_ns = fates_of(rows, drained), 40
    late = fates.late(within_ns, ended_ns)
    for mail in range(MAILS):
        if not fates.composed[mail] or fates.lost[mail]:
            assert not late[mail]
            continue
        out_ns = min(int(fates.out_ns[mail]), ended_ns)
        assert late[mail] == (out_ns - int(fates.composed_ns[mail]) > within_ns)


@given(journals(), st.booleans())
def test_the_backlog_is_what_came_and_did_not_go(rows: dict[str, list[Row]], drained: bool) -> None:
    fates = fates_of(rows, drained)
    at = instants(fates)
    for place, found in backlogs(fates, at):
        came, went = (at[name].tolist() for name in PLACES[place])
        times = sorted({t for t in (*came, *went) if t < NEVER})
        waiting = [sum(t0 <= t < t1 for t0, t1 in zip(came, went, strict=True)) for t in times]
        assert found.peak == max(waiting, default=0), place
        if found.peak:
            assert found.peak_ns == times[waiting.index(found.peak)]
        assert found.left == sum(t0 < NEVER and t1 == NEVER for t0, t1 in zip(came, went, strict=True))


@given(journals(), st.booleans(), st.lists(st.integers(-1, 60), min_size=1, max_size=8))
def test_the_backlog_over_time(rows: dict[str, list[Row]], drained: bool, looks: list[int]) -> None:
    fates = fates_of(rows, drained)
    at, looks_ns = instants(fates), np.array(sorted(looks), np.int64)
    for place, found in over_time(fates, at, looks_ns).items():
        came, went = (at[name].tolist() for name in PLACES[place])
        waiting = [sum(t0 <= look < t1 for t0, t1 in zip(came, went, strict=True)) for look in sorted(looks)]
        assert found.tolist() == waiting, place


@given(journals(), st.booleans())
def test_the_backlogs_of_all_domains_are_that_of_the_whole(rows: dict[str, list[Row]], drained: bool) -> None:
    fates = fates_of(rows, drained)
    found = mail_detail.waiting(fates, lambda at_ns: at_ns / 1e9)
    if not fates.composed.any():
        assert found == {}
        return
    places, domains = found["places"], found["domains"]
    assert isinstance(places, dict)
    assert isinstance(domains, dict)
    whole = np.sum([each for name, each in places.items() if name != "push"], axis=0)
    assert np.sum(list(domains.values()), axis=0).tolist() == whole.tolist()


@given(journals(), st.booleans())
def test_what_was_found_by_hand_was_opened(rows: dict[str, list[Row]], drained: bool) -> None:
    fates = fates_of(rows, drained)
    assert not (fates.by_hand & ~fates.opened).any()
