"""The container engine: how it is reached, and what its refusals mean to the person who reads them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

import docker
import requests
from docker.context import ContextAPI
from docker.errors import APIError, DockerException

from harness.runtime import CannotRun, NodeFailed

#: What engine 20.10 speaks.
OLDEST_API: Final = (1, 41)
OLDEST: Final = "20.10"
DEFAULT: Final = "unix:///var/run/docker.sock"
#: The engine answers at once or, while it makes a container on a busy machine, within seconds.
PATIENCE_S: Final = 60
CONNECTIONS: Final = 64
#: An engine that cannot be asked, whatever it would say.
SILENT: Final = (requests.RequestException, DockerException, OSError)


def address() -> str:
    """Where the engine listens: DOCKER_HOST, else the current Docker context, else the usual socket."""
    if told := os.environ.get("DOCKER_HOST"):
        return told
    try:
        context = ContextAPI.get_current_context()
    except DockerException:
        return DEFAULT
    return str(context.Host or DEFAULT) if context is not None else DEFAULT


def reach() -> docker.DockerClient:
    """The engine, ready to be asked. Raises CannotRun where there is none, it may not be used, or it is too old."""
    at = address()
    try:
        client = docker.DockerClient(
            base_url=at, version="auto", timeout=PATIENCE_S, max_pool_size=CONNECTIONS
        )
        version = client.version()
    except SILENT as error:
        _refuse(at, error)
    if api(version["ApiVersion"]) < OLDEST_API:
        raise CannotRun(
            f"the engine at {at} is Docker {version['Version']} (API {version['ApiVersion']}); "
            f"{OLDEST} (API {'.'.join(map(str, OLDEST_API))}) or newer is needed"
        )
    return client


def api(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _refuse(at: str, error: Exception) -> NoReturn:
    causes = " ".join(_causes(error))
    if "PermissionError" in causes:
        raise CannotRun(
            f"this user may not use the container engine at {at}; run as root, or join its group: "
            "usermod -aG docker USER"
        ) from None
    if "FileNotFoundError" in causes or "ConnectionRefusedError" in causes:
        raise CannotRun(
            f"no container engine at {at}; start it (systemctl start docker), "
            "or say in DOCKER_HOST where another one listens"
        ) from None
    raise CannotRun(f"the container engine at {at} does not answer: {error}") from None


def _causes(error: BaseException) -> Iterator[str]:
    """The names of an error and of all that it wraps: the SDK and its HTTP library each put it into one of theirs."""
    yield type(error).__name__
    for inner in (error.__cause__, error.__context__, *error.args):
        if isinstance(inner, BaseException):
            yield from _causes(inner)


@contextmanager
def asked(what: str, node: str = "") -> Iterator[None]:
    """Around everything that is asked of the engine. What it refuses is a `NodeFailed`, or `CannotRun` for no node."""
    try:
        yield
    except APIError as error:
        said = " ".join(str(error.explanation or error).split())
        _fail(node, f"the engine would not {what}: {said}{_advice(said)}")
    except SILENT as error:
        _fail(node, f"the engine does not answer (asked to {what}): {type(error).__name__}")


def _fail(node: str, what: str) -> NoReturn:
    raise (NodeFailed(node, what) if node else CannotRun(what)) from None


def _advice(said: str) -> str:
    if "no space left" in said:
        return (
            "; its disk is full: docker system df tells by what, harness clean removes what earlier runs left"
        )
    return ""
