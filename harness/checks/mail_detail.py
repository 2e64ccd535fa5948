"""The mails of a run in tables: leg by leg, domain by domain (a carrier's, a host's), node by node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from harness.checks.columns import Flags, Ints
from harness.checks.fates import Fates
from harness.checks.ledger import ledger
from harness.checks.legs import NEVER
from harness.checks.waits import backlogs, instants, over_time
from harness.rundir import Json

Table = dict[str, dict[str, Json]]

#: How often the backlog is looked at for its course over time.
MOST_LOOKS: Final = 400
SHORTEST_LOOK_NS: Final = 100_000_000


def accounts(fates: Fates) -> Table:
    """What became of all that came to each leg; see `ledger`."""
    recorded = {name: fates.mails.counts(leg) > 0 for name, leg in fates.mails.legs.items()}
    return {
        name: {
            **account.counted(),
            "unrecorded": int((account.came & ~recorded[name]).sum()) if name in recorded else None,
        }
        for name, account in ledger(fates).items()
    }


def legs(fates: Fates, scale: float, late_s: float) -> Table:
    """What each leg saw of the mails that were composed; times in drill seconds since then."""
    found: Table = {}
    before = fates.composed_ns
    for name, leg in fates.mails.legs.items():
        done = ~(leg.said("deferred") | leg.said("bounced") | leg.said("lost"))
        first = fates.mails.firsts(leg, done)
        there = fates.composed & (first < NEVER)
        took_s = (first - fates.composed_ns)[there] / 1e9 * scale
        rows = int(fates.composed[leg.mail[done]].sum())
        found[name] = {
            "mails": int(there.sum()),
            "lost": int(fates.lost_at[name].sum()) if name in fates.lost_at else 0,
            "duplicated": rows - int(there.sum()),
            "misdelivered": int((leg.to != fates.addressee[leg.mail])[fates.composed[leg.mail]].sum()),
            "late": int((took_s > late_s).sum()),
            "reordered": _reordered(fates.addressee, before, first, there & (before < NEVER)),
            "median_drill_s": _rounded(np.median(took_s)) if len(took_s) else None,
            "last_drill_s": _rounded(took_s.max()) if len(took_s) else None,
        }
        before = first
    return found


def domains(fates: Fates, late: Flags, scale: float) -> Table:
    """The mails by the domain of their addressees."""
    names, of = fates.mails.domain
    domain = np.where(fates.composed, of[fates.addressee] if len(of) else 0, len(names)).astype(np.int64)
    at = instants(fates)
    counted = {
        "composed": fates.composed,
        "stored": fates.stored,
        "bounced": fates.bounced,
        "queued": fates.queued,
        "lost": fates.lost,
        "vanished": fates.vanished,
        "misdelivered": fates.composed & (fates.strays > 0),
        "duplicated": fates.composed & (fates.copies > 1),
        "late": late,
        "unnoticed": fates.stored & ~fates.noticed,
        "opened": fates.opened,
    }
    by = {name: np.bincount(domain[flags], minlength=len(names) + 1) for name, flags in counted.items()}
    relayed = fates.mails.leg("relayed")
    tries = np.bincount(domain[relayed.mail[relayed.said("deferred")]], minlength=len(names) + 1)
    found: Table = {}
    for place in sorted(range(len(names)), key=lambda place: names[place]):
        mine = domain == place
        if not mine.any():
            continue
        peaks = {f"peak_{name}": log.peak for name, log in backlogs(fates, at, mine)}
        found[names[place]] = {
            **{name: int(counts[place]) for name, counts in by.items()},
            "deferred": int(tries[place]),
            "reordered": _reordered(fates.addressee, fates.composed_ns, at["stored"], mine & fates.stored),
            **_took(at["left"], fates.composed_ns, mine, scale),
            **peaks,
        }
    return found


def waiting(fates: Fates, at_s: Callable[[int], float]) -> Mapping[str, Json]:
    """The backlog over time: how many mails waited at each place, and on their way to each domain, at `at_s`.

    From the first mail until the last one that went on, at most `MOST_LOOKS` instants; none without mails.
    """
    at = instants(fates)
    since, until = _span(at)
    if since is None or until is None:
        return {}
    step_ns = max(SHORTEST_LOOK_NS, -(-(until - since) // MOST_LOOKS))
    looks_ns = np.arange(since, until + step_ns + 1, step_ns, dtype=np.int64)
    names, of = fates.mails.domain
    by_domain: dict[str, Json] = {}
    for place in sorted(range(len(names)), key=lambda place: names[place]):
        mine = fates.composed & (of[fates.addressee] == place)
        if mine.any():
            places = over_time(fates, at, looks_ns, mine)
            on_way = [each for name, each in places.items() if name != "push"]
            by_domain[names[place]] = np.sum(on_way, axis=0).tolist()
    return {
        "at_s": [at_s(int(look)) for look in looks_ns],
        "places": {name: each.tolist() for name, each in over_time(fates, at, looks_ns).items()},
        "domains": by_domain,
    }


def _span(at: Mapping[str, Ints]) -> tuple[int | None, int | None]:
    """When the first mail came, and when the last one went on."""
    seen = [instant[instant < NEVER] for instant in at.values()]
    some = [instant for instant in seen if len(instant)]
    if not some:
        return None, None
    return min(int(each.min()) for each in some), max(int(each.max()) for each in some)


def hosts(fates: Fates, at_s: Callable[[int], float]) -> Table:
    """What each node noted of the composed mails on each of its legs, and which lost ones it was the last to see."""
    mails = fates.mails
    found: Table = {}
    last_leg, last_row = fates.last
    for place_of_leg, (name, leg) in enumerate(mails.way.items()):
        ended = {
            fate: leg.node[last_row[flags & (last_leg == place_of_leg)]]
            for fate, flags in (("lost", fates.lost), ("queued", fates.queued))
        }
        own = fates.composed[leg.mail]
        for place in np.unique(leg.node[own]).tolist():
            rows = own & (leg.node == place)
            done = rows & ~(
                leg.said("deferred") | leg.said("bounced") | leg.said("lost") | leg.said("accepted")
            )
            different = int(np.count_nonzero(mails.counts(leg, done)))
            node = mails.nodes[place].as_py()
            found[f"{node}: {name}"] = {
                "leg": name,
                "mails": different,
                "duplicated": int(done.sum()) - different,
                "deferred": int((rows & leg.said("deferred")).sum()),
                "bounced": int((rows & leg.said("bounced")).sum()),
                "discarded": int((rows & leg.said("discarded")).sum()),
                **{fate: int((nodes == place).sum()) for fate, nodes in ended.items()},
                "first_s": at_s(int(leg.at_ns[rows].min())),
                "last_s": at_s(int(leg.at_ns[rows].max())),
            }
    return found


def _took(out_ns: Ints, composed_ns: Ints, mails: Flags, scale: float) -> dict[str, Json]:
    """From the broadcast until a mail was out, drill seconds."""
    there = mails & (out_ns < NEVER)
    took_s = (out_ns[there] - composed_ns[there]) / 1e9 * scale
    return {
        "median_drill_s": _rounded(np.median(took_s)) if len(took_s) else None,
        "last_drill_s": _rounded(took_s.max()) if len(took_s) else None,
    }


def _reordered(addressee: Ints, before: Ints, now: Ints, mails: Flags) -> int:
    """Mails that reached this leg right after one to the same person which had been behind them."""
    to, was, at = addressee[mails], before[mails], now[mails]
    order = np.lexsort((was, at, to))
    return int(np.count_nonzero((np.diff(to[order]) == 0) & (np.diff(was[order]) < 0)))


def _rounded(value: float) -> float:
    return round(float(value), 1)
