"""The mail provider from outside: does it relay to a domain, and how many mails wait there?"""

from __future__ import annotations

from typing import Final

from harness.faults import Effect
from harness.runbook.commands.mail import PATH, ROLE
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.proofs.proof import Proof
from harness.runbook.scene import Scene


def see_suspended(scene: Scene, arguments: Arguments) -> Effect:
    """At every site."""
    domain, said = str(arguments["domain"]), []
    sites = scene.stage.topology.with_role(ROLE)
    for site in sites:
        domains = scene.ask(site, "GET", PATH).json["domains"]
        if domain not in domains:
            return Effect(False, f"{site.name} relays to {domain}")
        said.append(f"{site.name} relays nothing to {domain}")
    return Effect(bool(said), "; ".join(said) or "there is no mail provider")


def see_backlog(scene: Scene, arguments: Arguments) -> Effect:
    """Of all sites together. Something is always on its way: the observers mail handsets of their own."""
    most = int(str(arguments["most"]))
    queued = {
        site.name: int(scene.ask(site, "GET", "/queue").json["queued"])
        for site in scene.stage.topology.with_role(ROLE)
    }
    told = ", ".join(f"{number} mails wait at {name}" for name, number in queued.items())
    return Effect(bool(queued) and sum(queued.values()) <= most, told or "there is no mail provider")


SUSPENDED: Final = Proof(
    "mail-suspended",
    "every site of the mail provider says that it relays nothing to a domain",
    (Argument("domain", Kind.TEXT, "of the addressees"),),
    see_suspended,
)
BACKLOG: Final = Proof(
    "mail-backlog",
    "at most so many mails wait at the mail provider",
    (Argument("most", Kind.COUNT, "mails at all its sites together"),),
    see_backlog,
)
