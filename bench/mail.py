"""What a mail costs on its way from the service to a handset: mails a minute, and CPU per mail of each program.

    python bench/mail.py [--mails 60000] [--accepted 1000000] [--request 1000]

Accepted: one site of the provider takes mails by HTTP while no carrier can be reached. A mail counts when the 202 to
its request is there, which follows the fdatasync of its record. Then the site is killed and started anew, and must have
all in its queue. The aim is the documented 1,000,000 a minute of the whole provider, which has five sites (OPS).

Carried: a provider's site and a carrier's mail, started as on their nodes, on loopback. Mails go in by HTTP, over SMTP
into mailboxes on the disk, and count when their notice has come out; how many are accepted meanwhile is told, too.

Requests hold 1,000 mails, as many as SendGrid's own API takes in one (personalizations). The programs' start and the
making of the mails are not counted. For comparison, mails go from aiosmtplib to aiosmtpd as those libraries come,
without a disk.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path

import aiohttp
import orjson
import psutil

from topology.world.mail import Mail

BY_STEPS = 2000
SESSIONS = 4
#: Requests on their way to a site at once.
CONNECTIONS = 4
#: Nobody listens there.
NOWHERE = "127.0.0.1:1"


class Program:
    """One of the world's programs, running."""

    def __init__(self, module: str, data: Path, **environment: str) -> None:
        self._variables = {**os.environ, "DATA": str(data), "PORT": "0", "SMTP_PORT": "0", **environment}
        self._command = [sys.executable, "-m", f"topology.world.{module}"]
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            self._command, env=self._variables, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        ready = self._process.stdout.readline()
        while "ready" not in ready:
            assert ready, f"{self._command} did not start"
            ready = self._process.stdout.readline()
        self.ports = dict(re.findall(r"(http|smtp) (\d+)", ready))
        self._started_s = self._cpu_s()

    def kill_and_start_again(self) -> None:
        self._process.kill()
        self._process.wait()
        self._start()

    def _cpu_s(self) -> float:
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)

    @property
    def memory(self) -> int:
        """Bytes that it holds."""
        return int(psutil.Process(self._process.pid).memory_info().rss)

    @property
    def cpu_s(self) -> float:
        """CPU seconds since it was ready."""
        return self._cpu_s() - self._started_s

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


def mail(number: int) -> Mail:
    text = "{0} 様\n\n安否確認です。下のリンクから、安否と出社の可否をお答えください。\n\nhttps://anpi.example/a/{0:032x}\n"
    return Mail(
        f"1.{number}.7@anpi.example",
        f"p{number}@docomo.example",
        "anpi@anpi.example",
        "安否確認 株式会社例",
        text.format(number),
        {},
    )


def requests(number: int, size: int) -> list[bytes]:
    """So many mails as bodies of requests that hold `size` of them each."""
    return [
        orjson.dumps({"messages": [mail(n).to_json() for n in range(at, min(at + size, number))]})
        for at in range(0, number, size)
    ]


async def submit(http: aiohttp.ClientSession, provider: str, bodies: Sequence[bytes]) -> float:
    """Hand all of them over by `CONNECTIONS` at a time, and give the seconds until the last 202."""
    rest = iter(bodies)

    async def caller() -> None:
        for body in rest:
            async with http.post(f"http://127.0.0.1:{provider}/v3/mail/send", data=body) as reply:
                assert reply.status == 202, await reply.text()

    began = time.monotonic()
    await asyncio.gather(*(caller() for _ in range(CONNECTIONS)))
    return time.monotonic() - began


async def accepted(provider: str, bodies: Sequence[bytes]) -> float:
    async with aiohttp.ClientSession() as http:
        return await submit(http, provider, bodies)


async def through_all(
    provider: str, carrier: str, bodies: Sequence[bytes], number: int
) -> tuple[float, float]:
    """Seconds from the first submission to the last 202, and to the last notice."""
    async with aiohttp.ClientSession() as http:

        async def listen() -> None:
            seen = 0
            async with http.get(
                f"http://127.0.0.1:{carrier}/notices", timeout=aiohttp.ClientTimeout()
            ) as stream:
                while seen < number:
                    seen += (await stream.content.readany()).count(b'{"seq":')

        listening = asyncio.create_task(listen())
        began = time.monotonic()
        accepted_s = await submit(http, provider, bodies)
        await listening
        return accepted_s, time.monotonic() - began


def queued(port: str) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/queue", timeout=10) as reply:
        return int(json.load(reply)["queued"])


def measure_accepting(number: int, size: int) -> None:
    bodies = requests(number, size)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".bench-", dir=".")))
        provider = Program("mail_provider", scratch / "provider", MAIL_ROUTES=f"docomo.example={NOWHERE}")
        stack.callback(provider.stop)
        took_s = asyncio.run(accepted(provider.ports["http"], bodies))
        cpu_us, megabytes = provider.cpu_s / number * 1e6, provider.memory / 1e6
        provider.kill_and_start_again()
        there = queued(provider.ports["http"])
    print(
        f"accepted durably by one site: {number:,} mails in {took_s:.1f} s, {number / took_s * 60:,.0f} a minute;",
        end=" ",
    )
    print(f"CPU per mail {cpu_us:.1f} µs, memory {megabytes:,.0f} MB; after SIGKILL {there:,} are queued")
    if there != number:
        raise SystemExit(f"{number - there:,} accepted mails were lost")


def measure_all(number: int, size: int) -> None:
    bodies = requests(number, size)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".bench-", dir=".")))
        carrier = Program("carrier_mail", scratch / "carrier", ZONE="world.docomo")
        stack.callback(carrier.stop)
        routes = f"docomo.example=127.0.0.1:{carrier.ports['smtp']}"
        provider = Program("mail_provider", scratch / "provider", MAIL_ROUTES=routes)
        stack.callback(provider.stop)
        accepted_s, took_s = asyncio.run(
            through_all(provider.ports["http"], carrier.ports["http"], bodies, number)
        )
        out_ms, in_ms = provider.cpu_s / number * 1e3, carrier.cpu_s / number * 1e3
    print(
        f"carried over SMTP into mailboxes and noticed: {number / took_s * 60:,.0f} mails a minute;", end=" "
    )
    print(
        f"CPU per mail: provider {out_ms:.3f} ms, carrier {in_ms:.3f} ms, together {out_ms + in_ms:.3f} ms;",
        end=" ",
    )
    print(f"accepted meanwhile: {number / accepted_s * 60:,.0f} a minute")


def plain_server(line: Connection) -> None:
    from aiosmtpd.smtp import SMTP

    class Sink:
        async def handle_DATA(self, server: SMTP, session: object, envelope: object) -> str:  # noqa: N802
            return "250 OK"

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(Sink(), hostname="localhost", loop=loop), "127.0.0.1", 0
        )
        line.send(server.sockets[0].getsockname()[1])
        began = time.process_time()
        await loop.run_in_executor(None, line.recv)
        line.send(time.process_time() - began)

    asyncio.run(serve())


async def by_steps(port: int, everything: Sequence[Mail]) -> None:
    import aiosmtplib

    async def session(part: Sequence[Mail]) -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            for one in part:
                await client.sendmail(one.return_path, [one.to], one.compose())

    await asyncio.gather(*(session(everything[n::SESSIONS]) for n in range(SESSIONS)))


def measure_libraries(number: int) -> None:
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=plain_server, args=(theirs,))
    server.start()
    port, began_s, began_cpu_s = ours.recv(), time.monotonic(), time.process_time()
    asyncio.run(by_steps(port, [mail(n) for n in range(number)]))
    took_s, out_ms = time.monotonic() - began_s, (time.process_time() - began_cpu_s) / number * 1e3
    ours.send(None)
    in_ms = ours.recv() / number * 1e3
    server.join()
    print(
        f"aiosmtplib to aiosmtpd as they come, nothing stored: {number / took_s * 60:,.0f} mails a minute;",
        end=" ",
    )
    print(f"CPU per mail: out {out_ms:.3f} ms, in {in_ms:.3f} ms, together {out_ms + in_ms:.3f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mails", type=int, default=60_000, help="mails that are carried")
    parser.add_argument("--accepted", type=int, default=1_000_000, help="mails that are only accepted")
    parser.add_argument("--request", type=int, default=1000, help="mails in one request")
    words = parser.parse_args()
    measure_accepting(words.accepted, words.request)
    measure_all(words.mails, words.request)
    measure_libraries(BY_STEPS)


if __name__ == "__main__":
    main()
