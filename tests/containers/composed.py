"""The replica brought up by hand, with `docker compose`, as a person does it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests import engine

ROOT = Path(__file__).parents[2]
IMAGE = "safety-confirmation/node:latest"


def docker(
    *words: str, within_s: float = 60.0, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    # Any free port for the door, so that whatever else listens on this machine does no harm.
    environment = {**os.environ, "DOOR_PORT": "0", "DOOR_TLS_PORT": "0", **(variables or {})}
    command = ["docker", *words]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=within_s, check=False
    )


def need(*asked: str, hint: str) -> None:
    """Skip the test where Docker cannot answer this; fail it where an engine is required."""
    if (answer := docker(*asked)).returncode != 0:
        why = f"docker {' '.join(asked)}: {answer.stderr.strip()}; {hint}"
        (pytest.fail if os.environ.get(engine.REQUIRED) == "1" else pytest.skip)(why)


@dataclass(frozen=True)
class Project:
    """A Compose project of our own file, with these variables set."""

    name: str
    variables: Mapping[str, str] = field(default_factory=dict)

    def compose(self, *words: str, within_s: float = 180.0) -> subprocess.CompletedProcess[str]:
        file = ROOT / "docker-compose.multi-region.yml"
        command = ("compose", "--project-name", self.name, "--file", str(file), *words)
        return docker(*command, within_s=within_s, variables=self.variables)

    def containers(self) -> list[dict[str, Any]]:
        listed = self.compose("ps", "--all", "--format", "json").stdout
        return [json.loads(line) for line in listed.splitlines()]

    def left(self) -> list[str]:
        """What the engine still has of it."""
        mine = f"label=com.docker.compose.project={self.name}"
        kinds = (("ps", "--all"), ("volume", "ls"), ("network", "ls"))
        return [
            line for kind in kinds for line in docker(*kind, "--quiet", "--filter", mine).stdout.splitlines()
        ]

    @contextmanager
    def up(self) -> Iterator[float]:
        """Up and healthy within the context, and gone after it. Gives the seconds that it took."""
        engine.need()
        need("compose", "version", hint="topology/image/engine.sh installs it")
        need("image", "inspect", IMAGE, hint="make image")
        self.compose("down", "--volumes")
        began_s = time.monotonic()
        up = self.compose("up", "--wait")
        lasted_s = time.monotonic() - began_s
        try:
            if up.returncode != 0:
                told = [f"{each['Service']}: {each['Status']}" for each in self.containers()]
                pytest.fail("\n".join(["up --wait failed", up.stderr[-2000:], *told]))
            yield lasted_s
        finally:
            down = self.compose("down", "--volumes")
            assert down.returncode == 0, down.stderr[-2000:]
            assert self.left() == []
