"""What became of each mail, against a reckoning that takes one mail at a time."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.fates import Fates
from harness.checks.legs import Leg, Mails

MAILS, ADDRESSES = 4, 3
RESULTS = {
    "composed": ("queued", "sent"),
    "submitted": ("ok",),
    "relayed": ("ok", "deferred", "bounced"),
    "stored": ("ok",),
}
Row = tuple[int, int, str]  # mail, to, result


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
        elif (mail, "bounced") in said["relayed"]:
            count["bounced"] += 1
        elif strays:
            count["astray"] += 1
        elif (mail, "ok") in said["relayed"]:
            count["lost"] += 1
        else:
            submitted = (mail, "ok") in said["submitted"]
            gone = drained if submitted else result == "sent"
            count["lost" if gone else "queued"] += 1
    return count


def vectorised(rows: dict[str, list[Row]], drained: bool) -> Counter[str]:
    ids = pa.array([f"mail {number}" for number in range(MAILS)])
    addresses = pa.array([f"address {number}" for number in range(ADDRESSES)])
    fates = Fates(Mails({leg: _leg(leg, found) for leg, found in rows.items()}, ids, addresses), drained)
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


def _leg(name: str, rows: list[Row]) -> Leg:
    return Leg(
        np.array([mail for mail, _, _ in rows], np.int64),
        np.array([to for _, to, _ in rows], np.int64),
        np.arange(len(rows), dtype=np.int64),
        {result: np.array([each == result for _, _, each in rows], np.bool_) for result in RESULTS[name]},
    )


@given(journals(), st.booleans())
def test_as_one_by_one(rows: dict[str, list[Row]], drained: bool) -> None:
    assert +vectorised(rows, drained) == +one_by_one(rows, drained)


@given(journals(), st.booleans())
def test_it_adds_up(rows: dict[str, list[Row]], drained: bool) -> None:
    count = vectorised(rows, drained)
    fates = ("stored", "bounced", "queued", "astray", "lost")
    assert sum(count[fate] for fate in fates) == len(rows["composed"])
