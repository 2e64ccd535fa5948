"""A compose file in Compose's own words: which services there are and what each runs. Knows nothing of zones.

Words of Compose that change nothing here (`build`, `healthcheck`, `restart`, …) are accepted and passed over;
words that would change what a node is (`extends`, `env_file`, `entrypoint`, …) are refused, so that nothing
is lost silently.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from topology import confinement
from topology.confinement import Confinement
from topology.document import BadInput, Fields, Items, Place, Scalar, Value, load, nearest, one_of, quoted
from topology.interpolation import interpolate
from topology.overlay import layered

_WORD: Final = re.compile(r"\w+")
_READ: Final = _WORD.findall("""
    image command environment volumes configs depends_on hostname networks labels profiles
""")
_PASSED_OVER: Final = _WORD.findall("""
    annotations attach build container_name cpu_count cpu_percent cpu_period cpu_quota
    cpus cpuset devices dns dns_opt dns_search domainname expose extra_hosts group_add
    healthcheck init ipc logging mem_limit mem_reservation mem_swappiness memswap_limit
    oom_kill_disable oom_score_adj pid pids_limit platform ports privileged pull_policy
    restart runtime shm_size stdin_open stop_grace_period stop_signal tty ulimits userns_mode working_dir
""")


@dataclass(frozen=True)
class Mount:
    """Something seen at `target` inside the node: a volume by its name, or a file's content."""

    source: str
    target: str


@dataclass(frozen=True)
class Service:
    """One service. `labels` is as written; `also_on` names further networks, on which its address is of no concern.

    `place` and `address_place` are for complaints.
    """

    name: str
    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    volumes: tuple[Mount, ...]
    configs: tuple[Mount, ...]  # source: the content
    confinement: Confinement
    depends_on: tuple[str, ...]
    address: IPv4Address
    address_place: Place
    also_on: tuple[str, ...]
    labels: Fields
    place: Place


@dataclass(frozen=True)
class Project:
    """All services of a compose file, and the file itself for what Compose has no word for.

    `dormant` are those whose profiles are not asked for, as they were written; `profiles` are all that there are.
    """

    name: str
    services: Mapping[str, Service]
    file: Fields
    dormant: Mapping[str, Fields]
    profiles: tuple[str, ...]


def read_project(path: Path, overrides: Iterable[Path], variables: Mapping[str, str]) -> Project:
    """The compose file with override files laid over it and variables replaced. Raises BadInput."""
    file = read_file(path, overrides, variables)
    name = file.get("name")
    reader = _Services(file, path.parent, variables)
    services = reader.read()
    _no_address_twice(services.values())
    _no_cycle(services, file.need("services", "the services").as_fields())
    called = name.as_text("the project's name") if name else path.parent.name
    return Project(called, services, file, reader.dormant, reader.profiles)


def read_file(path: Path, overrides: Iterable[Path], variables: Mapping[str, str]) -> Fields:
    """The compose file with override files laid over it and variables replaced, as it stands."""
    files = [interpolate(load(each, "a compose file"), variables) for each in (path, *overrides)]
    file = layered([each.as_fields() for each in files])
    file.only("name", "version", "services", "networks", "volumes", "configs", extensions=True)
    return file


def active_profiles(variables: Mapping[str, str]) -> frozenset[str]:
    """The profiles that are asked for, in Compose's own variable."""
    return frozenset(name for name in variables.get("COMPOSE_PROFILES", "").split(",") if name)


def profiles(service: Fields) -> tuple[str, ...]:
    """Those of a service as it was written; none: it is always there."""
    written = service.get("profiles")
    return (
        tuple(each.as_text("a profile") for each in written.as_items("a list of profiles")) if written else ()
    )


def is_wanted(service: Fields, active: Collection[str]) -> bool:
    """Whether a service as it was written is there with these profiles."""
    return "profiles" not in service or any(each in active for each in profiles(service))


class _Services:
    """Reads services against the volumes, networks and configs that the file declares."""

    def __init__(self, file: Fields, folder: Path, variables: Mapping[str, str]) -> None:
        self.variables = variables
        self.all = file.need("services", "the services").as_fields("services")
        self.networks = _names(file, "networks")
        self.volumes = _names(file, "volumes")
        configs = file.get("configs")
        self.configs = {
            name: content_of(name, value, folder) for name, value in (configs.as_fields() if configs else ())
        }
        active = active_profiles(variables)
        services = {name: value.as_fields("a service") for name, value in self.all}
        self.wanted = {name: fields for name, fields in services.items() if is_wanted(fields, active)}
        self.dormant = {name: fields for name, fields in services.items() if name not in self.wanted}
        self.profiles = tuple(
            dict.fromkeys(each for fields in services.values() for each in profiles(fields))
        )

    def read(self) -> dict[str, Service]:
        return {name: self._service(name, fields) for name, fields in self.wanted.items()}

    def _service(self, name: str, fields: Fields) -> Service:
        fields.only(*_READ, *confinement.WORDS, *_PASSED_OVER, extensions=True)
        place = self.all.keys[name]
        self._hostname(name, fields.get("hostname"))
        home, address, address_place = self._address(fields)
        labels = fields.get("labels")
        return Service(
            name=name,
            image=fields.need("image", "the image that the service runs").as_text("an image"),
            command=_command(fields.get("command")),
            environment=self._environment(fields.get("environment")),
            volumes=tuple(self._volume(each) for each in _items(fields, "volumes")),
            configs=tuple(self._config(each) for each in _items(fields, "configs")),
            confinement=confinement.read(fields),
            depends_on=self._depends_on(fields.get("depends_on")),
            address=address,
            address_place=address_place,
            also_on=tuple(each for each in fields.need("networks", "").as_fields().values if each != home),
            labels=labels.as_fields("labels") if labels else Fields({}, {}, place),
            place=place,
        )

    def _environment(self, value: Value | None) -> dict[str, str]:
        """A variable with no value is passed on from outside, if it is set there."""
        environment: dict[str, str] = {}
        for key, each in value.as_fields("a mapping of variables") if value else ():
            if not isinstance(each, Scalar) or isinstance(each.value, bool):
                raise each.bad("text, a number or nothing (put quotes around true and false)")
            if each.value is not None:
                environment[key] = each.text
            elif key in self.variables:
                environment[key] = self.variables[key]
        return environment

    def _volume(self, value: Value) -> Mount:
        if isinstance(value, Fields):
            value.only("type", "source", "target", "read_only")
            name = value.need("source", "a volume's name")
            target = value.need("target", "the path where it is seen").as_text("a path")
            self._declared(name, name.as_text("a volume's name"), self.volumes, "volumes")
            return Mount(name.as_text(), target)
        volume, _, rest = value.as_text("name:/path").partition(":")
        target = rest.partition(":")[0]
        if not target.startswith("/"):
            raise value.bad("name:/path, a named volume and where it is seen")
        self._declared(value, volume, self.volumes, "volumes")
        return Mount(volume, target)

    def _config(self, value: Value) -> Mount:
        if isinstance(value, Fields):
            value.only("source", "target", "uid", "gid", "mode")
            source, seen = value.need("source", "a config's name"), value.get("target")
        else:
            source, seen = value, None
        name = source.as_text("a config's name")
        self._declared(source, name, self.configs, "configs")
        return Mount(self.configs[name], seen.as_text("a path") if seen else f"/{name}")

    def _depends_on(self, value: Value | None) -> tuple[str, ...]:
        fields = value.as_fields("a list of services") if value else Fields({}, {}, Place(""))
        for name in fields.values:
            if name not in self.wanted:
                raise fields.bad_key(name, "a service of this file", nearest(name, self.wanted))
        return tuple(fields.values)

    def _hostname(self, name: str, value: Value | None) -> None:
        """A service goes by one name in every runtime."""
        if value is not None and value.as_text("the service's name") != name:
            raise value.bad(f"the service's own name, {name}")

    def _address(self, fields: Fields) -> tuple[str, IPv4Address, Place]:
        """The network on which a service has an address of its own, and that address."""
        expected = "networks: {…: {ipv4_address: …}}"
        networks = fields.need("networks", expected).as_fields(expected)
        for name in networks.values:
            if name not in self.networks:
                raise networks.bad_key(
                    name, f"a network: {one_of(self.networks)}", nearest(name, self.networks)
                )
        homes = [name for name, attached in networks if "ipv4_address" in attached.as_fields(expected)]
        if len(homes) != 1:
            found = f"{len(homes)} networks with an address" if homes else 'no "ipv4_address"'
            raise BadInput(networks.place, found, "one network with an address such as 10.77.1.11")
        written = networks.need(homes[0], expected).as_fields().need("ipv4_address", expected)
        try:
            return homes[0], IPv4Address(written.as_text("an address such as 10.77.1.11")), written.place
        except ValueError:
            raise written.bad("an address such as 10.77.1.11") from None

    def _declared(self, value: Value, name: str, known: Iterable[str], where: str) -> None:
        if name not in (names := list(known)):
            raise BadInput(value.place, quoted(name), f"a name under {where}", nearest(name, names))


def _names(file: Fields, key: str) -> list[str]:
    value = file.get(key)
    return list(value.as_fields(key).values) if value else []


def _items(fields: Fields, key: str) -> Sequence[Value]:
    value = fields.get(key)
    return value.as_items().values if value else ()


def _command(value: Value | None) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, Items):
        return tuple(each.as_text("a word of the command") for each in value)
    try:
        return tuple(shlex.split(value.as_text("a command")))
    except ValueError as error:
        raise value.bad(f"a command as a shell splits it ({error})") from None


def content_of(name: str, value: Value, folder: Path) -> str:
    """What a config holds: written here (`content`) or in a file beside the compose file (`file`)."""
    fields = value.as_fields("a config with content or file")
    fields.only("content", "file", "name")
    if content := fields.get("content"):
        return content.as_text(f"the content of config {name}")
    source = fields.need("file" if "file" in fields else "content", f"the content of config {name}")
    try:
        return (folder / source.as_text("a file's path")).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise source.bad(f"a readable file ({error})") from None


def _no_address_twice(services: Iterable[Service]) -> None:
    seen: dict[IPv4Address, Service] = {}
    for service in services:
        first = seen.setdefault(service.address, service)
        if first is not service:
            found = f"{service.address} again"
            expected = f"an address of its own; {first.name} has it ({first.address_place})"
            raise BadInput(service.address_place, found, expected)


def _no_cycle(services: Mapping[str, Service], written: Fields) -> None:
    try:
        TopologicalSorter({name: service.depends_on for name, service in services.items()}).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        depends_on = written.values[circle[1]].as_fields().need("depends_on", "").as_fields()
        found = "a circle: " + " waits for ".join(reversed(circle))
        raise BadInput(depends_on.keys[circle[0]], found, "depends_on without a circle") from None
