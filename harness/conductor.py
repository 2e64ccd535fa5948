"""Conducts a run: acts and records, judges nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import Final

from harness import canaries, hosting
from harness.alarm import LagAlarm
from harness.backup_watch import BackupWatch, try_backups
from harness.congestion import Restriction
from harness.crowd import Crowd
from harness.faults import Stage
from harness.faults.build import foresee
from harness.host import HostSampler, settle
from harness.interruption import Interruption
from harness.live import Show
from harness.load.config import LoadConfig
from harness.mishaps import Mishaps
from harness.plaintext import look_through
from harness.plan import Plan
from harness.probes.config import ProbeConfig
from harness.probes.isolation import IsolationConfig
from harness.quiet import Quiet
from harness.readback import EXPORTER, read_back
from harness.runbook import confirmers
from harness.runbook.rehearsal import Person, Rehearsal
from harness.runbook.scene import Scene
from harness.rundir import Clock, RunDir
from harness.runtime import Attaches, CannotRun, NodeFailed, Runtime
from harness.startup import bring_up, stage
from harness.timeline import Timeline
from harness.vigil import Vigil
from topology.flat import flatten
from topology.map import Map

ENROL_WITHIN_S: Final = 60.0
QUIET_WITHIN_S: Final = 90.0
#: The probes go on for so long after the last healing: it takes two seconds of them to see that all is well again.
SEEN_FOR_S: Final = 2.5


def conduct(
    plan: Plan,
    topology: Map,
    runtime: Runtime,
    run: RunDir,
    show: Show,
    interruption: Interruption,
    person: Person | None = None,
    workers: int = 1,
) -> None:
    """Play a plan and leave a run directory that tells all of it.

    1. open the run: what was planned, and the clock
    2. start the nodes, wait until each says healthy
    3. create companies and people
    4. start probes and load, wait for the steady state
    5. play the timeline; a person, if there is one, rehearses a runbook meanwhile
    6. wait for runbooks that are still being performed, heal what is still broken
    7. wait until quiet: mail drained, everyone served
    8. stop load and probes, read the final state back
    9. take everything down

    `workers`: how many of Locust's workers play the people, where one process is not enough; several have a master.

    Interrupted, or when step 5 ends with an error, it goes on with step 6. In the end it raises the first error, such
    as NodeFailed for a node or a program that did not do its part; what was recorded stays.
    """
    mishaps = Mishaps(run, show.say)
    with ExitStack() as down:
        run.clock = Clock.now(plan.drill.clock)
        run.write("plan.yaml", plan.to_yaml())
        run.write("topology.yml", flatten(plan.topology, plan.overrides, plan.variables, plan.regions))
        run.record(
            "run.started", scenario=plan.scenario, seed=plan.seed, runtime=runtime.name, workers=workers
        )
        run.record("host.settled", took_s=round(settle(), 3))
        down.enter_context(HostSampler(run))

        down.callback(runtime.close)
        foresee(plan.timeline, topology, runtime)
        runtime.prepare(topology, run)
        at = stage(runtime, topology)
        bring_up(at, run, show.nodes, interruption.asked.is_set)
        refuse_used(at)
        vigil = down.enter_context(Vigil(at, run, interruption))
        down.enter_context(BackupWatch(at, run))

        load = load_config(plan, topology, run)
        tokens = {} if interruption.asked.is_set() else enrol(at, run, load)
        if tokens and plan.performs:
            confirmers.enrol(at, run)

        crowd = Crowd(at, run, plan, show, interruption)
        down.callback(crowd.stop)
        timeline = Timeline(at, run, plan, show.say, vigil.expect)
        down.callback(timeline.close)
        if not interruption.asked.is_set():
            probes = ProbeConfig.of(topology, load=load, tokens=tokens, folder=run.path)
            crowd.start(load.shared(workers), probes, isolation(topology, run, load, tokens))
        with mishaps.noted("playing the timeline"):
            if crowd.wait_steady():
                crowd.begin()
                down.enter_context(LagAlarm(run, topology, plan.drill.clock, partial(crowd.latest, "probes")))
                if person is not None and plan.rehearsal is not None:
                    scene = Scene(at, run, vigil.expect)
                    runbook = plan.rehearsal.runbook
                    person.sit_down(Rehearsal(runbook, scene, show.say, person.by), interruption.ask)
                    down.callback(person.leave, "the run ended")
                timeline.play(crowd.wait_until)
                crowd.wait_until(plan.ends_s)
                crowd.wait_while(timeline.runbooks.over, plan.ends_s + timeline.runbooks.left_s)
                if person is not None:
                    crowd.wait_while(person.done, math.inf)
                run.record("timeline.ended")

        if interruption.asked.is_set():
            run.record("run.interrupted", why=interruption.why)
            show.say("interrupted: healing, recording, taking down (once more: only taking down)")
        with mishaps.noted("healing"):
            if person is not None:
                person.leave(interruption.why or "the run ended")
            timeline.runbooks.stop()
            timeline.heal()

        with mishaps.noted("waiting until all is quiet"):
            quiet, healed_s = Quiet(at), run.clock.seconds_now()
            drained = crowd.wait_while(quiet, healed_s + QUIET_WITHIN_S)
            crowd.wait_until(healed_s + SEEN_FOR_S)
            run.record("quiet", drained=drained, why=quiet.why)

        crowd.stop()
        with mishaps.noted("reading the final state back"):
            if tokens:  # interrupted before that, there is nobody whose state could be read
                read_back(runtime, topology, run)
        with mishaps.noted("trying the backups"):
            try_backups(runtime, topology, run)
        with mishaps.noted("looking for marked data"):
            if load.canary:
                look_through(runtime, topology, run, load.canary)
        mishaps.tell()
        run.record("run.ended", clean=not interruption.asked.is_set())


def refuse_used(at: Stage) -> None:
    """Raises CannotRun for a service that has customers already: what they did would be taken for this run's."""
    attached = at.runtime.attached() if isinstance(at.runtime, Attaches) else ""
    if not attached:
        return
    argv = ["python", "-m", "topology", "export", "companies"]
    told = at.runtime.exec(at.topology.with_role(EXPORTER)[0], argv, ENROL_WITHIN_S)
    if told.status == 0 and told.stdout.strip():  # it fails where nobody was ever enrolled
        raise CannotRun(
            f"{attached} has been used: {len(told.stdout.splitlines())} companies are enrolled there; docker compose "
            "down --volumes and up --wait make it anew"
        )


def load_config(plan: Plan, topology: Map, run: RunDir) -> LoadConfig:
    """The load that the plan's drill asks for."""
    drill = plan.drill
    return LoadConfig.of(
        topology,
        seed=plan.seed,
        clock=drill.clock,
        curve=drill.curve,
        companies=drill.companies,
        people=drill.people,
        areas=drill.areas,
        history=run.path / "history",
        opened=run.path / "mail" / "opened.arrow",
        again=drill.again,
        tls=drill.tls,
        visits=drill.visits,
        by_hand=next((e.aim.looks for e in plan.timeline if isinstance(e.aim, Restriction)), None),
        canary=canaries.mark(plan.seed) if "isolation" in plan.expect else "",
    )


def isolation(
    topology: Map, run: RunDir, load: LoadConfig, tokens: Mapping[int, str]
) -> IsolationConfig | None:
    """Who asks for another company's data; None where no data is marked. `tokens` are those of the probe people."""
    if not load.canary:
        return None
    run.record("canaries", **canaries.noted(load.population(), load.canary))
    return IsolationConfig.of(topology, load=load, token=min(tokens.values()), folder=run.path)


def enrol(at: Stage, run: RunDir, load: LoadConfig) -> dict[int, str]:
    """Enrol everybody through the service's own operator program. Gives the probe people's tokens by person."""
    people = load.population()
    web = at.topology.with_role("web")[0]
    argv = ["python", "-m", "topology", "enrol"]
    done = at.runtime.exec(web, argv, ENROL_WITHIN_S, people.jsonl().encode())
    if done.status != 0:
        raise NodeFailed(
            web.name, "enrolment failed", done.stderr.decode(errors="replace").splitlines()[-10:]
        )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    hosting.enrol(at, run, people)
    run.record("enrolled", companies=len(people.companies), people=len(people.people))
    return {row["person"]: row["token"] for row in rows}
