"""Asking a feed API for telegrams."""

from __future__ import annotations

from topology.service.http_client import NoAnswer, ask
from topology.service.report import Report, from_row
from topology.service.settings import Address


async def telegrams_after(api: Address, number: int) -> list[Report]:
    """Those that come after the number, in order, at most as many as the API gives at a time.

    Raises Unreached, or NoAnswer if the API cannot tell at the moment.
    """
    answer = await ask(api, f"/telegrams?after={number}")
    if answer.status != 200:
        raise NoAnswer(f"{api}: status {answer.status}")
    try:
        return [from_row(row) for row in answer.json()["telegrams"]]
    except (KeyError, TypeError, ValueError) as error:
        raise NoAnswer(f"{api}: not a list of telegrams: {error!r}") from error
