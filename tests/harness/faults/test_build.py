"""What a runtime lacks for a timeline is said before anything starts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.failing import Failing
from harness.failure import TROUBLES, Failure
from harness.faults.build import refuse_what_is_missing
from harness.plan import Entry
from harness.runtime import CannotRun, Runtime
from harness.runtime.docker import DockerRuntime
from harness.runtime.enclosures import filesystems
from harness.runtime.local import LocalRuntime
from harness.selector import Selector


def entry(how: Failure) -> Entry:
    return Entry("1-fail", 1.0, "fail", Failing(Selector(enclosure="storage"), how))


def plain() -> Runtime:
    """A runtime that can do the minimum."""
    return cast(Runtime, cast(Any, SimpleNamespace(name="plain")))


def test_a_runtime_without_enclosures_cannot_fail_one() -> None:
    with pytest.raises(CannotRun) as caught:
        refuse_what_is_missing([entry(Failure.BROKEN)], plain())
    assert str(caught.value) == "the plain runtime cannot fail storage: it lacks `enclosures`"


def test_what_a_runtime_can_do_is_let_through() -> None:
    refuse_what_is_missing([entry(how) for how in Failure], LocalRuntime())


def test_without_root_an_enclosure_cannot_be_made_read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filesystems, "missing", lambda: "mounting a file system needs root")
    refuse_what_is_missing([entry(Failure.BROKEN), entry(Failure.OFFLINE)], LocalRuntime())
    with pytest.raises(CannotRun) as caught:
        refuse_what_is_missing([entry(Failure.READ_ONLY)], LocalRuntime())
    assert str(caught.value) == (
        "the local runtime cannot fail storage (read-only): mounting a file system needs root"
    )


@pytest.mark.parametrize("how", sorted(TROUBLES, key=lambda how: how.value))
def test_without_a_compiler_an_enclosure_cannot_be_troubled(
    monkeypatch: pytest.MonkeyPatch, how: Failure
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(CannotRun) as caught:
        refuse_what_is_missing([entry(how)], LocalRuntime())
    assert str(caught.value) == (
        f"the local runtime cannot fail storage ({how.value}): not installed: a C compiler (apt install gcc libc6-dev)"
    )


def test_in_containers_an_enclosure_cannot_be_troubled_and_a_projects_cannot_fail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(filesystems, "missing", lambda: "")
    refuse_what_is_missing([entry(how) for how in set(Failure) - TROUBLES], DockerRuntime())
    for how in TROUBLES:
        with pytest.raises(CannotRun, match="lies under programs of the local runtime alone"):
            refuse_what_is_missing([entry(how)], DockerRuntime())
    with pytest.raises(CannotRun, match="the volumes of the project mine are folders of the engine's"):
        refuse_what_is_missing([entry(Failure.BROKEN)], DockerRuntime(attach="mine"))


def test_in_containers_nothing_fails_without_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filesystems, "missing", lambda: "mounting a file system needs root")
    with pytest.raises(CannotRun, match="mounting a file system needs root"):
        refuse_what_is_missing([entry(Failure.BROKEN)], DockerRuntime())
