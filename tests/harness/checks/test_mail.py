"""Mail, leg by leg."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from harness.checks import mail
from harness.rundir import Json
from harness.rundir.verdict import Verdict
from tests.harness.checks.recorded import Recorded, ns

Record = Callable[..., Recorded]
LEGS = ("composed", "submitted", "relayed", "stored", "noticed")


def name(person: int) -> str:
    return f"1.{person}.1@anpi.example"


def sent(run: Recorded, person: int, at_s: float = 10.0, until: str = "noticed") -> None:
    """A mail that went its way, one tenth of a second a leg, up to and including `until`."""
    for number, leg in enumerate(LEGS[: LEGS.index(until) + 1]):
        result = "sent" if leg == "composed" else "ok"
        run.mail(leg, name(person), f"p{person}@au.example", at_s + number / 10, result)


def test_every_mail_arrives(record: Record) -> None:
    run = record(mail={"lost": 0, "misdelivered": 0, "duplicated": 0, "all_out_within": 1800.0})
    for person in (1, 2, 3):
        sent(run, person, at_s=10.0 + person)
    finding = mail.check(run.end())
    assert finding.verdict is Verdict.PASS
    assert (finding.measured["composed"], finding.measured["stored"]) == (3, 3)
    assert (
        finding.measured["all_out_drill_s"] == 12.0
    )  # 0.2 s from composed to relayed, at 60 drill seconds each
    assert finding.why == "Of 3 mails 3 are in their addressees' mailboxes, none is lost."


@pytest.mark.parametrize(
    ("last", "lost_at"), [("composed", "submitted"), ("submitted", "relayed"), ("relayed", "stored")]
)
def test_a_mail_that_vanished_is_lost_where_it_should_have_been_next(
    record: Record, last: str, lost_at: str
) -> None:
    run = record()
    sent(run, 1)
    sent(run, 2, until=last)
    finding = mail.check(run.end())
    assert finding.verdict is Verdict.FAIL
    assert finding.measured["lost"] == 1
    legs = finding.detail["legs"]
    assert isinstance(legs, dict)
    assert {leg for leg, row in legs.items() if isinstance(row, dict) and row["lost"]} == {lost_at}
    assert finding.measured["vanished"] == (0 if lost_at == "submitted" else 1)
    at_s = 10.0 + LEGS.index(last) / 10
    assert finding.evidence == (
        {
            "what": f"lost before {lost_at}",
            "id": name(2),
            "composed_s": 10.0,
            "last_leg": last,
            "node": last,
            "said": "sent" if last == "composed" else "ok",
            "last_s": at_s,
        },
    )


def test_what_still_waits_in_the_outbox_is_not_lost(record: Record) -> None:
    run = record()
    sent(run, 1)
    run.mail("composed", name(2), "p2@au.example", 10.0, "queued")
    finding = mail.check(run.end())
    assert (finding.measured["queued"], finding.measured["lost"]) == (1, 0)
    assert finding.verdict is Verdict.PASS


def test_what_a_queue_may_still_hold_is_unknown(record: Record) -> None:
    run = record()
    sent(run, 1)
    sent(run, 2, until="submitted")
    run.mail("relayed", name(2), "p2@au.example", 10.2, "deferred")
    finding = mail.check(run.end(drained=False))
    assert (finding.measured["queued"], finding.measured["lost"]) == (1, 0)
    assert finding.verdict is Verdict.UNKNOWN


def test_a_bounced_mail_did_not_vanish(record: Record) -> None:
    run = record()
    sent(run, 1, until="submitted")
    run.mail("relayed", name(1), "p1@au.example", 10.2, "bounced")
    finding = mail.check(run.end())
    assert (finding.measured["bounced"], finding.measured["lost"]) == (1, 0)
    assert finding.verdict is Verdict.PASS


def test_every_mail_that_its_addressee_never_gets_is_named(record: Record) -> None:
    run = record()
    many = mail.MOST_EVIDENCE + 20
    for person in range(1, many + 1):
        sent(run, person, until="submitted")
        run.mail("relayed", name(person), f"p{person}@au.example", 10.2, "bounced")
    for person in range(many + 1, 2 * many + 1):
        sent(run, person, until="relayed")
        run.mail("stored", name(person), "p0@au.example", 10.4)
    evidence = [row for row in mail.check(run.end()).evidence if isinstance(row, dict)]
    assert Counter(row["what"] for row in evidence) == {"bounced": many, "misdelivered": many}
    assert len({row["id"] for row in evidence}) == 2 * many


def test_a_mail_in_somebody_elses_mailbox_is_misdelivered(record: Record) -> None:
    """Two people's addresses were swapped."""
    run = record()
    for person, mailbox in ((1, 2), (2, 1)):
        sent(run, person, until="relayed")
        run.mail("stored", name(person), f"p{mailbox}@au.example", 10.4)
    finding = mail.check(run.end())
    assert (finding.measured["misdelivered"], finding.measured["lost"]) == (2, 0)
    assert finding.verdict is Verdict.FAIL


def test_a_mail_stored_twice_is_duplicated(record: Record) -> None:
    run = record(mail={"duplicated": 0})
    sent(run, 1)
    run.mail("stored", name(1), "p1@au.example", 12.0)
    finding = mail.check(run.end())
    assert finding.measured["duplicated"] == 1
    assert finding.verdict is Verdict.FAIL


def test_a_mail_that_nobody_composed(record: Record) -> None:
    run = record()
    sent(run, 1)
    run.mail("stored", name(7), "p7@au.example", 12.0)
    finding = mail.check(run.end())
    assert finding.measured["uncomposed"] == 1
    assert finding.verdict is Verdict.FAIL


def test_the_probes_own_mails_are_left_out(record: Record) -> None:
    run = record()
    sent(run, 1)
    run.mail("submitted", "probe-au-1@anpi.example", "probe-au@au.example", 12.0)
    run.mail("stored", "probe-au-2@anpi.example", "probe-au@au.example", 12.0)
    finding = mail.check(run.end())
    assert finding.verdict is Verdict.PASS
    assert finding.measured["composed"] == 1


def test_a_mail_a_broadcast_promised_and_nobody_composed_is_lost(record: Record) -> None:
    run = record()
    sent(run, 1)
    rows: dict[str, Json] = {
        "broadcast": 1,
        "event": "e",
        "company": 1,
        "at_ns": ns(10.0),
        "people": 2,
        "standing": False,
    }
    run.final("broadcasts", rows, {**rows, "people": 96, "standing": True})
    assert mail.check(run.end()).measured["lost"] == 1


def test_mail_that_gets_out_late(record: Record) -> None:
    run = record(mail={"all_out_within": 600.0})
    sent(run, 1)
    sent(run, 2, until="submitted")
    for leg, at_s in (("relayed", 30.0), ("stored", 30.1), ("noticed", 30.2)):
        run.mail(leg, name(2), "p2@au.example", at_s)
    finding = mail.check(run.end())
    assert finding.verdict is Verdict.FAIL
    assert finding.measured["late"] == 1
    assert finding.why == (
        "From the broadcast until all mail was out: 20.0 min of drill time, "
        "expected at most 10.0 min of drill time."
    )


@pytest.mark.parametrize(("within_s", "verdict"), [(600.0, Verdict.FAIL), (360_000.0, Verdict.UNKNOWN)])
def test_mail_that_never_got_out(record: Record, within_s: float, verdict: Verdict) -> None:
    run = record(mail={"all_out_within": within_s})
    run.mail("composed", name(1), "p1@au.example", 10.0, "queued")
    assert mail.check(run.end()).verdict is verdict


def test_every_lost_mail_is_named_however_many(record: Record) -> None:
    run = record()
    for person in range(300):
        sent(run, person, until="relayed")
    finding = mail.check(run.end())
    named = {row["id"] for row in finding.evidence if isinstance(row, dict)}
    assert named == {name(person) for person in range(300)}


def test_what_came_in_time_and_what_still_waits_past_the_deadline(record: Record) -> None:
    run = record(mail={"late": 0})
    sent(run, 1)
    run.mail("composed", name(2), "p2@au.example", 10.0, "queued")
    finding = mail.check(run.end(at_s=10.0 + 31 * 60 / 60))
    assert finding.measured["late"] == 1
    assert finding.verdict is Verdict.FAIL
    assert ["late", "composed"] in [
        [row["what"], row["last_leg"]] for row in finding.evidence if isinstance(row, dict)
    ]


def test_tables_by_domain_and_by_node(record: Record) -> None:
    run = record()
    sent(run, 1)
    sent(run, 2, until="submitted")
    run.mail("relayed", name(2), "p2@au.example", 10.2, "deferred")
    run.mail("relayed", name(2), "p2@au.example", 20.0, "deferred")
    for leg, result in (("composed", "sent"), ("submitted", "ok"), ("relayed", "bounced")):
        run.mail(leg, name(3), "p3@free.example", 11.0, result)
    finding = mail.check(run.end())
    domains, hosts = finding.detail["domains"], finding.detail["hosts"]
    assert isinstance(domains, dict)
    assert isinstance(hosts, dict)
    au, free = domains["au.example"], domains["free.example"]
    assert isinstance(au, dict)
    assert isinstance(free, dict)
    assert (au["composed"], au["stored"], au["lost"], au["vanished"], au["deferred"]) == (2, 1, 1, 1, 2)
    assert (free["bounced"], free["lost"], free["peak_provider"]) == (1, 0, 0)
    relayed = hosts["relayed: relayed"]
    assert isinstance(relayed, dict)
    assert (relayed["mails"], relayed["deferred"], relayed["bounced"], relayed["lost"]) == (1, 2, 1, 1)


def test_a_notice_that_the_push_dropped_is_none(record: Record) -> None:
    run = record(mail={"unnoticed": 0})
    sent(run, 1, until="stored")
    run.mail("noticed", name(1), "p1@au.example", 10.5, "lost")
    finding = mail.check(run.end())
    assert finding.measured["unnoticed"] == 1
    assert finding.verdict is Verdict.FAIL


def test_mails_to_one_person_that_overtook_each_other(record: Record) -> None:
    run = record(mail={"reordered": 0})
    for broadcast, composed_s, stored_s in ((1, 10.0, 15.0), (2, 11.0, 14.0), (3, 12.0, 16.0)):
        number = f"{broadcast}.1.1@anpi.example"
        for leg, at_s in zip(
            LEGS, (composed_s, composed_s + 0.1, composed_s + 0.2, stored_s, stored_s), strict=True
        ):
            run.mail(leg, number, "p1@au.example", at_s, "sent" if leg == "composed" else "ok")
    finding = mail.check(run.end())
    assert finding.measured["reordered"] == 1
    assert finding.verdict is Verdict.FAIL


@pytest.mark.parametrize(("how", "verdict"), [("by hand", Verdict.PASS), ("notice", Verdict.FAIL)])
def test_mails_that_people_found_by_hand(record: Record, how: str, verdict: Verdict) -> None:
    run = record(mail={"by_hand": 1})
    sent(run, 1, until="stored")
    run.mail("opened", name(1), "p1@au.example", 20.0, how)
    finding = mail.check(run.end())
    assert (finding.measured["opened"], finding.measured["by_hand"]) == (1, int(how == "by hand"))
    assert finding.verdict is verdict


@pytest.mark.parametrize(("deferred", "others_s"), [("p2", 12.0), ("p1", 360.0), (None, 360.0)])
def test_who_puts_nothing_off_need_not_wait_for_who_does(
    record: Record, deferred: str | None, others_s: float
) -> None:
    """Two hosts; the mail to the second is out after six minutes of drill time."""
    run = record(mail={"others_out_within": 60.0})
    hosts = {"p1": "a.example", "p2": "b.example"}
    for number, (person, host) in enumerate(hosts.items(), 1):
        to, out_s = f"{person}@{host}", 10.2 if person == "p1" else 16.0
        run.mail("composed", name(number), to, 10.0, "sent")
        run.mail("submitted", name(number), to, 10.1)
        if person == deferred:
            run.mail("relayed", name(number), to, 10.15, "deferred")
        run.mail("relayed", name(number), to, out_s)
        run.mail("stored", name(number), to, out_s + 0.1)
    finding = mail.check(run.end())
    assert finding.measured["others_out_drill_s"] == others_s
    assert finding.verdict is (Verdict.PASS if others_s <= 60 else Verdict.FAIL)


def test_the_backlog_over_time(record: Record) -> None:
    """Two mails, the second of which waits at the provider for five seconds."""
    run = record()
    sent(run, 1)
    sent(run, 2, until="submitted")
    for number, leg in enumerate(("relayed", "stored", "noticed")):
        run.mail(leg, name(2), "p2@au.example", 15.0 + number / 10)
    over_time = mail.check(run.end()).detail["waiting_over_time"]
    assert isinstance(over_time, dict)
    at_s, places, domains = (over_time[part] for part in ("at_s", "places", "domains"))
    assert isinstance(at_s, list)
    assert isinstance(places, dict)
    assert isinstance(domains, dict)
    provider = dict(zip(at_s, places["provider"], strict=True))
    assert [provider[second] for second in (10.0, 12.0, 14.9, 15.1)] == [0, 1, 1, 0]
    assert dict(zip(at_s, domains["au.example"], strict=True))[12.0] == 1
    assert [series[-1] for series in places.values()] == [0, 0, 0, 0]


def test_a_notice_that_never_came(record: Record) -> None:
    run = record(mail={"unnoticed": 0})
    sent(run, 1)
    sent(run, 2, until="stored")
    finding = mail.check(run.end())
    assert finding.measured["unnoticed"] == 1
    assert finding.verdict is Verdict.FAIL


def test_a_notice_that_was_heard_came_whatever_became_of_the_record_of_it(record: Record) -> None:
    """The storage that the record was on lost what had not been synced."""
    run = record(mail={"unnoticed": 0})
    for person, heard in ((1, "notice"), (2, "by hand")):
        sent(run, person, until="stored")
        run.mail("opened", name(person), f"p{person}@au.example", 11.0, heard)
    run.mail("noticed", name(2), "p2@au.example", 10.5, "lost")
    finding = mail.check(run.end())
    assert (finding.measured["unnoticed"], finding.measured["by_hand"]) == (1, 1)
    books = finding.detail["ledger"]
    backlogs = finding.detail["backlogs"]
    assert isinstance(books, dict)
    assert isinstance(backlogs, dict)
    assert books["noticed"]["unrecorded"] == 1  # type: ignore[call-overload,index]
    assert backlogs["push"]["stayed"] == 1  # type: ignore[call-overload,index]


def test_no_mail_at_all(record: Record) -> None:
    finding = mail.check(record(mail={"lost": 0, "all_out_within": 1800.0}).end())
    assert finding.verdict is Verdict.PASS
    assert finding.why == "No mail was composed."


@pytest.mark.parametrize("leg", ["submitted", "relayed", "stored"])
def test_a_journal_that_could_not_be_read(record: Record, leg: str) -> None:
    run = record(mail={"all_out_within": 60.0})
    sent(run, 1)
    sent(run, 2, until="relayed")
    run.event(99.0, "readback.failed", what=f"/mnt/data/journal/{leg}.jsonl", tried=["it is gone"])
    assert mail.check(run.end()).verdict is Verdict.UNKNOWN


def test_a_provider_that_crashed_before_it_noted_what_it_relayed(record: Record) -> None:
    run = record(mail={"lost": 0, "all_out_within": 1800.0})
    for leg, at_s in (("composed", 10.0), ("submitted", 10.1), ("stored", 10.3)):
        run.mail(leg, name(1), "p1@au.example", at_s, "sent" if leg == "composed" else "ok")
    finding = mail.check(run.end())
    assert finding.verdict is Verdict.PASS
    assert finding.measured["all_out_drill_s"] == 18.0
