"""The harness's reckoning of what is due, and the service's own: both follow one rule, and neither knows the other."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks.due import Due, due
from harness.checks.telegrams import Company, Telegram
from topology.service.report import Report
from topology.service.rules import Rule, matches
from topology.service.situation import situation
from topology.service.telegram import parse
from topology.world.telegrams import build

SECOND = 10**9
#: Telegrams are handed over at full tens of seconds, so that no hold ends near one.
HOLD_NS = 25 * SECOND
BEGAN = datetime(2026, 1, 15, 5, 46, tzinfo=UTC)
EVENT = "20260115144640"
WORDS = {
    "VXSE51": (["350", "351", "360"], ["4", "5-", "6+", "7"]),
    "VXSE53": (["350", "351", "360"], ["4", "5-", "6+", "7"]),
    "VTSE41": (["310", "330"], ["53", "52", "51", "62", "71"]),
    "VPWW54": (["140000", "220000"], ["33", "38", "03", "16"]),
}


@dataclass(frozen=True)
class Said:
    """One telegram: when the agency says that it said it, and when it arrives, in seconds."""

    kind: str
    areas: dict[str, str]
    info: str
    status: str
    serial: int
    reported_s: int
    arrives_s: int

    def as_planned(self) -> Telegram:
        at = BEGAN + timedelta(seconds=self.reported_s)
        return Telegram(
            self.arrives_s * SECOND,
            EVENT,
            self.kind,
            self.info,
            self.status,
            self.areas,
            at.timestamp(),
            self.serial,
        )

    def as_received(self, number: int) -> Report:
        """As the service reads it from the agency's own XML."""
        xml = build(
            self.kind,
            EVENT,
            self.areas,
            reported=BEGAN + timedelta(seconds=self.reported_s),
            info=self.info,
            status=self.status,
            serial=self.serial or None,
        )
        return Report(number, parse(xml), self.arrives_s * SECOND)


@st.composite
def sequences(draw: st.DrawFn) -> list[Said]:
    """Some telegrams of one kind or two, the more so of the same areas, in the order of their arrival."""
    kinds = draw(st.lists(st.sampled_from(list(WORDS)), min_size=1, max_size=2))
    arrivals = sorted(draw(st.sets(st.integers(0, 12), min_size=1, max_size=6)))
    return [draw(said(kinds, arrival * 10)) for arrival in arrivals]


@st.composite
def said(draw: st.DrawFn, kinds: list[str], arrives_s: int) -> Said:
    kind = draw(st.sampled_from(kinds))
    areas, words = WORDS[kind]
    info = draw(st.sampled_from(["発表", "発表", "訂正", "取消"]))
    least = 0 if info == "取消" else 1
    return Said(
        kind,
        draw(st.dictionaries(st.sampled_from(areas), st.sampled_from(words), min_size=least, max_size=2)),
        info,
        draw(st.sampled_from(["通常"] * 8 + ["訓練", "試験"])),
        draw(st.integers(0, 3)),
        draw(st.integers(0, 2)) * 60,
        arrives_s,
    )


def rule(*areas: str, least: str = "7", tsunami: bool = False, special: bool = False) -> Rule:
    return Rule(frozenset(areas), least, tsunami, special)


#: Each sees another difference between what stands and what does not.
COMPANIES = [
    rule(least="4"),
    rule("350", least="5-"),
    rule("351", "330", least="4"),
    rule("360", least="6+"),
    rule(tsunami=True),
    rule("999", special=True),
    replace(rule(tsunami=True, special=True), coasts=frozenset({"310"}), prefectures=frozenset({"220000"})),
    replace(rule(tsunami=True, special=True), coasts=frozenset({"330"}), prefectures=frozenset({"999999"})),
    rule(),
]


def told(reports: list[Report]) -> dict[int, int]:
    """Company -> when a service without delays tells it, by the service's own rule."""
    found: dict[int, int] = {}
    for known in range(1, len(reports) + 1):
        now = situation(reports[:known])
        if now.since_ns is None:
            continue
        at_ns = max(now.since_ns + HOLD_NS, reports[known - 1].received_at_ns)
        if known < len(reports) and at_ns >= reports[known].received_at_ns:
            continue
        for number, rule in enumerate(COMPANIES):
            if matches(rule, now.areas, now.warned):
                found.setdefault(number, at_ns)
    return found


@settings(max_examples=400)
@given(sequences())
def test_the_service_and_the_check_agree_on_whom_to_tell_and_when(sequence: list[Said]) -> None:
    service = told([each.as_received(number) for number, each in enumerate(sequence, 1)])
    customers = [Company(number, 1, **asdict(rule)) for number, rule in enumerate(COMPANIES)]
    reckoned = due([each.as_planned() for each in sequence], customers, {}, HOLD_NS)
    none = Due(EVENT, 0, {}, frozenset(), cancelled=False)
    (ours,) = reckoned or [none]
    assert set(service) == set(ours.companies) == ours.owed
    for company, at_ns in service.items():
        assert 0 <= at_ns - ours.companies[company] <= SECOND


def test_the_agencys_clock_decides_what_is_taken_back_and_not_the_order_of_arrival() -> None:
    everyone = [Company(1, 1, frozenset(), "4", tsunami=True, special=True)]
    issued = Said("VXSE51", {"350": "7"}, "発表", "通常", 1, 0, 10)
    taken_back = Said("VXSE51", {}, "取消", "通常", 2, 60, 0)
    (ours,) = due([taken_back.as_planned(), issued.as_planned()], everyone, {}, HOLD_NS)
    assert (ours.companies, ours.cancelled) == ({}, True)
