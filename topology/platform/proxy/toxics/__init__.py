"""The toxics, one a file, by the names the API knows them by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from topology.platform.proxy.toxics.bandwidth import Bandwidth
from topology.platform.proxy.toxics.latency import Latency
from topology.platform.proxy.toxics.limit_data import LimitData
from topology.platform.proxy.toxics.noop import Noop
from topology.platform.proxy.toxics.reset_peer import ResetPeer
from topology.platform.proxy.toxics.slicer import Slicer
from topology.platform.proxy.toxics.slow_close import SlowClose
from topology.platform.proxy.toxics.timeout import Timeout
from topology.platform.proxy.toxics.toxic import Toxic

TYPES: Final[Mapping[str, type[Toxic]]] = {
    "bandwidth": Bandwidth,
    "latency": Latency,
    "limit_data": LimitData,
    "noop": Noop,
    "reset_peer": ResetPeer,
    "slicer": Slicer,
    "slow_close": SlowClose,
    "timeout": Timeout,
}
