from __future__ import annotations

import os
import shutil
from copy import deepcopy
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from topology.world.areas import COASTS, FORECAST, PREFECTURES, SEISMIC
from topology.world.bodies import tsunami, weather
from topology.world.bodies.intensity import INTENSITIES, Quake
from topology.world.telegrams import INFOS, JST, KINDS, STATUSES, build

REPORTED = datetime(2026, 1, 15, 14, 48, 40, tzinfo=JST)
EVENT = "20260115144640"
NAMES = {
    "r": "http://xml.kishou.go.jp/jmaxml1/",
    "h": "http://xml.kishou.go.jp/jmaxml1/informationBasis1/",
    "s": "http://xml.kishou.go.jp/jmaxml1/body/seismology1/",
    "m": "http://xml.kishou.go.jp/jmaxml1/body/meteorology1/",
    "e": "http://xml.kishou.go.jp/jmaxml1/elementBasis1/",
}
TITLES = {
    "VXSE51": "震度速報",
    "VXSE53": "震源・震度に関する情報",
    "VTSE41": "津波警報・注意報・予報a",
    "VPWW54": "気象警報・注意報（Ｈ２７）",
}

shaken = st.dictionaries(st.sampled_from(sorted(SEISMIC)), st.sampled_from(list(INTENSITIES)), min_size=1)
coasts = st.dictionaries(st.sampled_from(sorted(COASTS)), st.sampled_from(list(tsunami.KINDS)), min_size=1)
skies = st.dictionaries(st.sampled_from(sorted(FORECAST)), st.sampled_from(list(weather.KINDS)), min_size=1)
times = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.sampled_from([UTC, JST]))


def find(root: etree._Element, path: str) -> list[etree._Element]:
    found = root.xpath(path, namespaces=NAMES)
    assert isinstance(found, list)
    return [element for element in found if isinstance(element, etree._Element)]


def words(root: etree._Element, path: str) -> list[str]:
    return [element.text or "" for element in find(root, path)]


def pairs(root: etree._Element, path: str, first: str, second: str) -> dict[str, str]:
    return {words(one, first)[0]: words(one, second)[0] for one in find(root, path)}


@given(
    st.sampled_from(list(KINDS)),
    st.sampled_from(INFOS),
    st.sampled_from(STATUSES),
    st.none() | st.integers(1, 99),
    times,
    st.data(),
)
def test_head_and_control_say_what_was_asked(
    kind: str, info: str, status: str, serial: int | None, reported: datetime, data: st.DataObject
) -> None:
    areas = data.draw({"VTSE41": coasts, "VPWW54": skies}.get(kind, shaken))
    root = etree.fromstring(
        build(kind, EVENT, areas, info=info, status=status, serial=serial, reported=reported)
    )
    assert root.tag == f"{{{NAMES['r']}}}Report"
    assert words(root, "r:Control/r:Title") == [TITLES[kind]]
    assert words(root, "r:Control/r:Status") == [status]
    assert words(root, "h:Head/h:InfoType") == [info]
    assert words(root, "h:Head/h:EventID") == [EVENT]
    assert words(root, "h:Head/h:Serial") == ["" if serial is None else str(serial)]
    second = reported.replace(microsecond=0)
    assert datetime.fromisoformat(words(root, "h:Head/h:ReportDateTime")[0]) == second
    assert datetime.fromisoformat(words(root, "r:Control/r:DateTime")[0]) == second
    assert len(find(root, "s:Body | m:Body")) == 1


XSD = 'xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://xml.kishou.go.jp/jmaxml1'
#: Parts of the agency's schema that may be missing: volcanoes, and numbers that may be left out.
STAND_INS = {
    "jmx_volc.xsd": f"""<xs:schema {XSD}/body/volcanology1/">
        <xs:element name="Body" type="xs:anyType"/></xs:schema>""",
    "jmx_eb_nullable.xsd": f"""<xs:schema {XSD}/elementBasis1/">
        <xs:simpleType name="nothing"><xs:restriction base="xs:string"><xs:length value="0"/></xs:restriction>
        </xs:simpleType>
        <xs:simpleType name="nullablefloat"><xs:union memberTypes="xs:float e:nothing"/></xs:simpleType>
        <xs:simpleType name="nullableinteger"><xs:union memberTypes="xs:integer e:nothing"/></xs:simpleType>
        </xs:schema>""".replace("<xs:schema", f'<xs:schema xmlns:e="{NAMES["e"]}"'),
}


#: A rule of this project's own, which is always held.
OURS = Path(__file__).parent / "telegram.rng"
#: The folder of the agency's own schemas (jmx*.xsd, from xml.kishou.go.jp), which are not ours to pass on.
AGENCY = os.environ.get("JMA_SCHEMAS")
Rules = etree.RelaxNG | etree.XMLSchema


@pytest.fixture(scope="module", params=["ours", *(["the agency's"] if AGENCY else [])])
def rules(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Rules:
    if request.param == "ours":
        return etree.RelaxNG(etree.parse(OURS))
    here = tmp_path_factory.mktemp("jma")
    for name, text in STAND_INS.items():
        (here / name).write_text(text)
    for path in Path(str(AGENCY)).glob("*.xsd"):
        shutil.copy(path, here)
    return etree.XMLSchema(etree.parse(here / "jmx.xsd"))


def telegram(kind: str, info: str, serial: int, areas: dict[str, str]) -> etree._Element:
    name = "" if kind == "VPWW54" else EVENT
    return etree.fromstring(build(kind, name, areas, info=info, serial=serial, reported=REPORTED))


@given(st.sampled_from(list(KINDS)), st.sampled_from(INFOS), st.integers(1, 99), st.data())
def test_every_telegram_follows_the_rules(
    rules: Rules, kind: str, info: str, serial: int, data: st.DataObject
) -> None:
    areas = data.draw({"VTSE41": coasts, "VPWW54": skies}.get(kind, shaken))
    rules.assertValid(telegram(kind, info, serial, areas))


#: One telegram of each kind, with as little in it as can be.
SAID = {
    "VXSE51": {"350": "7"}, "VXSE53": {"350": "7"}, "VTSE41": {"310": "52"}, "VPWW54": {"140000": "33"}
}  # fmt: skip


@pytest.fixture(scope="module")
def ours() -> etree.RelaxNG:
    return etree.RelaxNG(etree.parse(OURS))


@pytest.mark.parametrize("kind", KINDS)
def test_our_rule_refuses_a_telegram_without_any_of_its_elements(ours: etree.RelaxNG, kind: str) -> None:
    whole = telegram(kind, "発表", 1, SAID[kind])
    tree = whole.getroottree()
    needed = [
        tree.getelementpath(element)
        for element in whole.iter()
        if element is not whole and etree.QName(element).localname not in MAY_BE_LEFT_OUT
    ]
    assert len(needed) > 20
    for path in needed:
        broken = deepcopy(whole)
        element = _at(broken, path)
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)
        assert not ours.validate(broken), f"{kind} without {path}"


#: The lines of a headline and their codes, of which the body says the same; one of several tables; the earthquake of
#: a telegram that tells intensities. `Code` is needed in bodies, see below.
MAY_BE_LEFT_OUT = {"Information", "Code", "Type", "Earthquake"}


def _at(root: etree._Element, path: str) -> etree._Element:
    found = root.find(path)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("VXSE51", "<MaxInt>7<", "<MaxInt>8<"),
        ("VXSE51", "通常", "本番"),
        ("VXSE51", "発表", "発令"),
        ("VXSE51", "+09:00", ""),
        ("VTSE41", "body/seismology1/", "body/seismology2/"),
        ("VTSE41", "<Code>52<", "<Code>5<"),
        ("VPWW54", "<Code>140000<", "<Code>Kanagawa<"),
        ("VPWW54", "<Code>140000</Code>", ""),
        ("VXSE53", "<Code>13</Code>", ""),
    ],
)
def test_our_rule_refuses_words_that_no_telegram_knows(
    ours: etree.RelaxNG, kind: str, old: str, new: str
) -> None:
    text = etree.tostring(telegram(kind, "発表", 1, SAID[kind]), encoding="unicode")
    assert old in text
    assert not ours.validate(etree.fromstring(text.replace(old, new)))


@given(st.sampled_from(["VXSE51", "VXSE53"]), shaken)
def test_intensities_are_read_back_each_below_its_prefecture(kind: str, areas: dict[str, str]) -> None:
    root = etree.fromstring(build(kind, EVENT, areas, reported=REPORTED))
    observed = "s:Body/s:Intensity/s:Observation"
    assert pairs(root, f"{observed}/s:Pref/s:Area", "s:Code", "s:MaxInt") == areas
    strongest = list(INTENSITIES).index
    assert words(root, f"{observed}/s:MaxInt") == [min(areas.values(), key=strongest)]
    for prefecture in find(root, f"{observed}/s:Pref"):
        code = words(prefecture, "s:Code")[0]
        assert words(prefecture, "s:Name") == [PREFECTURES[code]]
        inside = words(prefecture, "s:Area/s:Code")
        assert {SEISMIC[area].prefecture for area in inside} == {code}
        assert words(prefecture, "s:Area/s:Name") == [SEISMIC[area].name for area in inside]
        assert words(prefecture, "s:MaxInt") == [min((areas[area] for area in inside), key=strongest)]
    levels = {code: INTENSITIES[most] for code, most in areas.items()}
    lines = find(root, "h:Head/h:Headline/h:Information/h:Item")
    told = {
        code: words(line, "h:Kind/h:Name")[0]
        for line in lines
        for code in words(line, "h:Areas/h:Area/h:Code")
    }
    assert told == levels


@given(coasts)
def test_every_coast_has_its_warning_and_headlines_name_only_warnings(areas: dict[str, str]) -> None:
    root = etree.fromstring(build("VTSE41", EVENT, areas, reported=REPORTED))
    item = "s:Body/s:Tsunami/s:Forecast/s:Item"
    assert pairs(root, item, "s:Area/s:Code", "s:Category/s:Kind/s:Code") == areas
    told = words(root, "h:Head/h:Headline/h:Information/h:Item/h:Areas/h:Area/h:Code")
    assert sorted(told) == sorted(code for code, kind in areas.items() if kind in ("51", "52", "53", "62"))


@given(skies)
def test_every_prefecture_has_its_weather_warning(areas: dict[str, str]) -> None:
    root = etree.fromstring(build("VPWW54", "", areas, reported=REPORTED))
    item = "m:Body/m:Warning/m:Item"
    assert pairs(root, item, "m:Area/m:Code", "m:Kind/m:Code") == areas
    assert pairs(root, item, "m:Area/m:Code", "m:Kind/m:Name") == {
        code: weather.KINDS[kind] for code, kind in areas.items()
    }


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_cancellation_says_that_and_nothing_else(kind: str) -> None:
    root = etree.fromstring(build(kind, EVENT, {}, info="取消", reported=REPORTED))
    (body,) = find(root, "s:Body | m:Body")
    assert [etree.QName(part).localname for part in body] == ["Notice" if kind == "VPWW54" else "Text"]
    assert (body[0].text or "").endswith("を取り消します。")
    assert words(root, "h:Head/h:Headline/*")[0].endswith("を取り消します。")


def test_the_first_report_is_about_the_minute_in_which_it_shook() -> None:
    root = etree.fromstring(build("VXSE51", EVENT, {"350": "7"}, reported=REPORTED))
    assert words(root, "h:Head/h:TargetDateTime") == ["2026-01-15T14:46:00+09:00"]
    assert words(root, "h:Head/h:ReportDateTime") == ["2026-01-15T14:48:40+09:00"]
    assert words(root, "h:Head/h:Headline/h:Text")[0].startswith(
        "１５日１４時４６分ころ、地震による強い揺れを感じました。"
    )
    later = etree.fromstring(build("VXSE53", EVENT, {"350": "7"}, reported=REPORTED))
    assert words(later, "h:Head/h:TargetDateTime") == ["2026-01-15T14:48:40+09:00"]


def test_the_hypocentre_is_written_as_the_agency_writes_it() -> None:
    quake = Quake(REPORTED, latitude=35.6, longitude=140.1, depth_km=50, magnitude=7.3)
    root = etree.fromstring(build("VXSE53", EVENT, {"350": "7"}, reported=REPORTED, quake=quake))
    (where,) = find(root, "s:Body/s:Earthquake/s:Hypocenter/s:Area/e:Coordinate")
    assert where.text == "+35.6+140.1-50000/"
    assert where.get("description") == "北緯３５．６度　東経１４０．１度　深さ　５０ｋｍ"
    assert words(root, "s:Body/s:Earthquake/e:Magnitude") == ["7.3"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"kind": "VXSE99"}, "VXSE99: not one of VXSE51, VXSE53, VTSE41, VPWW54"),
        ({"areas": {"999": "7"}}, "area 999: not one of 100"),
        ({"areas": {"350": "8"}}, "area 350: 8 is not one of 7, 6[+]"),
        ({"areas": {}}, "VXSE51 発表: no areas"),
        ({"info": "中止"}, "中止, 通常: expected one of 発表・訂正・取消"),
        ({"status": "本番"}, "発表, 本番: expected one of"),
        ({"reported": datetime(2026, 1, 15)}, "reported: expected a time with its zone"),
    ],
)
def test_what_telegrams_do_not_know_is_named(change: dict[str, object], problem: str) -> None:
    words: dict[str, object] = {
        "kind": "VXSE51",
        "event_id": EVENT,
        "areas": {"350": "7"},
        "reported": REPORTED,
    }
    with pytest.raises(ValueError, match=problem):
        build(**{**words, **change})  # type: ignore[arg-type]


def test_times_in_other_zones_are_written_in_japans() -> None:
    west = timezone(timedelta(hours=-5))
    root = etree.fromstring(
        build("VTSE41", "", {"300": "52"}, reported=datetime(2026, 1, 15, 0, 0, 0, tzinfo=west))
    )
    assert words(root, "h:Head/h:ReportDateTime") == ["2026-01-15T14:00:00+09:00"]
    assert words(root, "r:Control/r:DateTime") == ["2026-01-15T05:00:00Z"]


def test_the_tables_are_whole() -> None:
    assert {area.prefecture for area in SEISMIC.values()} == set(PREFECTURES)
    assert SEISMIC["300"].name == "茨城県北部"
    assert SEISMIC["350"].name == "東京都２３区"
    assert COASTS["330"].name == "相模湾・三浦半島"
    assert FORECAST["140000"].name == "神奈川県"
    assert all(code == area.code for table in (SEISMIC, COASTS, FORECAST) for code, area in table.items())
