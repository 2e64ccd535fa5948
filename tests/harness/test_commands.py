"""What a user meets: exit statuses, one message each, and never a traceback."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import psutil
import pytest
import yaml

from harness import library, standing
from harness.incidents.model import VARIANTS
from tests.commands import Ran, harness

pytestmark = pytest.mark.takes(30)

SCENARIO = (library.SCENARIOS / "az-loss.yaml").read_text()
TOPOLOGY = library.TOPOLOGY.read_text()


def refused(ran: Ran) -> str:
    """The one message of a command that refused its input."""
    assert ran.status == 2, ran
    assert "Traceback" not in ran.stderr
    (message,) = [line for line in ran.stderr.splitlines() if line]
    return message


def scenario(tmp_path: Path, *changes: tuple[str, str]) -> str:
    text = SCENARIO
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("restore:", "resotre:", "restore"),
        ("lose: {zone: singapore.a}", "lose: {zone: singapor.a}", "singapore.a"),
        ("at: 60s", "at: 60 parsecs", "60 parsecs"),
        ("people: 17800", "peeple: 17000", "people"),
        ("  - {at: 60s, lose: {zone: singapore.a}}\n", "", "restore"),
        ("answers:", "anwsers:", "answers"),
        ("rpo: 0s", "rpq: 0s", "rpo"),
        ("timeline:", "timeline: [", "YAML"),
    ],
)
def test_a_bad_scenario_is_refused_with_its_place(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = scenario(tmp_path, (old, new))
    message = refused(harness("run", path, runs=tmp_path / "runs"))
    assert f"{path}:" in message
    assert says in message
    assert not (tmp_path / "runs").exists(), "nothing was started"


def test_a_bad_topology_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "compose.yml"
    path.write_text(TOPOLOGY.replace("<<: *is-web, topology.zone: singapore.a", "<<: *is-web"))
    message = refused(harness("plan", "calm", "--topology", str(path), runs=tmp_path))
    assert f"{path}:" in message
    assert "topology.zone" in message


@pytest.mark.parametrize(
    ("role", "renamed", "says"),
    [
        ("observers", "watchers", "found no nodes of role observers, expected one node of it"),
        ("citizens", "persons", "found no nodes of role citizens, expected one node of it"),
        ("citizens", "citizen", 'found "citizen", expected a role; did you mean "citizens"?'),
        ("agency", "office", "found no nodes of role agency"),
        ("citizens", "observers", "found 2 nodes of role observers"),
    ],
)
def test_a_topology_that_lacks_whom_the_harness_needs_is_refused(
    tmp_path: Path, role: str, renamed: str, says: str
) -> None:
    path = tmp_path / "compose.yml"
    path.write_text(TOPOLOGY.replace(f"topology.role: {role},", f"topology.role: {renamed},"))
    message = refused(harness("plan", "calm", "--topology", str(path), runs=tmp_path))
    assert f"{path}:" in message
    assert says in message


@pytest.mark.parametrize("seed", ["x", "-1", "99999999999999999999"])
def test_a_seed_is_a_number_that_every_part_takes(tmp_path: Path, seed: str) -> None:
    ran = harness("plan", "calm", "--seed", seed, runs=tmp_path)
    assert ran.status == 2
    assert "--seed" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_an_unknown_name_is_told_with_the_nearest(tmp_path: Path) -> None:
    assert 'did you mean "az-loss"?' in refused(harness("run", "az-los", runs=tmp_path))
    assert "no run directory" in refused(harness("check", "nothing", runs=tmp_path))
    assert "(harness list shows them)" in refused(harness("plan", "nothing", runs=tmp_path))
    assert "Did you mean 'plan'?" in harness("plam", "calm", runs=tmp_path).stderr
    assert 'did you mean "asynchronous-replication"?' in refused(
        harness("plan", "calm", "--with", "asynchronous-replicaton", runs=tmp_path)
    )


@pytest.mark.parametrize(("name", "found"), [("./", "a folder"), ("x" * 5000 + ".yaml", "no such file")])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str, found: str) -> None:
    assert refused(harness("plan", name, runs=tmp_path)).startswith(
        f"harness: {name}: found {found}, expected"
    )


def test_a_scenario_that_was_run_is_no_run_and_its_newest_is(tmp_path: Path) -> None:
    for run in ("20260101T000000-1", "20260102T000000-1"):
        (tmp_path / "calm" / run).mkdir(parents=True)
        (tmp_path / "calm" / run / "events.jsonl").touch()
    assert 'did you mean "calm/20260102T000000-1"?' in refused(harness("check", "calm", runs=tmp_path))


def test_a_setting_is_checked_like_the_file(tmp_path: Path) -> None:
    message = refused(harness("plan", "calm", "--set", "drill.peple=3", runs=tmp_path))
    assert "--set drill.peple=3" in message
    assert "people" in message


def test_plan_shows_the_timeline_and_starts_nothing(tmp_path: Path) -> None:
    ran = harness("plan", "az-loss", runs=tmp_path / "runs")
    assert ran.status == 0, ran
    for word in ("60", "lose singapore.a", "110", "restore singapore.a", "web-a1"):
        assert word in ran.stdout
    assert not (tmp_path / "runs").exists()


def test_plan_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    first, second = (harness("plan", "az-loss", "--seed", "7", runs=tmp_path).stdout for _ in range(2))
    assert first == second


def test_list_names_every_scenario_control_incident_and_defect_in_its_group(tmp_path: Path) -> None:
    ran = harness("list", runs=tmp_path)
    groups = ran.stdout.partition("controls (harness run NAME must fail):")
    controls, _, rest = groups[2].partition("incidents (harness replay NAME plays each")
    incidents, _, defects = rest.partition("defects (harness run S --with NAME must fail):")
    for known, told in (
        (library.scenarios(), groups[0]),
        (library.controls(), controls),
        (library.incidents(), incidents),
        (library.defects(), defects),
    ):
        assert known
        assert [path.stem for path in known] == [
            line.split()[0] for line in told.splitlines() if line.startswith("  ")
        ]


def test_what_a_defect_is_said_to_do_is_said_whole() -> None:
    told = {path.stem: library.title(path) for path in library.defects()}
    assert [name for name, says in told.items() if not says.endswith(".")] == []
    assert told["asynchronous-replication"].startswith("The primary acknowledges")


def test_a_scenario_lays_its_own_defects_over_the_topology(tmp_path: Path) -> None:
    path = scenario(tmp_path, ("timeline:", "with: [unfenced-return]\ntimeline:"))
    for more in ((), ("--with", "unfenced-return")):  # each once
        told = harness("plan", path, *more, runs=tmp_path).stdout
        assert told.count("unfenced-return.yml") == 1
    told = harness("plan", path, "--with", "mail-provider-drops", runs=tmp_path).stdout
    assert told.index("unfenced-return.yml") < told.index("mail-provider-drops.yml")


@pytest.mark.parametrize(
    ("name", "says"),
    [("unfenced-retrun", 'did you mean "unfenced-return"?'), ("mine.yml", 'no file "mine.yml"')],
)
def test_a_defect_that_a_scenario_has_not_is_refused_with_its_place(
    tmp_path: Path, name: str, says: str
) -> None:
    path = scenario(tmp_path, ("timeline:", f"with: [{name}]\ntimeline:"))
    message = refused(harness("plan", path, runs=tmp_path))
    assert f"{path}:" in message
    assert says in message


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("region-mov", "--auto"), 'did you mean "region-move"?'),
        (("mine.yaml", "--auto"), "mine.yaml: found no such file"),
        (("region-move",), "found no terminal, expected a person at one, or --auto"),
        (("region-move", "--auto", "--param", "to=tokio"), '--param to=tokio: found "tokio"'),
        (("region-move", "--auto", "--who", "operater=Sato"), 'did you mean "operator"?'),
        (("region-move", "--auto", "--who", "Sato"), "expected ROLE=NAME"),
        (("region-move", "--auto", "--patience", "3m"), 'did you mean "3min"?'),
        (("region-move", "--auto", "--patience", "0s"), "a duration above 0s"),
        (("planned-move", "--auto"), 'no "from"'),
    ],
)
def test_what_cannot_be_rehearsed_is_refused(tmp_path: Path, argv: tuple[str, ...], says: str) -> None:
    message = refused(harness("rehearse", *argv, "--scenario", "region-loss", runs=tmp_path / "runs"))
    assert says in message
    assert not (tmp_path / "runs").exists(), "nothing was started"


def test_a_control_is_found_by_its_name(tmp_path: Path) -> None:
    ran = harness("plan", "move-after-the-disaster", runs=tmp_path)
    assert ran.status == 0, ran
    assert "nothing-stands-by.yml" in ran.stdout


def test_doctor_says_what_this_machine_can_do(tmp_path: Path) -> None:
    ran = harness("doctor", runs=tmp_path)
    assert ran.status == 0, ran
    assert "local runtime" in ran.stdout


def test_what_is_coming_up_is_neither_up_nor_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        threading.Thread(target=process.wait).start()  # else it would stay as a zombie, which is there
        started = psutil.Process(process.pid).create_time()
        standing.write(tmp_path, standing.State(process.pid, started, "", "up/1", {}))
        status = harness("status", runs=tmp_path)
        assert (status.status, status.stdout) == (3, f"coming up, process {process.pid}, up/1\n")
        second = harness("up", runs=tmp_path)
        assert (second.status, "already coming up" in second.stderr) == (4, True)
        performed = harness("perform", "region-move", runs=tmp_path)
        assert (performed.status, "still coming up" in performed.stderr) == (4, True)
        assert harness("down", runs=tmp_path).stdout == "nodes that were coming up are down\n"


def test_nothing_is_up_and_nothing_to_take_down(tmp_path: Path) -> None:
    assert harness("status", runs=tmp_path).stdout.startswith("nothing is up")
    assert harness("down", runs=tmp_path).stdout == "nothing was up\n"


def test_a_stack_is_written_with_the_files_of_its_configs_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "for-us" / "swarm.yml"
    ran = harness("stack", "-o", str(file), "--with", "asynchronous-replication", runs=tmp_path / "runs")
    assert (ran.status, ran.stderr) == (0, "")
    assert str(file) in ran.stdout
    services = yaml.safe_load(file.read_text())["services"]
    assert services["database-a"]["environment"]["DATABASE_SYNCHRONOUS"] == "off"
    configs = yaml.safe_load(file.read_text())["configs"]
    assert all((file.parent / config["file"]).is_file() for config in configs.values())
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("    hostname: web-a1\n", "    hostname: web-a1\n    privileged: true\n", 'found "privileged"'),
        ("    hostname: web-a1\n", "    hostname: web-a1\n    imag: x\n", 'did you mean "image"?'),
    ],
)
def test_what_no_stack_can_be_made_of_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    path, file = tmp_path / "compose.yml", tmp_path / "stack.yml"
    path.write_text(TOPOLOGY.replace(old, new))
    message = refused(harness("stack", "-f", str(path), "-o", str(file), runs=tmp_path))
    place = TOPOLOGY[: TOPOLOGY.index(old) + len(old)].count("\n") + 1
    assert f"{path}:{place}:" in message
    assert says in message
    assert not file.exists()


def test_a_misspelt_runbook_is_told_though_nothing_is_up(tmp_path: Path) -> None:
    assert 'did you mean "region-move"?' in refused(harness("perform", "regoin-move", runs=tmp_path))
    performed = harness("perform", "region-move", runs=tmp_path)
    assert (performed.status, "nothing is up" in performed.stderr) == (4, True)


@pytest.mark.parametrize("command", ["up", "stack"])
def test_a_clock_too_fast_to_see_anything_brings_nothing_up(command: str, tmp_path: Path) -> None:
    message = refused(harness(command, "--clock", "1e12", runs=tmp_path / "runs"))
    assert "--clock: found 1e+12, expected at most 6,000" in message
    assert not (tmp_path / "runs").exists()


def test_what_cannot_be_replayed_is_refused_before_anything_starts(tmp_path: Path) -> None:
    message = refused(harness("replay", "canon-mj-2020-04-3", runs=tmp_path / "runs"))
    assert 'did you mean "canon-mj-2020-04-30"?' in message
    message = refused(
        harness("replay", "canon-mj-2020-04-30", "--set", "drill.peple=3", runs=tmp_path / "runs")
    )
    assert 'did you mean "people"?' in message
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("incident", [folder.name for folder in library.incidents()])
def test_both_scenarios_of_an_incident_can_be_planned_by_name(
    tmp_path: Path, incident: str, variant: str
) -> None:
    ran = harness("plan", f"{incident}/{variant}", runs=tmp_path)
    assert ran.status == 0, ran
    assert ran.stdout.startswith(f"{incident}")
