"""A carrier's filter of spam from outside: how much it takes, whether mail passes, what is still in quarantine."""

from __future__ import annotations

import smtplib
from typing import Final

from harness.faults import Effect
from harness.faults.misfilter import PATH, passed
from harness.runbook.commands.spam import CARRIER, exchanger
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.proofs.proof import Proof
from harness.runbook.scene import Refused, Scene

#: A share of fewer mails than this says nothing.
LEAST_MAILS: Final = 20
#: As the service's own mail.
AUTHOR: Final = "observer@anpi.example"


def see_taken(scene: Scene, arguments: Arguments) -> Effect:
    """Of the mails since the filter goes by what it goes by now."""
    at_least = float(str(arguments["at_least"]))
    try:
        node = exchanger(scene, arguments)
    except Refused as error:
        return Effect(False, str(error))
    told = scene.ask(node, "GET", PATH).json
    mails = told["taken"] + told["passed"]
    if mails < LEAST_MAILS:
        return Effect(False, f"{node.name}: {mails} mails so far, too few to say")
    share = told["taken"] / mails
    return Effect(share >= at_least, f"{node.name} took {share:.0%} of {mails} mails for spam")


def see_passing(scene: Scene, arguments: Arguments) -> Effect:
    """A mail of ours, as the service would send it."""
    try:
        return Effect(*passed(scene.stage, exchanger(scene, arguments), AUTHOR))
    except Refused as error:
        return Effect(False, str(error))
    except smtplib.SMTPException as error:
        return Effect(False, f"a mail was not taken: {error or type(error).__name__}")


def see_empty(scene: Scene, arguments: Arguments) -> Effect:
    try:
        node = exchanger(scene, arguments)
    except Refused as error:
        return Effect(False, str(error))
    held = int(scene.ask(node, "GET", PATH).json["held"])
    return Effect(not held, f"{held} mails are in quarantine at {node.name}")


TAKEN: Final = Proof(
    "filter-takes",
    "a carrier's filter takes at least such a share of the mail for spam: more than it should",
    (CARRIER, Argument("at_least", Kind.SHARE, "the share of the mails")),
    see_taken,
)
PASSES: Final = Proof(
    "mail-passes", "a mail as the service sends it passes a carrier's filter", (CARRIER,), see_passing
)
EMPTY: Final = Proof(
    "quarantine-empty", "nothing is in quarantine at a carrier any more", (CARRIER,), see_empty
)
