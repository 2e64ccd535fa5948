"""Hosted mail before a run: whoever reads their mail there becomes a user of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Final

from harness.faults import Stage
from harness.load.access import hosted
from harness.load.population import Population
from harness.rundir import RunDir
from harness.runtime import NodeFailed
from topology.map import Map

AUTHENTICATION: Final = "hosted-authentication"
SMTP: Final = "hosted-smtp"
MAILBOX: Final = "hosted-mailbox"
ARCHIVE: Final = "hosted-archive"
FIREWALL: Final = "hosted-firewall"
PROGRAM: Final = ("python", "-m", "topology", "hosted-users")
ENROL_WITHIN_S: Final = 30.0
#: The event that says how many users there are, and what all of them together come to, see `fingerprint`.
ENROLLED: Final = "hosting.enrolled"


def enrol(at: Stage, run: RunDir, people: Population) -> None:
    """Make the users of hosted mail, where there is any. Raises NodeFailed if the database does not take them."""
    users = list(_users(at.topology, people))
    if not users:
        return
    node = next(each for each in at.topology.with_role(AUTHENTICATION) if "COPY_OF" not in each.environment)
    lines = "".join(json.dumps({"address": address, "mailbox": mailbox}) + "\n" for address, mailbox in users)
    done = at.runtime.exec(node, PROGRAM, ENROL_WITHIN_S, lines.encode())
    if done.status != 0:
        raise NodeFailed(
            node.name, "the users of hosted mail were not enrolled", [done.stderr.decode()[-300:]]
        )
    run.record(ENROLLED, users=len(users), fingerprint=fingerprint(dict(users)))


def fingerprint(users: Mapping[str, str]) -> str:
    """The same for the same users with the same mailboxes, and for no others."""
    return sha256("".join(f"{address} {users[address]}\n" for address in sorted(users)).encode()).hexdigest()


def _users(topology: Map, people: Population) -> Iterator[tuple[str, str]]:
    """Each address, and the mailbox server that has it."""
    for host in hosted(topology):
        servers = list(topology.hosts[host.name].mailboxes)
        for person in people.people:
            if person.domain == host.domain:
                yield person.address, servers[host.mailbox(person.number)]
