"""What a fault was aimed at, in the language of the report, from the plan: the events name it in English."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from harness.rundir import Json
from reports.places import Places
from reports.reading import Record
from reports.words import Words

#: What a link can be made to do, in SI; of these a share.
EFFECTS: Final = ("latency", "jitter", "bandwidth", "refused", "silence", "resets")
SHARES: Final = ("refused", "silence", "resets")


def planned(record: Record, fault: str) -> Mapping[str, Json]:
    """The aim of a fault; empty where the plan is gone."""
    return next((aim for name, aim in _aims(record) if name == fault), {})


def _aims(record: Record) -> Iterator[tuple[str, Mapping[str, Json]]]:
    timeline = record.plan.get("timeline")
    for entry in timeline if isinstance(timeline, list) else ():
        aim = entry.get("aim") if isinstance(entry, Mapping) else None
        if isinstance(entry, Mapping) and isinstance(aim, Mapping):
            yield str(entry.get("id")), aim


def told(aim: Mapping[str, Json], places: Places, words: Words) -> str:
    """`シンガポールと東京の間`; empty for an aim that nobody here knows."""
    if "from" in aim and "to" in aim:
        here, there = (_all(aim[side], places, words) for side in ("from", "to"))
        return words("aim.oneway" if aim.get("oneway") else "aim.between", here=here, there=there)
    if "link" in aim:
        return words("aim.link", link=places.link(str(aim["link"]))) + _effects(aim, words)
    if "supply" in aim:
        important = words.value("important_share", aim.get("important"))
        others = words.value("others_drill_s", aim.get("others_s"))
        return words("aim.supply", name=aim["supply"], important=important, others=others)
    if "senders" in aim:
        return words("aim.senders", carrier=places.carrier(str(aim.get("carrier"))), senders=aim["senders"])
    if "share" in aim:
        share, keeps = words.value("kept_share", aim["share"]), words.value("keeps_s", aim.get("keeps_s"))
        carrier = aim.get("carrier")
        if carrier is None:
            return words("aim.resolvers", share=share, keeps=keeps)
        return words("aim.resolvers_of", carrier=places.carrier(str(carrier)), share=share, keeps=keeps)
    if isinstance(answers := aim.get("answers"), Mapping):
        return words("aim.answers", company=answers.get("company"))
    for key in ("table", "archive"):
        if key in aim:
            return words(f"aim.{key}", name=aim[key])
    return _selected(aim, places, words)


def _selected(aim: Mapping[str, Json], places: Places, words: Words) -> str:
    node, role, standing = (aim.get(key) for key in ("node", "role", "is"))
    place = aim.get("zone") or aim.get("region")
    what = str(node) if node else words.known(f"role.{role}", str(role)) if role else ""
    if standing:
        what = words("aim.standing", what=what, standing=words.known(f"standing.{standing}", str(standing)))
    if place and what:
        return words("aim.within", place=places.place(str(place)), what=what)
    return places.place(str(place)) if place else what


def _all(names: Json, places: Places, words: Words) -> str:
    listed = names if isinstance(names, list) else [names]
    return words("join.list").join(places.place(str(name)) for name in listed)


def _effects(aim: Mapping[str, Json], words: Words) -> str:
    said = [
        words(f"aim.{name}", amount=words.value(f"{name}_share" if name in SHARES else name, aim[name]))
        for name in EFFECTS
        if name in aim
    ]
    return words("aim.effects", effects=words("join.list").join(said)) if said else ""
