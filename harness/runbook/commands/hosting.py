"""Hosted mail: its firewall is cut and opened, its machines are switched on, its archive gives back what is missing."""

from __future__ import annotations

import json
from typing import Final

from harness import hosting
from harness.runbook.commands.command import Command
from harness.runbook.commands.nodes import bring_up, roles
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.scene import Refused, Scene
from harness.runtime import NodeFailed
from harness.toxiproxy import Toxiproxy
from topology.map import Node

REDELIVER: Final = ("python", "-m", "topology", "hosted-redeliver")
REDELIVERED_WITHIN_S: Final = 60.0
#: The event that says what a redelivery did.
REDELIVERED: Final = "archive.redelivered"


def firewalls(scene: Scene) -> tuple[Node, ...]:
    """Raises Refused where no mail is hosted."""
    found = scene.stage.topology.with_role(hosting.FIREWALL)
    if not found:
        raise Refused("the topology has no hosted mail: it stands in the profile hosted-mail")
    return found


def _set(scene: Scene, enabled: bool) -> str:
    done = []
    for node in firewalls(scene):
        proxy = Toxiproxy(str(node.address))
        with scene.stage.runtime.inside(scene.stage.observer):
            for name in proxy.proxies():
                (proxy.enable if enabled else proxy.disable)(name)
                done.append(name)
    return f"{'opened' if enabled else 'cut'} at the firewall: {', '.join(done)}"


def cut(scene: Scene, _: Arguments) -> str:
    return _set(scene, False)


def reopen(scene: Scene, _: Arguments) -> str:
    return _set(scene, True)


def power_on(scene: Scene, arguments: Arguments) -> str:
    nodes = scene.nodes(None, *roles(arguments))
    off = bring_up(scene, nodes)
    names = ", ".join(node.name for node in off) or "all of them were"
    return f"{len(off)} of {len(nodes)} nodes were switched on ({names})"


def redeliver(scene: Scene, _: Arguments) -> str:
    """Raises NodeFailed while something that it needs does not answer."""
    firewalls(scene)
    told = []
    for node in scene.stage.topology.with_role(hosting.ARCHIVE):
        done = scene.stage.runtime.exec(node, REDELIVER, REDELIVERED_WITHIN_S)
        if done.status != 0:
            raise NodeFailed(
                node.name, "it did not redeliver", done.stderr.decode(errors="replace").splitlines()[-1:]
            )
        report = json.loads(done.stdout)
        scene.run.record(REDELIVERED, node=node.name, **report)
        told.append(
            f"{node.name}: of {report['archived']} mails {report['missing']} were in no mailbox, "
            f"{report['redelivered']} of them were delivered"
        )
    return "; ".join(told)


CUT: Final = Command("cut-firewall", "nothing comes in to hosted mail any more, on purpose", (), cut)
OPEN: Final = Command("open-firewall", "mail and readers come in to hosted mail again", (), reopen)
POWER_ON: Final = Command(
    "power-on",
    "nodes outside the regions that are down are switched on",
    (Argument("roles", Kind.ROLES, "which"),),
    power_on,
)
REDELIVER_ARCHIVE: Final = Command(
    "redeliver-archive", "what is in the archive and in no mailbox is delivered", (), redeliver
)
