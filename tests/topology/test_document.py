from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from topology.document import BadInput, Fields, Place, Scalar, Tree, dump, load, parse, reading, resolved

ROOT = Path(__file__).parents[2]
YAML = [*ROOT.glob("*.yml"), *(ROOT / "scenarios").rglob("*.yaml"), *(ROOT / "scenarios").rglob("*.yml")]


def fields(text: str) -> Fields:
    return parse(text, "x.yaml").as_fields()


def complaint(text: str) -> BadInput:
    with pytest.raises(BadInput) as caught:
        parse(text, "x.yaml")
    return caught.value


def test_every_key_and_value_knows_its_place() -> None:
    read = fields("a: 1\nb:\n  - x\n  - {c: y}\n")
    assert read.keys == {"a": Place("x.yaml", 1, 1), "b": Place("x.yaml", 2, 1)}
    items = read.need("b", "").as_items()
    assert [item.place for item in items] == [Place("x.yaml", 3, 5), Place("x.yaml", 4, 5)]
    inner = items.values[1].as_fields()
    assert inner.keys["c"] == Place("x.yaml", 4, 6)
    assert inner.need("c", "").place == Place("x.yaml", 4, 9)


def test_columns_count_characters_not_bytes() -> None:
    assert fields("{題: 震, b: x}").need("b", "").place == Place("x.yaml", 1, 11)


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("2026-01-15", "2026-01-15"),
        ("1:30", "1:30"),
        ("6+", "6+"),
        ("5-", "5-"),
        ("true", True),
        ("~", None),
        ("", None),
        ("007", 7),
        ("-3", -3),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("1e999", "1e999"),
        (".inf", ".inf"),
        ("1_000", "1_000"),
        ("١٢", "١٢"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_plain_words_mean_what_they_mean_to_compose(word: str, meaning: object) -> None:
    assert resolved(word) == meaning
    assert type(resolved(word)) is type(meaning)


def test_quotes_make_text() -> None:
    value = fields('{a: "1", b: 1}')
    assert value.content == {"a": "1", "b": 1}


def test_anchors_and_merge_keys_are_resolved() -> None:
    text = (
        "base: &base {a: 1, b: 2}\nmore: &other {b: 3, c: 4}\nnew: {<<: [*base, *other], a: 9}\nsame: *base"
    )
    read = fields(text)
    new = read.need("new", "").as_fields()
    assert new.content == {"a": 9, "b": 2, "c": 4}
    assert new.need("b", "").place == Place("x.yaml", 1, 23), "a merged value stands where it was written"
    assert new.keys["b"] == Place("x.yaml", 1, 20)
    assert new.keys["a"].line == 3
    assert read.need("same", "").content == {"a": 1, "b": 2}


def test_a_quoted_merge_key_is_a_key() -> None:
    assert fields('{"<<": 1}').content == {"<<": 1}


@pytest.mark.parametrize(
    ("text", "line", "column", "found"),
    [
        ("a: [1,\nb: 2", 2, 5, "not YAML"),
        ("a: é🙂: b", 1, 6, "not YAML"),
        ("\ta: 1", 1, 1, "not YAML"),
        ("a: 1\n---\nb: 2\n", 2, 1, "not YAML"),
        ("a: *nowhere", 1, 4, "not YAML"),
        ("a: \x07", 1, 4, "U+0007"),
        ("ok: 1\na: 1\na: 2", 3, 1, '"a" again'),
        ("a: &a [*a]", 1, 4, "an anchor that contains itself"),
        ("? [1]\n: 2", 1, 3, "a list or mapping as a key"),
        ("<<: 3", 1, 5, "3"),
        ("[" * 1200, 0, 0, "nested without end"),
    ],
)
def test_yaml_that_cannot_be_used(text: str, line: int, column: int, found: str) -> None:
    error = complaint(text)
    assert found in str(error)
    assert (error.file, error.line, error.column) == ("x.yaml", line, column)
    assert "\n" not in str(error)


def test_the_message_says_all_on_one_line() -> None:
    with pytest.raises(BadInput) as caught:
        fields("resotre: 1\n").only("lose", "restore")
    assert str(caught.value) == (
        'x.yaml:1:1: found "resotre", expected one of lose, restore; did you mean "restore"?'
    )


def test_a_long_list_of_words_is_cut() -> None:
    with pytest.raises(BadInput, match=r"expected one of w0, .*, w11, …$"):
        parse("zzz", "x.yaml").as_word([f"w{n}" for n in range(30)])


def test_what_is_missing_and_what_is_empty() -> None:
    with pytest.raises(BadInput, match=r'^x.yaml:1:1: found no "b", expected a number$'):
        fields("a: 1").need("b", "a number")
    with pytest.raises(BadInput, match=r'^x.yaml:1:1: found nothing for "b", expected a number$'):
        fields("b:").need("b", "a number")


@pytest.mark.parametrize(
    ("text", "method"),
    [
        ("true", "as_text"),
        ("''", "as_text"),
        ("~", "as_text"),
        ("[1]", "as_text"),
        ("{a: 1}", "as_text"),
        ("1.0", "as_whole"),
        ("-1", "as_whole"),
        ("true", "as_whole"),
        ("'1'", "as_whole"),
        ("x", "as_number"),
        ("true", "as_number"),
        ("1", "as_flag"),
        ("on", "as_flag"),
        ("[]", "as_fields"),
        ("{}", "as_items"),
        ("x", "as_items"),
    ],
)
def test_values_of_the_wrong_kind(text: str, method: str) -> None:
    with pytest.raises(BadInput, match=r"^x.yaml:1:1: found .*, expected "):
        getattr(parse(text, "x.yaml"), method)()


def test_nothing_at_all_is_a_value_without_content() -> None:
    assert parse("# only a comment\n", "x.yaml") == Scalar("", None, Place("x.yaml", 1, 1))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"nowhere.yaml: found no such file, expected a scenario$"):
        load(tmp_path / "nowhere.yaml", "a scenario")
    with pytest.raises(BadInput, match="found a file that cannot be read"):
        load(tmp_path, "a scenario")
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"a: 1\nb: caf" + b"\xe9\n")
    with pytest.raises(BadInput, match=r"latin.yaml:2:7: found the byte 0xe9, expected text in UTF-8$"):
        load(latin)
    (tmp_path / "empty.yaml").write_text("")
    with pytest.raises(BadInput, match=r"empty.yaml:1:1: found nothing, expected a mapping: a scenario$"):
        load(tmp_path / "empty.yaml", "a scenario")


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(["on", "<<", "1e3", "0o17", "1_0", "=", "~", "- a", "a: b", " x ", "2026-01-15", "#"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), PLAIN, max_size=4))
def test_what_is_written_is_read_back_the_same(data: dict[str, object]) -> None:
    assert parse(dump(data), "x.yaml").content == data


SCRAWL = st.text(alphabet=st.sampled_from("abc:-{}[],&*!|>'\"#%@`? \n\t<~1."), max_size=60)


@given(SCRAWL)
def test_any_text_is_read_or_refused(text: str) -> None:
    refusal = ""
    try:
        parse(text, "x.yaml")
    except BadInput as error:
        refusal = str(error)
    assert not refusal or refusal.startswith("x.yaml:")
    assert "\n" not in refusal


def by_both(text: str) -> list[Tree | str]:
    """What the fast reader and the thorough one make of a text; of what one refuses only that it does."""
    found: list[Tree | str] = []
    for reader in (reading._Fast, reading._Thorough):
        try:
            node = reader(text).get_single_node()
            found.append("" if node is None else reading._Builder("x").build(node, 0))
        except (yaml.YAMLError, BadInput) as error:
            found.append(type(error).__name__)
    return found


@pytest.mark.parametrize("path", YAML, ids=lambda path: path.name)
def test_the_fast_reader_finds_what_the_thorough_one_finds_in_our_files(path: Path) -> None:
    fast, thorough = by_both(path.read_text(encoding="utf-8"))
    assert isinstance(fast, Fields)
    assert fast == thorough


@given(st.dictionaries(st.text(max_size=5), PLAIN, max_size=4).map(dump))
def test_the_fast_reader_finds_what_the_thorough_one_finds_in_what_is_written(text: str) -> None:
    fast, thorough = by_both(text)
    assert isinstance(fast, Fields)
    assert fast == thorough


@given(SCRAWL)
def test_both_readers_mean_the_same_by_what_both_take(text: str) -> None:
    fast, thorough = by_both(text)
    if not isinstance(fast, str) and not isinstance(thorough, str):
        assert fast.content == thorough.content
