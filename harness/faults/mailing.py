"""Mail of the observers' own, brought to a carrier's mail exchanger as any sender brings it."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from harness.faults import Stage
from topology.map import Node

SMTP_PORT: Final = 2525
PATIENCE_S: Final = 3.0


@contextmanager
def sender(stage: Stage, node: Node) -> Iterator[smtplib.SMTP]:
    """A session from where the observers stand. Raises OSError or SMTPException."""
    with stage.runtime.inside(stage.observer):
        session = smtplib.SMTP(str(node.address), SMTP_PORT, local_hostname="observer", timeout=PATIENCE_S)
    with session:
        yield session


def domain(node: Node) -> str:
    """Of the mailboxes at a carrier's mail node."""
    return node.environment.get("MAIL_DOMAIN") or f"{node.zone.rpartition('.')[2]}.example"
