"""A hosting provider's machines on loopback, as real programs: what tests of hosted mail stand on."""

from __future__ import annotations

import json
import os
import smtplib
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.topology.service.postgres import free_port
from tests.topology.world.conftest import Start
from tests.topology.world.program import Program, until
from topology.world.mail import Mail

DOMAIN = "hosting.example"
PASSWORD = "test-only"
#: As a node runs it: not as root, which PostgreSQL refuses, and with all that it started ending when it ends.
AS_A_NODE = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--pid", "--fork", "--kill-child")


class House:
    """One SMTP in, one mailbox server, one archive, and the nodes of an authentication database."""

    def __init__(self, start: Start, scratch: Path, *, lookup_fails: str = "defer", copies: int = 0) -> None:
        self._scratch, self._start = scratch, start
        self.ports = [free_port() for _ in range(1 + copies)]
        self.authentication = [self._database(number) for number in range(1 + copies)]
        self.mailbox = start("world.carrier_mail", scratch / "mailbox", MAIL_DOMAIN=DOMAIN, NODE="mailbox-1")
        self.archive = start("world.carrier_mail", scratch / "archive", MAIL_DOMAIN=DOMAIN, NODE="archive")
        self.smtp = start("world.hosting.smtp", scratch / "smtp", **self.settings, LOOKUP_FAILS=lookup_fails)

    def _database(self, number: int) -> Program:
        scratch = self._scratch / f"scratch-{number}"
        scratch.mkdir()
        environment = {"POSTGRES_PORT": str(self.ports[number]), "DATABASE_PASSWORD": PASSWORD}
        environment |= {"NODE": f"authentication-{number + 1}", "TMPDIR": str(scratch)}
        if number:
            environment |= {"COPY_OF": f"127.0.0.1:{self.ports[0]}"}
        elif len(self.ports) > 1:
            environment |= {"COPIES": "authentication-2"}
        return self._start(
            "world.hosting.authentication",
            self._scratch / f"authentication-{number}",
            AS_A_NODE,
            **environment,
        )

    @property
    def settings(self) -> Mapping[str, str]:
        return {
            "DOMAIN": DOMAIN,
            "MAIL_DOMAIN": DOMAIN,
            "AUTHENTICATION": ",".join(f"127.0.0.1:{port}" for port in self.ports),
            "MAILBOXES": f"127.0.0.1:{self.mailbox.smtp_port}",
            "MAILBOXES_HTTP": f"127.0.0.1:{self.mailbox.http_port}",
            "SMTP_IN": f"127.0.0.1:{self.smtp.http_port}" if hasattr(self, "smtp") else "",
            "ARCHIVE": f"127.0.0.1:{self.archive.smtp_port}",
            "DATABASE_PASSWORD": PASSWORD,
        }

    def enrol(self, *users: str) -> int:
        """These are the users; how many there are then. Raises CalledProcessError if they could not be enrolled."""
        rows = [{"address": f"{user}@{DOMAIN}", "mailbox": "127.0.0.1"} for user in users]
        told = self._program("users", self.ports[0], "".join(json.dumps(row) + "\n" for row in rows))
        return int(told)

    def redeliver(self) -> Mapping[str, int]:
        """What the archive's redelivery did. Raises CalledProcessError if it could not be done."""
        done: Mapping[str, int] = json.loads(self._program("redeliver", 0, ""))
        return done

    def _program(self, name: str, port: int, text: str) -> str:
        environment = {
            **os.environ,
            **self.settings,
            "POSTGRES_PORT": str(port),
            "DATA": str(self.archive.data),
        }
        argv = [sys.executable, "-m", f"topology.world.hosting.{name}"]
        done = subprocess.run(argv, input=text, env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    # -- mails -------------------------------------------------------------------------------------------------

    def send(self, *mails: tuple[str, str]) -> None:
        """(id, user): one mail to each, by another client than ours. Raises SMTPException for what is not taken."""
        with smtplib.SMTP("127.0.0.1", self.smtp.smtp_port, local_hostname="east", timeout=10) as client:
            for name, user in mails:
                to = f"{user}@{DOMAIN}"
                mail = Mail(f"{name}@x", to, "anpi@anpi.example", "安否確認", "text\n", {})
                client.sendmail("anpi@anpi.example", [to], mail.compose())

    def results(self, name: str) -> list[str]:
        """What SMTP in noted of a mail, in order."""
        return [str(row["result"]) for row in self.smtp.journal("accepted") if row["id"] == f"{name}@x"]

    def await_result(self, name: str, result: str) -> None:
        until(lambda: result in self.results(name), f"{name} to be {result}")

    def in_mailbox(self, user: str) -> list[str]:
        return _ids(self.mailbox.get(f"/mailboxes/{user}@{DOMAIN}"))

    def in_archive(self, user: str) -> list[str]:
        return _ids(self.archive.get(f"/mailboxes/{user}@{DOMAIN}"))


def _ids(mails: Sequence[Mapping[str, Any]]) -> list[str]:
    return [mail["id"].removesuffix("@x") for mail in mails]
