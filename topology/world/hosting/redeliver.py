"""`python -m topology hosted-redeliver`: what is in the archive and in no mailbox is delivered from the archive.

Run on the archive's node. Prints {"archived", "missing", "redelivered", "unknown"}; `unknown`: nobody is user there.
Of the archive only that is missing which SMTP in is done with and no mailbox has: what still waits there, or at its
sender who was never told 250, comes by itself. So nothing is there twice, also when it is run again. Noted is what it
delivers:

    journal/redelivered.jsonl    {"id","to","at_ns","result":"ok"}
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import aiohttp
import aiosmtplib
import orjson

from topology.platform.place import Place
from topology.world.hosting.lookup import Lookup, NoAnswer
from topology.world.hosting.smtp import SENDER, places
from topology.world.mail import Mail
from topology.world.mailboxes import FILE
from topology.world.smtp_out import Letter, SmtpSession

CONNECT_S: Final = 2.0
ANSWER_S: Final = 10.0
HTTP_PORT: Final = 8000
BATCH: Final = 256

#: A mail is the same when its id and its addressee are.
Key = tuple[str, str]


async def redeliver(
    place: Place,
    domain: str,
    lookup: Lookup,
    servers: Mapping[str, tuple[str, int, int]],
    smtp_in: tuple[str, int],
) -> dict[str, int]:
    """`servers`: name -> host, SMTP port, HTTP port; `smtp_in`: host and HTTP port.

    Raises OSError, aiohttp.ClientError or NoAnswer when something does not answer.
    """
    # In this order: what SMTP in is done with is in its mailbox by then, if it ever comes there by itself.
    over = await _told(*smtp_in, "over")
    there = {key for host, _, port in servers.values() for key in await _told(host, port, "stored")}
    archived = _archived(place.data / FILE)
    missing = [archived[key] for key in dict.fromkeys(over) if key in archived and key not in there]
    mailboxes: dict[str, str] = {}
    for at in range(0, len(missing), BATCH):
        mailboxes |= await lookup.mailboxes([mail["to"] for mail in missing[at : at + BATCH]])
    by_server: dict[str, list[dict[str, str]]] = defaultdict(list)
    for mail in missing:
        if mail["to"] in mailboxes:
            by_server[mailboxes[mail["to"]]].append(mail)
    redelivered = 0
    for server, mails in by_server.items():
        host, port, _ = servers[server]
        redelivered += await _deliver(place, domain, host, port, mails)
    return {
        "archived": len(archived),
        "missing": len(missing),
        "redelivered": redelivered,
        "unknown": sum(mail["to"] not in mailboxes for mail in missing),
    }


def _archived(path: Path) -> dict[Key, dict[str, str]]:
    """Everything in the archive but the line that is just being written."""
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    rows = (orjson.loads(line) for line in whole.split(b"\n") if line)
    return {(row["id"], row["to"]): row for row in rows}


async def _told(host: str, port: int, path: str) -> list[Key]:
    """The mails that a node lists on a page."""
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(ANSWER_S), raise_for_status=True) as session,
        session.get(f"http://{host}:{port}/{path}") as reply,
    ):
        return [(row["id"], row["to"]) for row in map(orjson.loads, (await reply.read()).splitlines())]


async def _deliver(
    place: Place, domain: str, host: str, port: int, mails: Sequence[Mapping[str, str]]
) -> int:
    """How many the server took. What it took is noted before anything else is done."""
    session = await SmtpSession.open(host, port, name=place.node, connect_s=CONNECT_S, timeout_s=ANSWER_S)
    sender, taken = SENDER.format(domain=domain), 0
    try:
        for at in range(0, len(mails), BATCH):
            batch = mails[at : at + BATCH]
            letters = [Letter(sender, row["to"], _again(row, sender).compose()) for row in batch]
            replies = await session.send(letters)
            done = [
                row for row, reply in zip(batch, replies, strict=True) if reply is not None and reply.taken
            ]
            _note(place.data / "journal" / "redelivered.jsonl", done)
            taken += len(done)
    finally:
        session.close()
    return taken


def _again(row: Mapping[str, str], sender: str) -> Mail:
    return Mail(row["id"], row["to"], sender, row["subject"], row["text"], {})


def _note(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        for row in rows:
            noted = {"id": row["id"], "to": row["to"], "at_ns": time.monotonic_ns(), "result": "ok"}
            file.write(orjson.dumps(noted, option=orjson.OPT_APPEND_NEWLINE))
        file.flush()
        os.fsync(file.fileno())


def main() -> int:
    """0 done, 4 something did not answer."""
    try:
        lookup = Lookup(places("AUTHENTICATION"), os.environ["DATABASE_PASSWORD"])
        http_ports = dict(places("MAILBOXES_HTTP")) if os.environ.get("MAILBOXES_HTTP") else {}
        (smtp_in,) = places("SMTP_IN")
        servers = {host: (host, port, http_ports.get(host, HTTP_PORT)) for host, port in places("MAILBOXES")}
        done = asyncio.run(redeliver(Place.here(), os.environ["MAIL_DOMAIN"], lookup, servers, smtp_in))
    except (OSError, TimeoutError, NoAnswer, aiohttp.ClientError, aiosmtplib.SMTPException) as error:
        print(f"not redelivered: {error or type(error).__name__}", file=sys.stderr)
        return 4
    print(json.dumps(done))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
