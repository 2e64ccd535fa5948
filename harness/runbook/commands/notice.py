"""`notice`: the people are told, on the status page outside the regions."""

from __future__ import annotations

from typing import Final

from harness.runbook.commands.command import Command
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.scene import Scene

ROLE: Final = "status-page"
PATH: Final = "/notices"


def post(scene: Scene, arguments: Arguments) -> str:
    """A notice with the same words as the last one is not posted twice."""
    notice = {"ja": arguments["ja"], "en": arguments["en"]}
    page = scene.the(ROLE)
    posted = scene.ask(page, "GET", PATH).json
    if posted and {key: posted[-1].get(key) for key in notice} == notice:
        return "the notice stands on the status page already"
    reply = scene.ask(page, "POST", PATH, notice)
    if reply.status >= 300:
        raise OSError(f"the status page says http {reply.status}: {reply.text}")
    scene.run.record("notice.posted", **notice)
    return f"posted: {notice['en']}"


POST: Final = Command(
    "notice",
    "the people are told on the status page",
    (
        Argument("ja", Kind.TEXT, "what to say in Japanese"),
        Argument("en", Kind.TEXT, "what to say in English"),
    ),
    post,
)
