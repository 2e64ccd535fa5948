"""Small telegrams for tests, written by hand after the agency's schemas."""

from __future__ import annotations

from collections.abc import Mapping

QUAKES = {"VXSE51": "震度速報", "VXSE53": "震源・震度に関する情報"}


def quake(
    event: str,
    areas: Mapping[str, str] | None = None,
    *,
    kind: str = "VXSE51",
    info: str = "発表",
    status: str = "通常",
    serial: str = "",
    at: str = "2026-03-11T14:48:00+09:00",
) -> bytes:
    found = "".join(
        f"<Area><Name>地域{code}</Name><Code>{code}</Code><MaxInt>{most}</MaxInt></Area>"
        for code, most in (areas or {}).items()
    )
    pref = f"<Pref><Name>東京都</Name><Code>13</Code><MaxInt>7</MaxInt>{found}</Pref>"
    body = (
        f"<Intensity><Observation>{pref}</Observation></Intensity>"
        if areas
        else "<Text>取り消します。</Text>"
    )
    return _report(QUAKES[kind], event, body, info, status, serial, at, "seismology1")


def tsunami(event: str, *codes: str, info: str = "発表", at: str = "2026-03-11T14:49:00+09:00") -> bytes:
    """`codes`: a kind of forecast (51 is a warning, 62 an advisory, 50 lifted) for one coast after another."""
    items = "".join(
        f"<Item><Area><Name>海岸{i}</Name><Code>{300 + i}</Code></Area><Category><Kind><Name>予報</Name>"
        f"<Code>{code}</Code></Kind><LastKind><Name>津波警報</Name><Code>51</Code></LastKind></Category></Item>"
        for i, code in enumerate(codes)
    )
    body = f"<Tsunami><Forecast>{items}</Forecast></Tsunami>" if codes else "<Text>取り消します。</Text>"
    return _report("津波警報・注意報・予報a", event, body, info, "通常", "", at, "seismology1")


def weather(name: str, status: str = "発表", later: str = "", at: str = "2026-09-01T16:03:00+09:00") -> bytes:
    """A warning in force, and one that it may be raised to later. Weather telegrams name no event."""
    nexts = (
        f"<NextKinds><NextKind><Name>{later}</Name><Code>37</Code></NextKind></NextKinds>" if later else ""
    )
    kind = f"<Kind><Name>{name}</Name><Code>07</Code><Status>{status}</Status>{nexts}</Kind>"
    area = "<Area><Name>神奈川県</Name><Code>140000</Code></Area>"
    body = f'<Warning type="気象警報・注意報（府県予報区等）"><Item>{kind}{area}</Item></Warning>'
    return _report("気象警報・注意報（Ｈ２７）", "", body, "発表", "通常", "", at, "meteorology1")


def _report(
    title: str, event: str, body: str, info: str, status: str, serial: str, at: str, space: str
) -> bytes:
    root = "http://xml.kishou.go.jp/jmaxml1"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Report xmlns="{root}/" xmlns:jmx="{root}/">
<Control><Title>{title}</Title><DateTime>2026-03-11T05:48:10Z</DateTime><Status>{status}</Status>
<EditorialOffice>気象庁本庁</EditorialOffice><PublishingOffice>気象庁</PublishingOffice></Control>
<Head xmlns="{root}/informationBasis1/"><Title>{title}</Title><ReportDateTime>{at}</ReportDateTime>
<TargetDateTime>{at}</TargetDateTime><EventID>{event}</EventID><InfoType>{info}</InfoType><Serial>{serial}</Serial>
<InfoKind>{title}</InfoKind><InfoKindVersion>1.0_1</InfoKindVersion><Headline><Text>文</Text></Headline></Head>
<Body xmlns="{root}/body/{space}/">{body}</Body>
</Report>""".encode()
