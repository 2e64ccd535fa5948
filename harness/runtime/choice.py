"""Which runtimes there are. Each is loaded when it is asked for: most commands need neither."""

from __future__ import annotations

from typing import Final

from harness.runtime import Runtime
from topology.map import Map

LOCAL, DOCKER = "local", "docker"
NAMES: Final = (LOCAL, DOCKER)


def ready(name: str, topology: Map, attach: str = "") -> None:
    """Before a house is entered: refuse what cannot run here, and begin what must outlive the house.

    `attach`: the project that is running already. Raises CannotRun. What the local runtime cannot do is told by the
    house itself.
    """
    if name == DOCKER:
        from harness.runtime.docker import reaper, refuse_what_cannot_run

        refuse_what_cannot_run(topology, attach)
        reaper.session()


def make(name: str, attach: str = "") -> Runtime:
    if name == DOCKER:
        from harness.runtime.docker import DockerRuntime

        return DockerRuntime(attach=attach)
    from harness.runtime.local import LocalRuntime

    return LocalRuntime()
