from __future__ import annotations

from harness import library
from harness.selector import WORDS
from harness.verbs import UNDOES, VERBS


def test_every_verb_that_breaks_has_one_that_takes_back_unless_nothing_can() -> None:
    assert {verb.name: verb.undone_by for verb in VERBS.values()} == {
        "lose": "restore",
        "hang": "resume",
        "cut": "join",
        "degrade": "ease",
        "stale": "fresh",
        "fail": "repair",
        "erase": None,
        "blackout": "relight",
        "misfilter": "unfilter",
        "publish": None,
        "run": None,
    }
    assert set(UNDOES) == {"restore", "resume", "join", "ease", "fresh", "repair", "relight", "unfilter"}


def test_the_guide_to_the_language_knows_every_word() -> None:
    guide = (library.SCENARIOS / "README.md").read_text()
    arguments = [argument.name for verb in VERBS.values() for argument in verb.arguments]
    for word in (*VERBS, *UNDOES, *arguments, *(word for word in WORDS if word != "is")):
        assert f"`{word}`" in guide
