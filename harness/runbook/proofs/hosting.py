"""Hosted mail from outside: is the firewall shut, does authentication know everybody, is every mail there once?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Final

from harness import hosting
from harness.faults import Effect
from harness.faults.asking import PATIENCE_S
from harness.faults.looking import answering, connect
from harness.runbook.commands.hosting import firewalls
from harness.runbook.commands.nodes import roles
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.proofs.proof import Proof
from harness.runbook.scene import Refused, Scene
from topology.map import Node

SMTP_PORT: Final = 2525
USERS: Final = "SELECT address, mailbox FROM users"
DATABASE: Final = "postgres"


def see_cut(scene: Scene, _: Arguments) -> Effect:
    words = [f"{node.name}: {_smtp(scene, node)}" for node in _firewalls(scene)]
    shut = [word for word in words if word.endswith(": refused")]
    return Effect(bool(words) and len(shut) == len(words), "; ".join(words) or "there is no firewall")


def see_open(scene: Scene, _: Arguments) -> Effect:
    words = [f"{node.name}: {_smtp(scene, node)}" for node in _firewalls(scene)]
    through = [word for word in words if word.endswith(": 220")]
    return Effect(bool(words) and len(through) == len(words), "; ".join(words) or "there is no firewall")


def _firewalls(scene: Scene) -> Sequence[Node]:
    try:
        return firewalls(scene)
    except Refused:
        return ()


def _smtp(scene: Scene, node: Node) -> str:
    """What a sender meets at the firewall: the code of the greeting, or why there is none."""
    try:
        with connect(scene.stage, scene.stage.observer, node, SMTP_PORT) as line:
            line.settimeout(PATIENCE_S)
            return line.recv(512)[:3].decode(errors="replace") or "closed"
    except ConnectionRefusedError:
        return "refused"
    except TimeoutError:
        return "silent"
    except OSError as error:
        return (str(error) or type(error).__name__).lower()


def see_healthy(scene: Scene, arguments: Arguments) -> Effect:
    nodes = scene.nodes(None, *roles(arguments))
    return answering(scene.stage, nodes, 0.0) if nodes else Effect(False, "there is no such node")


def see_users(scene: Scene, _: Arguments) -> Effect:
    """Every node of the authentication database knows every user that was enrolled, with the right mailbox."""
    enrolled = scene.run.events(hosting.ENROLLED)
    if not enrolled:
        return Effect(False, "nobody was enrolled: there is nothing to hold it against")
    wanted, said = enrolled[-1].data, []
    nodes = scene.stage.topology.with_role(hosting.AUTHENTICATION)
    for node in nodes:
        users = {str(address): str(mailbox) for address, mailbox in scene.query(node, USERS, DATABASE)}
        if hosting.fingerprint(users) != wanted.get("fingerprint"):
            return Effect(
                False, f"{node.name} has {len(users)} users, not the {wanted.get('users')} that there are"
            )
        said.append(f"{node.name} knows all {len(users)} users and their mailboxes")
    return Effect(bool(said), "; ".join(said) or "there is no authentication database")


def see_delivered(scene: Scene, _: Arguments) -> Effect:
    """Every mail of the archive lies in a mailbox, and none twice."""
    topology = scene.stage.topology
    archived = set(_stored(scene, topology.with_role(hosting.ARCHIVE)))
    boxed = Counter(_stored(scene, topology.with_role(hosting.MAILBOX)))
    missing = sum(not boxed[mail] for mail in archived)
    twice = sum(times > 1 for times in boxed.values())
    if not archived:
        return Effect(False, "the archive is empty")
    if missing or twice:
        return Effect(
            False, f"of {len(archived)} archived mails {missing} are in no mailbox, {twice} are there twice"
        )
    return Effect(True, f"all {len(archived)} archived mails are in their mailboxes, none twice")


def _stored(scene: Scene, nodes: Sequence[Node]) -> list[tuple[str, str]]:
    rows = [
        json.loads(line) for node in nodes for line in scene.ask(node, "GET", "/stored").body.splitlines()
    ]
    return [(row["id"], row["to"]) for row in rows]


FIREWALL_CUT: Final = Proof("firewall-cut", "senders are refused at the firewall of hosted mail", (), see_cut)
FIREWALL_OPEN: Final = Proof("firewall-open", "senders are greeted through the firewall", (), see_open)
SWITCHED_ON: Final = Proof(
    "switched-on",
    "every node of these roles, wherever it stands, says that it is healthy",
    (Argument("roles", Kind.ROLES, "which"),),
    see_healthy,
)
USERS_VERIFIED: Final = Proof(
    "users-verified",
    "authentication knows every user that was enrolled, with the right mailbox",
    (),
    see_users,
)
DELIVERED: Final = Proof(
    "archive-delivered", "every mail of the archive lies in a mailbox, none of them twice", (), see_delivered
)
