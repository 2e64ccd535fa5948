"""A telegram as the feed numbers it, and as it travels: from the feed's database through its API to the alerters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from topology.service.telegram import Telegram


@dataclass(frozen=True)
class Report:
    """Its number in the feed, and when the first receiver had it on disk (monotonic ns)."""

    number: int
    telegram: Telegram
    received_at_ns: int


def as_json(report: Report) -> Mapping[str, Any]:
    said = report.telegram
    return {
        "number": report.number,
        "kind": said.kind,
        "event": said.event,
        "info": said.info,
        "status": said.status,
        "reported": said.reported.isoformat(),
        "serial": said.serial,
        "areas": dict(said.areas),
        "tsunami": said.tsunami,
        "special": said.special,
        "received_at_ns": report.received_at_ns,
    }


def from_row(row: Mapping[str, Any]) -> Report:
    """From what `as_json` made, or from a row of a database, where areas are JSON text.

    Raises KeyError, TypeError or ValueError for anything else.
    """
    reported, areas = row["reported"], row["areas"]
    said = Telegram(
        str(row["kind"]),
        str(row["event"]),
        str(row["info"]),
        str(row["status"]),
        datetime.fromisoformat(reported) if isinstance(reported, str) else reported,
        int(row["serial"]),
        json.loads(areas) if isinstance(areas, str) else dict(areas),
        bool(row["tsunami"]),
        bool(row["special"]),
    )
    return Report(int(row["number"]), said, int(row["received_at_ns"]))
