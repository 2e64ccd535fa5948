"""`suspend-mail` and `resume-mail`: whether the mail provider relays anything to a domain."""

from __future__ import annotations

from typing import Final

from harness.runbook.commands.command import Command
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.scene import Refused, Scene

ROLE: Final = "mail-provider"
PATH: Final = "/suspended"


def _set(scene: Scene, arguments: Arguments, method: str) -> str:
    """At every site of the provider: a mail may wait at any of them."""
    domain = str(arguments["domain"])
    sites = scene.stage.topology.with_role(ROLE)
    if not sites:
        raise Refused("the topology has no mail provider")
    for site in sites:
        reply = scene.ask(site, method, f"{PATH}/{domain}")
        if reply.status == 404:
            raise Refused(f"{site.name} refuses it: {reply.text}")
        if reply.status != 200:
            raise OSError(f"{site.name} says http {reply.status}: {reply.text}")
    return ", ".join(site.name for site in sites)


def suspend(scene: Scene, arguments: Arguments) -> str:
    sites = _set(scene, arguments, "PUT")
    scene.run.record("mail.suspended", domain=arguments["domain"])
    return f"nothing is relayed to {arguments['domain']} any more by {sites}"


def resume(scene: Scene, arguments: Arguments) -> str:
    sites = _set(scene, arguments, "DELETE")
    scene.run.record("mail.resumed", domain=arguments["domain"])
    return f"mail is relayed to {arguments['domain']} again by {sites}"


_DOMAIN: Final = (Argument("domain", Kind.TEXT, "of the addressees, such as softbank.example"),)
SUSPEND: Final = Command(
    "suspend-mail",
    "the mail provider relays nothing to a domain any more; what is for it bounces",
    _DOMAIN,
    suspend,
)
RESUME: Final = Command("resume-mail", "the mail provider relays to a domain again", _DOMAIN, resume)
