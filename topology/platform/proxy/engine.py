"""What all proxies of one server share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random

from topology.platform.proxy.meter import Meter
from topology.platform.proxy.timers import Timers


@dataclass(frozen=True)
class Engine:
    """`random` decides all jitter, slicing and toxicity, so that a seed repeats them; `meter` is None when off."""

    loop: asyncio.AbstractEventLoop
    timers: Timers
    random: Random
    meter: Meter | None = None
