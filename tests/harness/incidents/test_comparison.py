from __future__ import annotations

import json
from typing import Any

import pytest

from harness.checks.judge import Injected, Judgement
from harness.incidents.comparison import Comparison, compare
from harness.incidents.model import AS_HAPPENED, WITH_COUNTERMEASURES
from harness.rundir.verdict import Finding, Verdict
from tests.harness.incidents.outage import incident


def judgement(
    verdict: Verdict, effect: str = "proven", **checks: tuple[Verdict, dict[str, Any]]
) -> Judgement:
    findings = {
        name: Finding(each, f"{name} says so.", measured) for name, (each, measured) in checks.items()
    }
    fault = Injected("1-fail", "fail", "a", 10.0, effect, "")
    return Judgement("s", "s/1", 1, "local", verdict, f"it is {verdict}.", (fault,), findings)


def lost(vanished: int | None = 7, restored: float | None = 1000.0, **more: Any) -> Judgement:
    measured = {"vanished": vanished, "restored_drill_s": restored}
    return judgement(Verdict.FAIL, answers=(Verdict.PASS, {}), mail=(Verdict.FAIL, measured), **more)


def held(vanished: int | None = 0, restored: float | None = 100.0) -> Judgement:
    return judgement(
        Verdict.PASS,
        answers=(Verdict.PASS, {}),
        mail=(Verdict.PASS, {"vanished": vanished, "restored_drill_s": restored}),
    )


def compared(before: Judgement, after: Judgement) -> Comparison:
    return compare(incident(), {AS_HAPPENED: before, WITH_COUNTERMEASURES: after})


def test_it_passes_when_it_lost_what_was_lost_and_held_with_the_countermeasures() -> None:
    found = compared(lost(), held())
    assert (found.verdict, found.why) == (
        Verdict.PASS,
        "As it happened it lost what was lost; with the countermeasures it held.",
    )
    assert [each.times for each in found.differences] == [None, 10.0]
    told = json.loads(found.to_json())
    assert told["differences"][0]["as-happened"] == 7
    assert told["variants"]["as-happened"]["verdict"] == "pass"


@pytest.mark.parametrize(
    ("before", "after", "verdict", "says"),
    [
        (held(), held(), Verdict.FAIL, "as it happened: mail did not fail, and should have"),
        (lost(recovery=(Verdict.FAIL, {})), held(), Verdict.FAIL, "as it happened: recovery failed as well"),
        (lost(recovery=(Verdict.UNKNOWN, {})), held(), Verdict.UNKNOWN, "recovery could not be told"),
        (lost(effect="unproven"), held(), Verdict.UNKNOWN, "1-fail was not seen to take effect"),
        (lost(), lost(0, 100.0), Verdict.FAIL, "with the countermeasures: it is fail"),
        (
            lost(),
            held(vanished=1),
            Verdict.FAIL,
            "mails that vanished, with-countermeasures: 1, expected at most 0",
        ),
        (lost(vanished=0), held(), Verdict.FAIL, "mails that vanished, as-happened: 0, expected at least 1"),
        (lost(), held(vanished=None), Verdict.UNKNOWN, "with-countermeasures: could not be told"),
        (lost(restored=999.0), held(), Verdict.FAIL, "expected at least 10 times as much"),
        (lost(restored=None), held(), Verdict.UNKNOWN, "until all were back: could not be told of both"),
        (lost(restored=0.0), held(restored=0.0), Verdict.FAIL, "expected at least 10 times as much"),
    ],
)
def test_whatever_is_not_as_it_must_be_is_said(
    before: Judgement, after: Judgement, verdict: Verdict, says: str
) -> None:
    found = compared(before, after)
    assert found.verdict is verdict
    said = [*(why for _, why in found.variants.values()), *(each.says for each in found.differences)]
    assert any(says in each for each in said), said


def test_what_takes_no_time_with_the_countermeasures_is_any_number_of_times_sooner() -> None:
    assert compared(lost(), held(restored=0.0)).verdict is Verdict.PASS


def test_a_run_without_the_check_that_must_fail_is_no_proof() -> None:
    none = judgement(Verdict.FAIL, answers=(Verdict.PASS, {}))
    assert compared(none, held()).verdict is Verdict.UNKNOWN
