"""An incident that is right, for tests to change."""

from __future__ import annotations

from pathlib import Path

from harness.incidents import reading
from harness.incidents.model import FILE, VARIANTS, Incident
from topology.document import parse

CHECKS = ("answers", "recovery", "mail")

WHOLE = """\
name: mail-1999
title: {en: The mail of 1999, ja: 1999年のメール}
why: {en: Mail was lost., ja: メールが失われた。}
began: 1999-12-31T23:59:00+09:00
sources: {DOC: {en: minutes of a meeting, ja: 議事録}}
figures:
  - {what: {en: users, ja: 利用者}, value: "1,000", source: DOC}
official:
  - {after: 0min, what: {en: it broke, ja: 故障}, source: DOC, ours: {fault: fail}}
  - {after: 38min, what: {en: first notice, ja: 第一報}, source: DOC, ours: {step: first-notice}}
  - {after: 2h, what: {en: all back, ja: 復旧}, source: DOC, ours: {measured: mail.restored_drill_s}}
countermeasures:
  - {name: two-disks, title: {en: Two disks, ja: 二重化}, source: DOC}
loses: [mail]
differences:
  - what: {en: mails that vanished, ja: 消失したメール}
    measured: mail.vanished
    as-happened: {least: 1}
    with-countermeasures: {most: 0}
    by: [two-disks]
  - {what: {en: until all were back, ja: 復旧まで}, measured: mail.restored_drill_s, times: 10, by: [two-disks]}
"""


def read(root: Path, text: str = WHOLE) -> Incident:
    """The incident of that text, in a folder below `root`."""
    folder = root / "mail-1999"
    folder.mkdir(exist_ok=True)
    (folder / FILE).write_text(text)
    for variant in VARIANTS:
        (folder / f"{variant}.yaml").touch()
    return reading.read(folder, CHECKS)


def incident() -> Incident:
    return reading.parse(parse(WHOLE, FILE).as_fields(), CHECKS, Path("mail-1999"))
