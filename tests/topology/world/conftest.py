from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from harness.runtime.enclosures.filesystems import FileSystems
from tests.topology.world.program import Program

Start = Callable[..., Program]


@contextmanager
def programs(scratch: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def begin(
            module: str, data: Path | None = None, under: Sequence[str] = (), **environment: str
        ) -> Program:
            place = data or scratch / f"{module}-{len(begun)}"
            program = Program(f"topology.{module}", place, under, **environment)
            begun.append(program)
            stack.callback(lambda: program.kill())
            return program

        begun: list[Program] = []
        yield begin


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start one of the world's programs. It is killed when the test is over."""
    with programs(tmp_path) as begin:
        yield begin


@pytest.fixture(scope="session")
def carrier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """docomo's mail, which lives as long as the tests; each takes addresses of its own."""
    with programs(tmp_path_factory.mktemp("carrier")) as begin:
        yield begin("world.carrier_mail", ZONE="world.docomo", NODE="docomo-mail")


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory, carrier: Program) -> Iterator[Program]:
    """A provider's site that lives as long as the tests, and knows the way to docomo."""
    route = f"docomo.example=127.0.0.1:{carrier.smtp_port}"
    with programs(tmp_path_factory.mktemp("provider")) as begin:
        yield begin("world.mail_provider", MAIL_ROUTES=route, NODE="mail-provider-east")


@pytest.fixture
def enclosure(tmp_path: Path) -> Iterator[FileSystems]:
    """A storage enclosure `disk` with a volume `data`, which can fail."""
    made = FileSystems(tmp_path / "enclosures")
    made.make({"disk": ["data"]})
    yield made
    made.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)
