"""`notice-shown`: what people see on the status page, in both languages."""

from __future__ import annotations

import html
from typing import Final

from harness.faults import Effect
from harness.runbook.commands.notice import ROLE
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.proofs.proof import Proof
from harness.runbook.scene import Scene


def shown(scene: Scene, arguments: Arguments) -> Effect:
    page = scene.the(ROLE)
    for language in ("ja", "en"):
        reply = scene.ask(page, "GET", f"/?lang={language}")
        if reply.status != 200 or str(arguments[language]) not in html.unescape(reply.body.decode()):
            return Effect(False, f"the page in {language} does not show it (http {reply.status})")
    return Effect(True, "the status page shows it in both languages")


SHOWN: Final = Proof(
    "notice-shown",
    "the status page shows these words",
    (Argument("ja", Kind.TEXT, "in Japanese"), Argument("en", Kind.TEXT, "in English")),
    shown,
)
