"""The program: `python -m topology.platform.proxy.server -host=0.0.0.0 -config=FILE`, flags as upstream's server."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import uvloop

from topology.platform.proxy import VERSION, address, requests
from topology.platform.proxy.api import Api
from topology.platform.proxy.engine import Engine
from topology.platform.proxy.errors import ApiError
from topology.platform.proxy.http import HttpProtocol
from topology.platform.proxy.meter import Meter, process_exposition
from topology.platform.proxy.proxies import Proxies
from topology.platform.proxy.timers import Timers

_LOG = logging.getLogger("toxiproxy")


@dataclass(frozen=True)
class Settings:
    """What the command line says. `seed` None: another one each time."""

    host: str = "localhost"
    port: int = 8474
    config: str = ""
    seed: int | None = None
    proxy_metrics: bool = False
    runtime_metrics: bool = False


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. 0: ended as asked; 1: cannot listen; 2: wrong flags."""
    arguments = _parser().parse_args(argv)
    if arguments.version:
        print(f"toxiproxy-server version {VERSION}")
        return 0
    level = logging.getLevelNamesMapping().get(os.environ.get("LOG_LEVEL", "").upper(), logging.INFO)
    logging.basicConfig(level=level, format="%(levelname)s %(message)s")
    settings = Settings(**{name: value for name, value in vars(arguments).items() if name != "version"})
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(_serve(settings))
        except OSError as error:
            print(f"toxiproxy: the API cannot listen: {error}", file=sys.stderr)
            return 1
    return 0


async def _serve(settings: Settings) -> None:
    _allow_many_sockets()
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    meter = Meter() if settings.proxy_metrics else None
    engine = Engine(loop, Timers(loop), random.Random(settings.seed), meter)
    proxies = Proxies(engine)
    if settings.config:
        await _populate(proxies, settings.config)
    api = Api(proxies, _metrics(meter, settings.runtime_metrics))
    listener = await address.listen(str(address.Address(settings.host, settings.port)))
    server = await loop.create_server(lambda: HttpProtocol(api.answer), sock=listener)
    _LOG.info("Toxiproxy %s: API on %s", VERSION, address.bound_to(listener))
    await stop.wait()
    server.close()
    proxies.close()
    engine.timers.close()


async def _populate(proxies: Proxies, path: str) -> None:
    """As upstream: what cannot be read or made is said, and the server runs without it."""
    try:
        with open(path, "rb") as file:
            specs = requests.new_proxies(file.read())
        await proxies.populate(specs, [])
    except (ApiError, OSError) as error:
        _LOG.error("%s: %s", path, error)


def _metrics(meter: Meter | None, runtime: bool) -> Callable[[], str] | None:
    if meter is None and not runtime:
        return None
    return lambda: (process_exposition() if runtime else "") + (meter.exposition() if meter else "")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="toxiproxy-server", allow_abbrev=False, description=__doc__)

    def flag(name: str, text: str, **options: object) -> None:
        parser.add_argument(f"-{name}", f"--{name}", help=text, **options)  # type: ignore[arg-type]

    flag("host", "Host for the API to listen on", default=Settings.host)
    flag("port", "Port for the API to listen on", type=int, default=Settings.port)
    flag("config", "JSON file containing proxies to create on startup", default=Settings.config)
    flag("seed", "Seed for randomizing toxics with", type=int)
    for name in ("proxy-metrics", "runtime-metrics", "version"):
        flag(name, f"{name} (default false)", nargs="?", const=True, default=False, type=_truth)
    return parser


def _truth(text: str) -> bool:
    """A Go flag's boolean."""
    if text.lower() in ("1", "t", "true"):
        return True
    if text.lower() in ("0", "f", "false"):
        return False
    raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")


def _allow_many_sockets() -> None:
    """Two for each connection: as many as the system lets us have, as Go programs do."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    sys.exit(main())
