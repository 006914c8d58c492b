"""Answers and arguments of job services as text: cut off, hostile, or plain."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_runtime.jobs.arguments import text, words
from interlock_runtime.jobs.contract import Category
from interlock_runtime.jobs.excerpts import excerpt
from interlock_runtime.jobs.rest import Reply, category, merged

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON, max_size=4), st.integers(0, 2000), st.booleans())
def test_a_member_of_a_cut_off_object_is_what_it_was_or_absent(whole: dict[str, Any], cut: int, spaced: bool) -> None:
    body = json.dumps(whole, indent=2 if spaced else None).encode()
    for name, value in whole.items():
        assert Reply(200, body).member(name) == value
        assert Reply(200, body[:cut]).member(name) in (value, None)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ('{"state": {"life": "RUNNING"}, "tasks": [{"a"', {"life": "RUNNING"}),
        ('  {\n "a" : 1 ,\n "state" : "x" , "b', "x"),
        ('{"state": 12', None),
        ('{"state": 12,', 12),
        ('{"state": 1.5e+', None),
        ('{"state": "success"', None),
        ('{"tasks": [{"state": "inner"}], "x', None),
        ('[{"state": 1}]', None),
        ('"state"', None),
        ('{1: 2, "state": 3}', None),
        ("", None),
        ("{", None),
        ("\ufeff{}", None),
        ("[" * 100_000, None),
        ('{"state":' + "[" * 100_000, None),
    ],
)
def test_members_are_read_as_far_as_the_object_goes(body: str, value: Any) -> None:
    assert Reply(200, body.encode()).member("state") == value


@given(st.binary(max_size=200))
def test_no_body_is_an_exception(body: bytes) -> None:
    Reply(200, body).member("state")


@given(st.text())
def test_an_excerpt_is_one_printable_line_of_bounded_length(foreign: str) -> None:
    found = excerpt(foreign * 40)
    assert found.isprintable()
    assert len(found) <= 512


def test_an_excerpt_says_that_it_was_cut() -> None:
    assert excerpt("a" * 512) == "a" * 512
    assert excerpt("a" * 513) == "a" * 511 + "…"
    assert excerpt(" a\r\n\tb\x00c\u200b\ud800 ") == "a b c"


@pytest.mark.parametrize(
    ("value", "argument"),
    [("a", "a"), (1, "1"), (1.5, "1.5"), (True, "true"), (False, "false"), (None, ""), ([1, "a"], '[1, "a"]')],
)
def test_an_argument_is_text(value: Any, argument: str) -> None:
    assert text(value) == argument


def test_a_map_of_arguments_is_pairs_and_a_list_is_itself() -> None:
    assert words({"z": 1, "a": None}) == ["z=1", "a="]
    assert words(["--a", 1, True]) == ["--a", "1", "true"]
    assert words(()) == []


@pytest.mark.parametrize("status", [400, 401, 404, 409, 418, 499])
def test_a_refusal_is_permanent(status: int) -> None:
    assert category(status) is Category.PERMANENT


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 599])
def test_trouble_of_the_service_is_transient(status: int) -> None:
    assert category(status) is Category.TRANSIENT


def test_given_headers_win_in_any_case_of_letters() -> None:
    assert merged({"Content-Type": "a", "X": "b"}, {"content-TYPE": "c"}) == {"X": "b", "content-TYPE": "c"}
