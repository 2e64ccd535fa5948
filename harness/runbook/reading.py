"""From a runbook's file, what its parameters are given and a topology to a runbook that can be performed.

Every complaint is a BadInput with the place: a command, a proof or a parameter that does not exist, a step without a
proof or a time, a role that nobody has, a region that the topology has not, runbooks that loop.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from harness import quantities
from harness.duration import Duration
from harness.runbook.commands import COMMANDS
from harness.runbook.kinds import EXPECTED, typed
from harness.runbook.model import Argument, Arguments, Call, Kind, Role, Runbook, Step
from harness.runbook.parameters import filled
from harness.runbook.proofs import PROOFS
from topology.document import BadInput, Fields, Scalar, Value, load_all, nearest, one_of
from topology.map import Map, Title

#: Where a scenario's own runbooks are, beside it.
FOLDER: Final = "runbooks"
#: The runbooks that come with the harness.
SUPPLIED: Final = Path(__file__).parents[2] / "scenarios" / FOLDER
NAME: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
#: The command that is no command: the steps of another runbook stand in its place.
PERFORM: Final = "perform"

#: Runbooks as they were written, by name.
Written = Mapping[str, Fields]


def written(*folders: Path) -> dict[str, Fields]:
    """Every runbook in these folders, by the name of its file; of two with the same name the later. Raises BadInput."""
    return load_all("a runbook", *folders)


def named(name: Value, known: Written) -> str:
    """The name, where it is that of a runbook. Raises BadInput."""
    wanted = name.as_text("a runbook")
    if wanted not in known:
        raise name.bad(f"a runbook: {one_of(known)}", nearest(wanted, known))
    return wanted


def bind(name: Value, arguments: Mapping[str, Value], known: Written, topology: Map) -> Runbook:
    """The runbook of that name with these arguments. Raises BadInput, at `name` or in the runbook's own file."""
    return _Binder(known, topology).bind(name, arguments, ())


@dataclass(frozen=True)
class _Binder:
    known: Written
    topology: Map

    def bind(self, name: Value, given: Mapping[str, Value], above: tuple[str, ...]) -> Runbook:
        wanted = named(name, self.known)
        if wanted in above:
            circle = " -> ".join((*above[above.index(wanted) :], wanted))
            raise BadInput(name.place, f"runbooks that loop ({circle})", "a runbook that comes to an end")
        fields = self.known[wanted]
        fields.only("name", "title", "why", "parameters", "roles", "steps")
        own = fields.need("name", "the runbook's name")
        if own.as_text("a name") != wanted or not NAME.fullmatch(wanted):
            raise own.bad(f'the name of its file, "{wanted}", of small letters, digits and hyphens')
        arguments = self._arguments(fields, given, name)
        spoken = {**arguments, **self._titles(arguments)}
        roles = _roles(fields.get("roles"))
        steps: list[Step] = []
        items = fields.need("steps", "a list of steps").as_items("a list of steps")
        for value in items:
            for step in self._steps(value, spoken, roles, (*above, wanted)):
                if step.name in [other.name for other in steps]:
                    raise value.as_fields().need("name", "a name").bad("a name that no step before it has")
                steps.append(step)
        if not steps:
            raise items.bad("at least one step")
        why = fields.need("why", "one sentence: what it is for").as_text()
        return Runbook(
            wanted,
            title_of(fields),
            why,
            {key: text.as_text() for key, text in arguments.items()},
            tuple(steps),
        )

    def _arguments(self, fields: Fields, given: Mapping[str, Value], name: Value) -> Mapping[str, Scalar]:
        """What each parameter is given; every one of them must be, and no region twice."""
        parameters = fields.get("parameters")
        kinds = {
            key: Kind(kind.as_word(Kind)) for key, kind in (parameters.as_fields() if parameters else ())
        }
        for key, each in given.items():
            if key not in kinds:
                expected = f"a parameter of {name.as_text()}: {one_of(kinds)}"
                raise BadInput(each.place, f'"{key}"', expected, nearest(key, kinds))
        arguments: dict[str, Scalar] = {}
        regions: dict[str, Scalar] = {}
        for key, kind in kinds.items():
            if (value := given.get(key)) is None:
                raise BadInput(name.place, f'no "{key}"', f"{key}: {EXPECTED[kind]}, for {name.as_text()}")
            typed(value, kind, self.topology)
            assert isinstance(value, Scalar)
            other = next((name for name, one in regions.items() if one.text == value.text), None)
            if kind is Kind.REGION and other is not None:
                raise value.bad(f"another region than that of {other}")
            if kind is Kind.REGION:
                regions[key] = value
            arguments[key] = value
        return arguments

    def _titles(self, arguments: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
        """`to.ja` and `to.en` for a parameter `to` that is a region: as people know it."""
        regions = {key: self.topology.regions.get(each.text) for key, each in arguments.items()}
        return {
            f"{key}.{language}": replace(arguments[key], text=title, value=title)
            for key, region in regions.items()
            if region is not None
            for language, title in (("en", region.title.en), ("ja", region.title.ja))
        }

    def _steps(
        self,
        value: Value,
        arguments: Mapping[str, Scalar],
        roles: Mapping[str, Role],
        above: tuple[str, ...],
    ) -> list[Step]:
        """The step; if it performs a runbook, that one's steps before it."""
        fields = filled(value.as_fields("a step: name, title, do, proof, within"), arguments).as_fields()
        fields.only("name", "title", "do", "proof", "within", "hold", "role")
        name = fields.need("name", "the step's name")
        if not NAME.fullmatch(name.as_text("a name")):
            raise name.bad("a name of small letters, digits and hyphens")
        inner: tuple[Step, ...] = ()
        command: Call | None = None
        do = fields.get("do")
        if do is not None:
            word, called = _only(do, "a command", [*COMMANDS, PERFORM])
            if word == PERFORM:
                told = called.as_fields("{runbook: …, and its parameters}")
                other = told.need("runbook", "the runbook to perform")
                inner = self.bind(other, _without(told, "runbook"), above).steps
            else:
                command = Call(word, self._call(called, COMMANDS[word].arguments))
        proof = fields.need("proof", "a proof: what is seen when the step is done")
        proofs = [
            Call(word, self._call(each, PROOFS[word].arguments))
            for word, each in _words(proof, "a proof", list(PROOFS))
        ]
        within = fields.need("within", "the time in which it is done and proven, such as 30s")
        lasts = quantities.duration(within)
        if not lasts.ms:
            raise within.bad("a time above 0s")
        step = Step(
            name.as_text(),
            title_of(fields),
            command,
            tuple(proofs),
            lasts,
            hold=_hold(fields.get("hold")),
            role=_role(fields.get("role"), roles),
        )
        return [*(replace(each, name=f"{step.name}/{each.name}") for each in inner), step]

    def _call(self, value: Value, known: Sequence[Argument]) -> Arguments:
        """The arguments of a command or a proof."""
        if isinstance(value, Scalar) and value.value is None:
            value = Fields({}, {}, value.place)
        fields = value.as_fields("{" + ", ".join(argument.name for argument in known) + "}")
        fields.only(*(argument.name for argument in known))
        return {
            argument.name: typed(
                fields.need(argument.name, f"{argument.name}: {argument.about}"), argument.kind, self.topology
            )
            for argument in known
            if argument.needed or fields.get(argument.name) is not None
        }


def _roles(value: Value | None) -> Mapping[str, Role]:
    """Those that a runbook names, each with its title."""
    expected = "roles by name: {lead: {en: …, ja: …}}"
    found: dict[str, Role] = {}
    for name, title in value.as_fields(expected) if value is not None else ():
        if not NAME.fullmatch(name):
            raise BadInput(title.place, f'"{name}"', "a role's name of small letters, digits and hyphens")
        found[name] = Role(name, titled(title))
    return found


def _role(value: Value | None, roles: Mapping[str, Role]) -> Role | None:
    if value is None:
        return None
    word = value.as_text("a role")
    if word not in roles:
        known = one_of(roles) if roles else "none is named; add roles: {lead: {en: …, ja: …}} to the runbook"
        raise value.bad(f"a role of the runbook: {known}", nearest(word, roles))
    return roles[word]


def _hold(value: Value | None) -> bool:
    """`hold: true`; a step that is no hold point says nothing of it, or false."""
    if value is None:
        return False
    if not isinstance(value, Scalar) or not isinstance(value.value, bool):
        raise value.bad("true, if the next step must not start before this one is proven")
    return value.value


def _only(value: Value, what: str, known: Sequence[str]) -> tuple[str, Value]:
    found = _words(value, what, known)
    if len(found) != 1:
        raise value.as_fields().bad_key(found[1][0], f"one {what.removeprefix('a ')} in a step")
    return found[0]


def _words(value: Value, what: str, known: Sequence[str]) -> list[tuple[str, Value]]:
    """Commands or proofs: a mapping of names to arguments, or a name that needs none."""
    if isinstance(value, Scalar):
        return [(value.as_word(known), Fields({}, {}, value.place))]
    fields = value.as_fields(f"{what}: {one_of(known)}")
    if not fields.values:
        raise fields.bad(f"{what}: {one_of(known)}")
    for word in fields.values:
        if word not in known:
            raise fields.bad_key(word, f"{what}: {one_of(known)}", nearest(word, known))
    return list(fields)


def _without(fields: Fields, key: str) -> Mapping[str, Value]:
    return {name: value for name, value in fields if name != key}


def title_of(fields: Fields) -> Title:
    """What stands after `title`. Raises BadInput."""
    return titled(fields.need("title", "title: {en: …, ja: …}"))


def titled(value: Value) -> Title:
    """A title in both languages. Raises BadInput."""
    title = value.as_fields("title: {en: …, ja: …}")
    title.only("en", "ja")
    en, ja = title.need("en", "the English title"), title.need("ja", "the Japanese title")
    return Title(en.as_text(), ja.as_text())


def within_of(runbook: Runbook) -> Duration:
    """The time in which all of it is done, by its plan."""
    return Duration(sum(step.within.ms for step in runbook.steps))
