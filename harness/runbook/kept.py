"""Runbooks as plans keep them: what `Runbook.data` gave is read back as the same runbook."""

from __future__ import annotations

from harness import quantities
from harness.runbook.model import Call, Role, Runbook, Step
from harness.runbook.reading import title_of
from topology.document import Fields, Value


def from_data(value: Value) -> Runbook:
    """What `Runbook.data` gave, as plans keep it. Raises BadInput."""
    fields = value.as_fields("a runbook")
    return Runbook(
        name=fields.need("name", "a name").as_text(),
        title=title_of(fields),
        why=fields.need("why", "why").as_text(),
        arguments={key: each.as_text() for key, each in fields.need("arguments", "arguments").as_fields()},
        steps=tuple(_step_of(each.as_fields()) for each in fields.need("steps", "steps").as_items()),
    )


def _step_of(fields: Fields) -> Step:
    do, hold, role = fields.get("do"), fields.get("hold"), fields.get("role")
    return Step(
        name=fields.need("name", "a name").as_text(),
        title=title_of(fields),
        command=_plain(do.as_fields())[0] if do else None,
        proofs=_plain(fields.need("proof", "proofs").as_fields()),
        within=quantities.duration(fields.need("within", "a time")),
        hold=hold is not None,
        role=_role_of(role.as_fields()) if role else None,
    )


def _role_of(fields: Fields) -> Role:
    return Role(fields.need("name", "a name").as_text(), title_of(fields))


def _plain(fields: Fields) -> tuple[Call, ...]:
    return tuple(Call(name, {key: each.content for key, each in inner.as_fields()}) for name, inner in fields)
