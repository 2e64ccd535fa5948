"""Mails to hosted mailboxes: accepted, thrown away or delivered, brought back from the archive."""

from __future__ import annotations

from collections.abc import Callable

from harness.checks import mail
from harness.checks.recording import Recording
from harness.rundir.verdict import Verdict
from tests.harness.checks.recorded import Recorded

Record = Callable[..., Recorded]
STRICT = {"lost": 0, "vanished": 0, "misdelivered": 0, "duplicated": 0}


def name(person: int) -> str:
    return f"1.{person}.1@anpi.example"


def to(person: int) -> str:
    return f"p{person}@hosting.example"


def relayed(run: Recorded, person: int, at_s: float = 10.0) -> None:
    """A mail that hosted mail has said 250 to."""
    for number, (leg, result) in enumerate([("composed", "sent"), ("submitted", "ok"), ("relayed", "ok")]):
        run.mail(leg, name(person), to(person), at_s + number / 10, result)
    run.mail("accepted", name(person), to(person), at_s + 0.2, "accepted")


def delivered(run: Recorded, person: int, at_s: float = 10.0) -> None:
    relayed(run, person, at_s)
    run.mail("accepted", name(person), to(person), at_s + 0.3, "ok")
    run.mail("stored", name(person), to(person), at_s + 0.3)


def discarded(run: Recorded, person: int, at_s: float = 10.0) -> None:
    relayed(run, person, at_s)
    run.mail("accepted", name(person), to(person), at_s + 0.3, "discarded")


def brought_back(run: Recorded, person: int, at_s: float, later_s: float) -> None:
    discarded(run, person, at_s)
    run.mail("redelivered", name(person), to(person), later_s)
    run.mail("stored", name(person), to(person), later_s)


def ended(run: Recorded, *, drained: bool = True) -> Recording:
    for leg in ("accepted", "redelivered"):
        run.event(102.0, "readback", what=f"mail/{leg}", rows=len(run._mail.setdefault(leg, [])))
    return run.end(drained=drained)


def test_a_mail_that_was_thrown_away_after_the_250_has_vanished_and_is_named(record: Record) -> None:
    run = record(mail=STRICT)
    delivered(run, 1)
    discarded(run, 2)
    finding = mail.check(ended(run))
    assert finding.verdict is Verdict.FAIL
    assert (finding.measured["lost"], finding.measured["vanished"], finding.measured["brought_back"]) == (
        1,
        1,
        0,
    )
    assert finding.evidence == (
        {
            "what": "lost before stored",
            "id": name(2),
            "composed_s": 10.0,
            "last_leg": "accepted",
            "node": "accepted",
            "said": "discarded",
            "last_s": 10.3,
        },
    )


def test_what_an_archive_brought_back_is_not_lost_but_had_vanished_and_is_named_where_it_did(
    record: Record,
) -> None:
    run = record(mail=STRICT)
    run.fault("1-fail", 8.0, 20.0)
    delivered(run, 1)
    for person in (2, 3):
        brought_back(run, person, 10.0, 90.0)
    finding = mail.check(ended(run))
    assert finding.verdict is Verdict.FAIL
    assert "vanished" in finding.why
    assert (finding.measured["lost"], finding.measured["vanished"], finding.measured["brought_back"]) == (
        0,
        2,
        2,
    )
    named = [row for row in finding.evidence if isinstance(row, dict) and "vanished" in str(row["what"])]
    assert [(row["id"], row["last_leg"], row["said"], row["last_s"]) for row in named] == [
        (name(2), "accepted", "discarded", 10.3),
        (name(3), "accepted", "discarded", 10.3),
    ]
    assert finding.measured["restored_drill_s"] == 82.0 * 60  # from the fault, at 60 drill seconds each


def test_a_redelivery_that_adds_a_mail_twice_is_counted(record: Record) -> None:
    run = record(mail=STRICT)
    delivered(run, 1)
    run.mail("redelivered", name(1), to(1), 90.0)
    run.mail("stored", name(1), to(1), 90.0)
    finding = mail.check(ended(run))
    assert finding.verdict is Verdict.FAIL
    assert finding.measured["duplicated"] == 1


def test_what_waits_where_mail_is_hosted_is_queued_until_the_queue_was_seen_empty(record: Record) -> None:
    for drained, queued, lost in ((False, 1, 0), (True, 0, 1)):
        run = record(mail=STRICT)
        delivered(run, 1)
        relayed(run, 2)
        run.mail("accepted", name(2), to(2), 10.5, "deferred")
        finding = mail.check(ended(run, drained=drained))
        assert (finding.measured["queued"], finding.measured["lost"]) == (queued, lost)
        assert finding.verdict is (Verdict.FAIL if drained else Verdict.UNKNOWN)


def test_a_mail_that_hosted_mail_gave_back_has_bounced(record: Record) -> None:
    run = record(mail=STRICT)
    relayed(run, 1)
    run.mail("accepted", name(1), to(1), 10.3, "bounced")
    finding = mail.check(ended(run))
    assert finding.verdict is Verdict.PASS
    assert (finding.measured["bounced"], finding.measured["lost"]) == (1, 0)


def test_nothing_late_means_nothing_had_to_be_restored(record: Record) -> None:
    run = record(mail=STRICT)
    run.fault("1-fail", 8.0, 20.0)
    delivered(run, 1)
    finding = mail.check(ended(run))
    assert (finding.verdict, finding.measured["restored_drill_s"]) == (Verdict.PASS, 0.0)
