"""Running a program to its end inside a container."""

from __future__ import annotations

import time
from collections.abc import Sequence

import docker

from harness.runtime import Completed
from harness.runtime.docker.stream import STDERR, STDOUT, Stream


def run(
    engine: docker.DockerClient, at: str, container: str, argv: Sequence[str], timeout_s: float, stdin: bytes
) -> Completed | None:
    """None if it did not end in time. `at` is where the engine listens. Raises as the SDK does."""
    deadline_s = time.monotonic() + timeout_s
    made = engine.api.exec_create(container, list(argv), stdin=True)
    printed = {STDOUT: bytearray(), STDERR: bytearray()}
    path = f"/v{engine.api.api_version}/exec/{made['Id']}/start"
    with Stream(at, path, {"Detach": False, "Tty": False}) as stream:
        stream.send(stdin)
        try:
            for which, piece in stream.frames(deadline_s - time.monotonic()):
                printed[which] += piece
        except TimeoutError:
            return None
    status = engine.api.exec_inspect(made["Id"])["ExitCode"]
    return Completed(status, bytes(printed[STDOUT]), bytes(printed[STDERR]))
