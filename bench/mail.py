"""What a mail costs on its way from the service to a handset: mails a second, and CPU per mail of each program.

    python bench/mail.py [--mails 12000] [--request 100]

A provider's site and a carrier's mail are started as on their nodes, on loopback. Mails go in by HTTP, over SMTP, and
count when their notice has come out. The programs' start is not counted. For comparison, the same mails go from
aiosmtplib to aiosmtpd as those libraries come, without a disk.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path

import aiohttp
import psutil

from topology.world.mail import Mail

BY_STEPS = 2000
SESSIONS = 4


class Program:
    """One of the world's programs, running."""

    def __init__(self, module: str, data: Path, **environment: str) -> None:
        variables = {**os.environ, "DATA": str(data), "PORT": "0", "SMTP_PORT": "0", **environment}
        command = [sys.executable, "-m", f"topology.world.{module}"]
        self._process = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        ready = self._process.stdout.readline()
        self.ports = dict(re.findall(r"(http|smtp) (\d+)", ready))
        self._started_s = self._cpu_s()

    def _cpu_s(self) -> float:
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)

    @property
    def cpu_s(self) -> float:
        """CPU seconds since it was ready."""
        return self._cpu_s() - self._started_s

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


def mails(number: int) -> list[Mail]:
    text = "{0} 様\n\n安否確認です。下のリンクから、安否と出社の可否をお答えください。\n\nhttps://anpi.example/a/{0:032x}\n"
    return [
        Mail(
            f"1.{n}.7@anpi.example",
            f"p{n}@docomo.example",
            "anpi@anpi.example",
            "安否確認 株式会社例",
            text.format(n),
            {},
        )
        for n in range(number)
    ]


async def through_all(provider: str, carrier: str, everything: Sequence[Mail], request: int) -> float:
    """Seconds from the first submission to the last notice."""
    async with aiohttp.ClientSession() as http:

        async def listen() -> None:
            seen = 0
            async with http.get(
                f"http://127.0.0.1:{carrier}/notices", timeout=aiohttp.ClientTimeout()
            ) as stream:
                while seen < len(everything):
                    seen += (await stream.content.readany()).count(b'{"seq":')

        listening = asyncio.create_task(listen())
        began = time.monotonic()
        for at in range(0, len(everything), request):
            body = {"messages": [mail.to_json() for mail in everything[at : at + request]]}
            async with http.post(f"http://127.0.0.1:{provider}/v3/mail/send", json=body) as reply:
                assert reply.status == 202, await reply.text()
        await listening
        return time.monotonic() - began


def measure_all(number: int, request: int) -> None:
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".bench-", dir=".")))
        carrier = Program("carrier_mail", scratch / "carrier", ZONE="world.docomo")
        stack.callback(carrier.stop)
        routes = f"docomo.example=127.0.0.1:{carrier.ports['smtp']}"
        provider = Program("mail_provider", scratch / "provider", MAIL_ROUTES=routes)
        stack.callback(provider.stop)
        took_s = asyncio.run(
            through_all(provider.ports["http"], carrier.ports["http"], mails(number), request)
        )
        out_ms, in_ms = provider.cpu_s / number * 1e3, carrier.cpu_s / number * 1e3
    print(
        f"submitted in requests of {request}, relayed, stored, noticed: {number / took_s:,.0f} mails/s;",
        end=" ",
    )
    print(f"CPU per mail: provider {out_ms:.3f} ms, carrier {in_ms:.3f} ms, together {out_ms + in_ms:.3f} ms")


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
            for mail in part:
                await client.sendmail(mail.return_path, [mail.to], mail.compose())

    await asyncio.gather(*(session(everything[n::SESSIONS]) for n in range(SESSIONS)))


def measure_libraries(number: int) -> None:
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=plain_server, args=(theirs,))
    server.start()
    port, began_s, began_cpu_s = ours.recv(), time.monotonic(), time.process_time()
    asyncio.run(by_steps(port, mails(number)))
    took_s, out_ms = time.monotonic() - began_s, (time.process_time() - began_cpu_s) / number * 1e3
    ours.send(None)
    in_ms = ours.recv() / number * 1e3
    server.join()
    print(f"aiosmtplib to aiosmtpd as they come, nothing stored: {number / took_s:,.0f} mails/s;", end=" ")
    print(f"CPU per mail: out {out_ms:.3f} ms, in {in_ms:.3f} ms, together {out_ms + in_ms:.3f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mails", type=int, default=12_000)
    parser.add_argument("--request", type=int, default=100, help="mails in one request")
    words = parser.parse_args()
    measure_all(words.mails, words.request)
    measure_libraries(BY_STEPS)


if __name__ == "__main__":
    main()
