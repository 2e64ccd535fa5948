from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import library, plan, scenario
from harness.checks import CHECKS
from harness.congestion import Restriction
from harness.plan import Plan
from topology import map as topology_map
from topology.document import BadInput
from topology.map import Map

pytestmark = pytest.mark.takes(15)

EXPECTABLE: Mapping[str, Mapping[str, str]] = {name: check.EXPECTS for name, check in CHECKS.items()}
SUPPLIED = sorted(path.stem for path in (*library.scenarios(), *library.controls()))

HEAD = """\
name: drawn
title: {{en: "{title}", ja: 題}}
why: To be drawn.
drill: {{event: kanto-shindo7, companies: 3, people: 30, curve: everyone-2019, clock: 60}}
ends: 60s
timeline:
"""

FAULTS = {
    "lose": ("restore", ["{zone: singapore.c}", "{node: web-a1}", "{node: web-a2}", "{node: balancer-b}"]),
    "hang": (
        "resume",
        ["{node: web-b1}", "{role: balancer, zone: singapore.a}", "{role: database, is: standby}"],
    ),
    "cut": (
        "join",
        ["{between: [agency, feed-a]}", "{from: [mailer-a, mailer-b], to: world.east, oneway: true}"],
    ),
    "degrade": ("ease", ["{link: docomo, refused: 30%}", "{link: au, latency: 200ms}"]),
    "fail": ("repair", ["{enclosure: au-storage}", "{role: database, is: primary, how: read-only}"]),
    "stale": ("fresh", ["{carrier: docomo, share: 30%, keeps: 2min}", "{carrier: au, share: 1, keeps: 40s}"]),
}


def made(topology: Map, text: str, folder: Path, seed: int = 1) -> Plan:
    path = folder / "drawn.yaml"
    path.write_text(text)
    return plan.make(scenario.read(path, EXPECTABLE), topology, seed, compose="compose.yml")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where drawn scenarios are written, one after the other."""
    return tmp_path_factory.mktemp("scenarios")


@st.composite
def scenarios(draw: st.DrawFn) -> str:
    """Any scenario without contradictions: every target at most once, taken back in one of three ways."""
    title = draw(
        st.text(st.characters(exclude_characters='"\\', exclude_categories=["C", "Zl", "Zp"]), min_size=1)
    )
    entries: list[tuple[int, str]] = [(0, "publish: kanto-shindo7")]
    for verb, (undo, targets) in FAULTS.items():
        for target in draw(st.lists(st.sampled_from(targets), unique=True)):
            at = draw(st.integers(0, 50_000))
            end = draw(st.integers(at + 1, 60_000))
            how = draw(st.sampled_from(["for", "undo", "never"]))
            entries.append((at, f"{verb}: {target}" + (f", for: {end - at}ms" if how == "for" else "")))
            if how == "undo":
                link = target.partition(",")[0] + "}" if verb in ("degrade", "stale") else target
                link = link.replace(", how: read-only", "")
                entries.append((end, f"{undo}: {link}"))
    entries.sort(key=lambda entry: entry[0])
    return HEAD.format(title=title.strip() or "x") + "".join(
        f"  - {{at: {at}ms, {what}}}\n" for at, what in entries
    )


PLANS = settings(max_examples=40)


@PLANS
@given(text=scenarios(), seed=st.integers(-(2**31), 2**31))
def test_any_plan_is_in_order_and_takes_back_what_it_breaks(
    replica: Map, folder: Path, text: str, seed: int
) -> None:
    found = made(replica, text, folder, seed)
    times = [entry.at_s for entry in found.timeline]
    assert times == sorted(times)
    assert all(0 <= at_s <= found.ends_s for at_s in times)
    assert [entry.id for entry in found.timeline] == [
        f"{n}-{e.verb}" for n, e in enumerate(found.timeline, 1)
    ]
    for fault in found.faults:
        undoing = [entry for entry in found.timeline if entry.undoes == fault.id]
        assert len(undoing) + (fault in found.unhealed) == 1
        assert all(entry.at_s > fault.at_s and entry.aim == fault.aim for entry in undoing)


@PLANS
@given(text=scenarios())
def test_a_plan_is_the_same_every_time_and_after_it_was_written(
    replica: Map, folder: Path, text: str
) -> None:
    found = made(replica, text, folder)
    assert found == made(replica, text, folder)
    assert Plan.from_yaml(found.to_yaml()) == found


@pytest.mark.parametrize("name", SUPPLIED)
def test_the_supplied_scenarios_can_be_planned(name: str) -> None:
    read = scenario.read(library.scenario(name), EXPECTABLE)
    assert read.name == name
    standing = read.standing(topology_map.read(library.TOPOLOGY, (), read.variables))
    found = plan.make(read, standing, 7, compose="compose.yml", versions={"PostgreSQL": "18.0"})
    assert found.regions == standing.service_regions
    assert Plan.from_yaml(found.to_yaml()) == found
    assert "publish" in {entry.verb for entry in found.timeline}
    lasting = [entry for entry in found.unhealed if not isinstance(entry.aim, Restriction)]
    assert not lasting or len(found.regions) > 1, "only a region may stay lost"
    lost, rpo_s = (found.expect.get("answers", {}).get(name, 0) for name in ("lost", "rpo"))
    assert (lost, rpo_s) == (0, 0) or len(found.regions) > 1, "only another region may lack something"


def test_every_scenario_that_is_asked_for_is_there() -> None:
    wanted = {"calm", "az-loss", "db-primary-loss", "zone-partition", "false-alarm", "balancer-loss"}
    assert wanted <= set(SUPPLIED)


def test_a_plan_that_was_damaged_is_refused(replica: Map, folder: Path) -> None:
    whole = made(replica, HEAD.format(title="x") + "  - {at: 1s, lose: {node: web-a1}}\n", folder).to_yaml()
    for old, new in (
        ("seed: 1", "seed: one"),
        ("verb: lose", "verb: loose"),
        ("ends_s:", "ends:"),
        ("drill:", "dril:"),
    ):
        with pytest.raises(BadInput, match=r"^plan.yaml:\d+:\d+: "):
            Plan.from_yaml(whole.replace(old, new))


AZ_LOSS = library.scenario("az-loss").read_text()
WORDS = AZ_LOSS.replace("{", " { ").replace("}", " } ").replace(",", " , ").replace(":", " : ").split()


@st.composite
def slips(draw: st.DrawFn) -> bytes:
    """The scenario of a lost zone with something typed wrong."""
    text = AZ_LOSS
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        end = draw(st.integers(at, min(len(text), at + draw(st.sampled_from([0, 1, 3, 30])))))
        typed = draw(
            st.sampled_from([*WORDS, "", "\n", "  ", "- ", "'", '"', "&a ", "*a", "<<", "!x", "~", "%", "\t"])
            | st.text(max_size=3)
        )
        text = text[:at] + typed + text[end:]
    raw = text.encode("utf-8", "surrogatepass")
    cut = draw(st.integers(0, len(raw))) if draw(st.integers(0, 9)) == 0 else len(raw)
    return raw[:cut]


@settings(max_examples=150)
@given(raw=slips())
def test_any_slip_of_the_pen_is_planned_or_refused(replica: Map, folder: Path, raw: bytes) -> None:
    path = folder / "slip.yaml"
    path.write_bytes(raw)
    refusal = ""
    try:
        found = plan.make(scenario.read(path, EXPECTABLE), replica, 1, compose="compose.yml")
        assert Plan.from_yaml(found.to_yaml()) == found
    except BadInput as error:
        refusal = str(error)
    assert not refusal or refusal.startswith(f"{path}:")
    assert "\n" not in refusal
