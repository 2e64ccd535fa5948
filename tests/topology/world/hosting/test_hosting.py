from __future__ import annotations

import json
import signal
import smtplib
import subprocess
from pathlib import Path

import pytest

from tests.topology.world.conftest import Start
from tests.topology.world.hosting.house import House
from tests.topology.world.program import until
from topology.world.hosting import redeliver

pytestmark = pytest.mark.takes(30)


def test_a_mail_is_archived_and_lies_in_the_mailbox_that_authentication_says(
    start: Start, tmp_path: Path
) -> None:
    house = House(start, tmp_path)
    assert house.enrol("ann", "bob") == 2
    house.send(("1", "ann"), ("2", "bob"))
    house.await_result("1", "ok")
    house.await_result("2", "ok")
    assert house.results("1") == ["accepted", "ok"]
    assert (house.in_mailbox("ann"), house.in_mailbox("bob")) == (["1"], ["2"])
    assert (house.in_archive("ann"), house.in_archive("bob")) == (["1"], ["2"])
    assert house.smtp.get("/queue") == {"queued": 0}
    with (
        smtplib.SMTP("127.0.0.1", house.smtp.smtp_port, timeout=10) as client,
        pytest.raises(smtplib.SMTPRecipientsRefused),
    ):
        client.sendmail("a@b", ["ann@elsewhere.example"], b"x")


@pytest.mark.parametrize(("setting", "result"), [("discard", "discarded"), ("bounce", "bounced")])
def test_with_authentication_down_a_mail_is_accepted_and_gone_as_the_setting_says(
    start: Start, tmp_path: Path, setting: str, result: str
) -> None:
    house = House(start, tmp_path, lookup_fails=setting)
    house.enrol("ann")
    house.authentication[0].kill()
    house.send(("1", "ann"))  # 250: nobody is told
    house.await_result("1", result)
    house.authentication[0].start()
    house.send(("2", "ann"))
    house.await_result("2", "ok")
    assert house.in_mailbox("ann") == ["2"]
    assert house.in_archive("ann") == ["1", "2"]


def test_deferred_mails_wait_for_authentication_also_over_a_crash(start: Start, tmp_path: Path) -> None:
    house = House(start, tmp_path, lookup_fails="defer")
    house.enrol("ann")
    house.authentication[0].kill()
    house.send(("1", "ann"))
    house.await_result("1", "deferred")
    house.smtp.kill()
    house.smtp.start()
    assert house.smtp.get("/queue") == {"queued": 1}
    house.authentication[0].start()
    house.await_result("1", "ok")
    assert house.in_mailbox("ann") == ["1"]


def test_nobody_is_told_250_while_the_archive_does_not_take_a_copy(start: Start, tmp_path: Path) -> None:
    house = House(start, tmp_path)
    house.enrol("ann")
    house.archive.kill()
    with pytest.raises(smtplib.SMTPDataError) as refused:
        house.send(("1", "ann"))
    assert refused.value.smtp_code == 451
    assert house.results("1") == []
    house.archive.start()
    house.send(("1", "ann"))
    house.await_result("1", "ok")
    house.send(("1", "ann"))  # a sender that did not hear the answer comes again
    assert house.in_mailbox("ann") == ["1"]


def test_the_archive_gives_back_what_vanished_and_adds_nothing_twice(start: Start, tmp_path: Path) -> None:
    house = House(start, tmp_path, lookup_fails="discard")
    house.enrol("ann", "bob")
    house.send(("1", "ann"))
    house.await_result("1", "ok")
    house.authentication[0].kill()
    house.send(("2", "ann"), ("3", "bob"))
    house.await_result("2", "discarded")
    house.await_result("3", "discarded")
    house.authentication[0].start()
    assert house.redeliver() == {"archived": 3, "missing": 2, "redelivered": 2, "unknown": 0}
    assert (house.in_mailbox("ann"), house.in_mailbox("bob")) == (["1", "2"], ["3"])
    assert [row["id"] for row in house.archive.journal("redelivered")] == ["2@x", "3@x"]
    assert house.redeliver() == {"archived": 3, "missing": 0, "redelivered": 0, "unknown": 0}
    assert (house.in_mailbox("ann"), house.in_mailbox("bob")) == (["1", "2"], ["3"])


def test_a_line_that_is_just_being_written_is_not_in_the_archive_yet(tmp_path: Path) -> None:
    file = tmp_path / "mailboxes.jsonl"
    lines = [json.dumps({"id": f"{number}@x", "to": "ann@hosting.example"}) for number in range(3)]
    file.write_text("\n".join(lines)[:-9])
    assert list(redeliver._archived(file)) == [(f"{number}@x", "ann@hosting.example") for number in range(2)]
    file.write_bytes(b"")
    assert redeliver._archived(file) == {}


def test_a_copy_of_authentication_answers_when_the_other_storage_is_gone(
    start: Start, tmp_path: Path
) -> None:
    house = House(start, tmp_path, lookup_fails="discard", copies=1)
    assert house.enrol("ann") == 1  # acknowledged when the copy shows it, too
    house.authentication[0].kill()
    house.send(("1", "ann"))
    house.await_result("1", "ok")
    assert house.in_mailbox("ann") == ["1"]


def test_a_mailbox_server_that_is_down_is_waited_for(start: Start, tmp_path: Path) -> None:
    house = House(start, tmp_path, lookup_fails="discard")
    house.enrol("ann")
    house.mailbox.kill()
    house.send(("1", "ann"))
    house.await_result("1", "deferred")
    house.mailbox.start()
    house.await_result("1", "ok")
    assert house.in_mailbox("ann") == ["1"]
    until(lambda: house.smtp.get("/queue") == {"queued": 0}, "the queue to be empty")


def test_what_still_waits_in_the_queue_is_not_redelivered_as_well(start: Start, tmp_path: Path) -> None:
    house = House(start, tmp_path, lookup_fails="defer")
    house.enrol("ann")
    house.authentication[0].kill()
    house.send(("1", "ann"))
    house.await_result("1", "deferred")
    house.smtp.process.send_signal(signal.SIGSTOP)  # nothing leaves the queue while the archive is asked
    house.authentication[0].start()
    with pytest.raises(subprocess.CalledProcessError):
        house.redeliver()
    house.smtp.process.send_signal(signal.SIGCONT)
    done = house.redeliver()
    assert done["redelivered"] == 0
    house.await_result("1", "ok")
    assert house.in_mailbox("ann") == ["1"]
