"""YAML as it is read: the 1.2 core rules, places, and everything that can be wrong with a text."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
import yaml

from interlock_tf.documents.yaml_text import LOADER, MAX_BYTES, MAX_EXPANDED, Node, read_yaml

LOADERS = [pytest.param(LOADER, id="libyaml"), pytest.param(yaml.Loader, id="python")]


def value(text: str, loader: Any = LOADER) -> Any:
    node, problems = read_yaml(text.encode(), "f.yaml", loader=loader)
    assert node is not None
    assert problems == []
    return node.value


def told(raw: str | bytes, loader: Any = LOADER) -> list[str]:
    _, problems = read_yaml(raw if isinstance(raw, bytes) else raw.encode(), "f.yaml", loader=loader)
    return [str(problem) for problem in problems]


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("10:00", "10:00"),
        (":45", ":45"),
        ("2026-12-25", "2026-12-25"),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("y", "y"),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("1e3", 1000),
        ("1.0", 1.0),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("12e-1", 1.2),
        ("+7", 7),
        ("true", True),
        ("FALSE", False),
        ("tRue", "tRue"),
        ("null", None),
        ("~", None),
        ("", None),
        ("'10'", "10"),
        ('"true"', "true"),
        ("!!str 10", "10"),
        ("! 10", "10"),
        ("!!int '10'", 10),
        ("!!float 1", 1),
        ("9007199254740993", 9007199254740993),
        ("${environment}", "${environment}"),
        ("1.2.3", "1.2.3"),
        ("-", None),
    ],
)
def test_a_scalar_means_what_yaml_1_2_says(written: str, meant: object, loader: Any) -> None:
    if written == "-":
        assert value("- -", loader) == [[None]]
        return
    found = value(f"key: {written}", loader)["key"]
    assert found == meant
    assert type(found) is type(meant)


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    ("written", "message"),
    [
        (".inf", ".inf is not a number that can be stored; quote it if it is text"),
        ("-.INF", "-.INF is not a number that can be stored; quote it if it is text"),
        (".nan", ".nan is not a number that can be stored; quote it if it is text"),
        ("1e400", "'1e400' is too large a number"),
        ("1" * 401, "a number of more than 400 digits; quote it if it is text"),
        ("!secret x", "the YAML tag '!secret' is not supported; write a plain value"),
        ("!!binary aGk=", "the YAML tag '!!binary' is not supported; write a plain value"),
        ("!!set {a}", "the YAML tag '!!set' is not supported; write a plain value"),
        ("!!int x", "'x' is not a value of type !!int"),
        ("!!int true", "'true' is not a value of type !!int"),
        ("!!bool yes", "'yes' is not a value of type !!bool"),
    ],
)
def test_a_scalar_that_cannot_be_stored_is_refused_where_it_stands(written: str, message: str, loader: Any) -> None:
    assert told(f"a: 1\nkey: {written}", loader) == [f"f.yaml:2:6: {message}"]


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "f.yaml:1:1: is empty"),
        (b"# nothing\n", "f.yaml:1:1: is empty"),
        (b"a: 1\n---\nb: 2\n", "f.yaml:2:1: a second YAML document begins here; write one document per file"),
        (b"a: \xff", "f.yaml:1:4: byte 0xff is not UTF-8; save the file as UTF-8"),
        ("ü: 1\né: \x01".encode(), "f.yaml:2:4: control characters are not allowed in YAML, here U+0001"),
        ("a: 1".encode("utf-16"), "f.yaml:1:1: is UTF-16; save it as UTF-8"),
        (b"&a [*a]", "f.yaml:1:5: *a stands within what it refers to"),
        (b"a: *b", "f.yaml:1:4: *b refers to nothing; an anchor (&name) stands before its aliases (*name)"),
        (b"a: 1\na: 2", "f.yaml:2:1: duplicate key 'a'; the first one is in line 1"),
        (b"5: x", "f.yaml:1:1: the key 5 is not text; quote it"),
        (b"true: x", "f.yaml:1:1: the key true is not text; quote it"),
        (b"? [a]\n: x", "f.yaml:1:3: a key must be text, not a list of 1"),
        (b"a: {<<: 5}", "f.yaml:1:5: << takes over the keys of a map or of a list of maps, here it is given something"),
        (b"x" * (MAX_BYTES + 1), "f.yaml:1:1: has 1,048,577 bytes; a document may have 1,048,576"),
        (b"- " * 101 + b"x", "f.yaml:1:201: is nested more than 100 levels deep"),
        (b"[" * 200, "f.yaml:1:101: is nested more than 100 levels deep"),
    ],
)
def test_a_text_that_is_no_document_is_refused(raw: bytes, problem: str) -> None:
    (found,) = told(raw)
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("text", "place", "advice"),
    [
        ("a:\n\t- 1", "2:1", "indent with spaces, not tabs"),
        ("a: b: c", "1:5", "quote a value that holds ': '"),
        ("x: [${a}]", "1:6", "within [ ] quote values"),
        ("a: 'x", "1:6", "a quote is not closed"),
        ("a: |\n  x\n b: 1", "3:2", "look at the indentation"),
        ('a: "\\ud800"', "1:7", "invalid Unicode"),
    ],
)
def test_a_syntax_error_says_where_and_what_to_do(text: str, place: str, advice: str) -> None:
    (found,) = told(text)
    assert found.startswith(f"f.yaml:{place}: is not valid YAML: ")
    assert advice in found


def test_half_a_surrogate_pair_is_refused_where_the_parser_lets_it_through() -> None:
    (found,) = told('a: "\\ud800"', yaml.Loader)
    assert "surrogate" in found


def test_depth_beyond_what_the_parser_can_take_is_refused() -> None:
    """Newer versions of libyaml refuse it themselves."""
    (found,) = told(b"[" * 1_000_000)
    assert "nest" in found


@pytest.mark.parametrize("loader", LOADERS)
def test_a_control_character_is_told_with_its_place(loader: Any) -> None:
    assert told("a: 1\nb: \x1f", loader) == ["f.yaml:2:4: control characters are not allowed in YAML, here U+001F"]


def test_a_byte_order_mark_is_passed_over() -> None:
    assert value("\ufeffa: 1") == {"a": 1}


def test_problems_do_not_hide_each_other() -> None:
    assert len(told("a: .inf\na: 1\n5: x\nb: !y z\n")) == 4


def test_the_first_of_two_equal_keys_counts() -> None:
    node, _ = read_yaml(b"a: 1\na: 2", "f.yaml")
    assert node is not None
    assert node.value == {"a": 1}


def test_an_alias_stands_for_its_anchor() -> None:
    assert value("a: &a {b: [1]}\nc: *a") == {"a": {"b": [1]}, "c": {"b": [1]}}


def test_a_merge_key_takes_over_what_the_map_does_not_say_itself() -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], c: 3}"
    assert value(text)["z"] == {"a": 1, "b": 1, "c": 3}


def test_only_a_plain_merge_key_merges() -> None:
    assert value("'<<': {a: 1}") == {"<<": {"a": 1}}
    assert value("!!str <<: {a: 1}") == {"<<": {"a": 1}}
    assert value("a: &a '<<'\n*a : {b: 1}") == {"a": "<<", "<<": {"b": 1}}


class TestPlaces:
    TEXT = "pipeline:\n  id: gold\nrules:\n  - key: a\n    check: gt\n  - {key: b}\nx: &x\n  y: 1\nz: *x\nm: {<<: *x}\n"

    def find(self, *path: str | int, key: bool = False) -> tuple[int, int]:
        node, _ = read_yaml(self.TEXT.encode(), "f.yaml")
        assert isinstance(node, Node)
        return node.find(path, key=key)

    def test_a_scalar_is_where_it_stands(self) -> None:
        assert self.find("pipeline", "id") == (2, 7)

    def test_its_key_is_before_it(self) -> None:
        assert self.find("pipeline", "id", key=True) == (2, 3)

    def test_a_map_is_at_its_key(self) -> None:
        assert self.find("pipeline") == (1, 1)

    def test_an_entry_of_a_list_is_itself(self) -> None:
        assert self.find("rules", 1) == (6, 5)
        assert self.find("rules", 0, "check") == (5, 12)

    def test_what_is_missing_is_where_it_is_missed(self) -> None:
        assert self.find("rules", 1, "check") == (6, 5)
        assert self.find("pipeline", "owner") == (1, 1)
        assert self.find("rules", 7) == (3, 1)
        assert self.find("job", "type") == (1, 1)
        assert self.find("pipeline", "id", "deeper") == (2, 3)

    def test_what_comes_by_an_alias_or_a_merge_is_where_it_was_written(self) -> None:
        assert self.find("z", "y") == (8, 6)
        assert self.find("m", "y") == (8, 6)


def bomb(levels: int) -> bytes:
    """Ten aliases a level: 10 to the power of ``levels`` texts when expanded."""
    lines = ["x0: &x0 aaaaaaaaaa", *(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, levels + 1))]
    return "\n".join(lines).encode()


@pytest.mark.parametrize("levels", [8, 60])
def test_an_alias_bomb_is_refused_in_no_time(levels: int) -> None:
    assert told(bomb(levels)) == [f"f.yaml:1:1: its aliases expand to more than {MAX_EXPANDED:,} characters"]


def test_an_alias_bomb_of_merge_keys_is_refused() -> None:
    wide = ", ".join(f"k{n}: {'v' * 100}" for n in range(100))
    lines = [
        f"x0: &x0 {{{wide}}}",
        *(f"x{n}: &x{n} {{a: *x{n - 1}, b: *x{n - 1}, <<: *x{n - 1}}}" for n in range(1, 30)),
    ]
    assert "expand to more than" in told("\n".join(lines))[0]


WIDE = f"a: &a {{{', '.join(f'k{n}: 1' for n in range(4000))}}}"


@pytest.mark.parametrize(
    "merging",
    [
        f"b: [{', '.join(['{<<: *a}'] * 2000)}]",
        "b: " + f"[{', '.join(['{<<: *a}'] * 25)}, " * 40 + "x" + "]" * 40,
        f"b: {{{', '.join(['<<: *a'] * 2000)}}}",
        f"b: {{<<: [{', '.join(['*a'] * 2000)}]}}",
    ],
    ids=["wide", "deep", "repeated", "listed"],
)
def test_a_bomb_of_merge_keys_is_refused_before_it_grows(merging: str) -> None:
    tracemalloc.start()
    try:
        found = told(f"{WIDE}\n{merging}")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == [f"f.yaml:1:1: its aliases expand to more than {MAX_EXPANDED:,} characters"]
    assert peak < 50_000_000


def test_a_chain_of_aliases_is_not_deeper_than_written_depth_may_be() -> None:
    lines = ["x0: &x0 [a]", *(f"x{n}: &x{n} [*x{n - 1}]" for n in range(1, 150))]
    assert "nested more than 100 levels deep" in told("\n".join(lines))[0]
