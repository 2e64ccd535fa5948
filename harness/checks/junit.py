"""junit.xml, for whatever shows test results: one test case for each check and one for each fault.

A failed check is a failure, an unknown one an error, one that was not part of the run was skipped; a fault whose effect
was not seen is an error, one that never came to be injected was skipped.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from harness.checks.judge import Injected, Judgement
from harness.rundir import RunDir
from harness.rundir.verdict import Finding, Verdict

FILE: Final = "junit.xml"
#: What XML 1.0 has no character for.
_UNPRINTABLE: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
MOST_EVIDENCE: Final = 20


def write(run: RunDir, judgement: Judgement) -> Path:
    """Write junit.xml, whole or not at all."""
    return run.write(FILE, junit(judgement))


def junit(judgement: Judgement) -> str:
    """The document. The suite's errors carry what the run as a whole leaves unknown."""
    suite = ElementTree.Element("testsuite", name=_text(judgement.scenario))
    for name, finding in judgement.findings.items():
        _check(suite, judgement, name, finding)
    for fault in judgement.faults:
        _fault(suite, judgement, fault)
    _run(suite, judgement)
    for kind, plural in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(plural, str(len(suite.findall(f"testcase/{kind}"))))
    suite.set("tests", str(len(suite.findall("testcase"))))
    properties = ElementTree.Element("properties")
    for key, value in (("run", judgement.run), ("seed", judgement.seed), ("runtime", judgement.runtime)):
        ElementTree.SubElement(properties, "property", name=key, value=_text(str(value)))
    suite.insert(0, properties)
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def _check(suite: ElementTree.Element, judgement: Judgement, name: str, finding: Finding) -> None:
    case = _case(suite, judgement, name)
    if not finding.asked:
        ElementTree.SubElement(case, "skipped", message=_text(finding.why))
        return
    shown = [f"{key}: {value}" for key, value in finding.measured.items()]
    if finding.verdict is Verdict.PASS:
        ElementTree.SubElement(case, "system-out").text = _text("\n".join([finding.why, *shown]))
        return
    kind = "failure" if finding.verdict is Verdict.FAIL else "error"
    wrong = ElementTree.SubElement(case, kind, message=_text(finding.why))
    expected = [f"expected {key}: {value}" for key, value in finding.expected.items()]
    evidence = [json.dumps(row, ensure_ascii=False) for row in finding.evidence[:MOST_EVIDENCE]]
    wrong.text = _text("\n".join([*shown, *expected, *evidence]))


def _fault(suite: ElementTree.Element, judgement: Judgement, fault: Injected) -> None:
    case = _case(suite, judgement, f"fault {fault.id}")
    if fault.effect == "proven":
        ElementTree.SubElement(case, "system-out").text = _text(fault.proof)
    else:
        kind = "skipped" if fault.effect == "not injected" else "error"
        ElementTree.SubElement(case, kind, message=_text(fault.proof))


def _run(suite: ElementTree.Element, judgement: Judgement) -> None:
    """The run itself: an error where it proves nothing though every check and fault is well."""
    case = _case(suite, judgement, "run")
    if judgement.verdict is Verdict.UNKNOWN and all(
        f.verdict is Verdict.PASS for f in judgement.findings.values()
    ):
        ElementTree.SubElement(case, "error", message=_text(judgement.why))


def _case(suite: ElementTree.Element, judgement: Judgement, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=_text(judgement.scenario), name=_text(name))


def _text(text: str) -> str:
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
