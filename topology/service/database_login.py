"""How every connection of the service to its database begins."""

from __future__ import annotations

from typing import Any

from topology.service.settings import Settings


def login(settings: Settings, statement_s: float) -> dict[str, Any]:
    """The server gives up on us, too, if we vanish without a word."""
    session = {
        "application_name": settings.node,
        "statement_timeout": f"{round(statement_s * 1000)}",
        "idle_in_transaction_session_timeout": "5000",
        "tcp_user_timeout": "5000",
        "tcp_keepalives_idle": "2",
        "tcp_keepalives_interval": "1",
        "tcp_keepalives_count": "3",
        "jit": "off",
    }
    if settings.synchronous:
        session["synchronous_commit"] = "remote_apply"
    return {
        "user": "anpi",
        "database": "anpi",
        "password": settings.database_password,
        "server_settings": session,
    }
