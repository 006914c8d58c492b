"""Looks read together and think alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from interlock_runtime.control import looks
from interlock_runtime.control.looks import Found, Later, Look, Memory
from interlock_runtime.core.errors import PermanentError, TransientError
from interlock_runtime.core.rows import Key, Row

A, B, C = (("PIPELINE#p", name) for name in "abc")


class Shelf:
    """Rows to read, with a note of every read."""

    def __init__(self, *rows: Key) -> None:
        self.rows: dict[Key, Row] = {key: {"PK": key[0], "SK": key[1]} for key in rows}
        self.reads: list[list[Key]] = []
        self.spoilt: Key | None = None
        self.broken = False

    def read(self, keys: Iterable[Key]) -> Found:
        wanted = list(keys)
        self.reads.append(wanted)
        if self.broken:
            raise TransientError("throttled")
        if self.spoilt in wanted:
            raise PermanentError("a key is too long")
        return {key: self.rows[key] for key in wanted if key in self.rows}


def two_steps(first: Key, second: Key, seen: list[Any]) -> Look[None]:
    found = yield [first]
    seen.append((first, first in found))
    found = yield [second]
    seen.append((second, second in found))


def failing(seen: list[Any]) -> Look[None]:
    yield [A]
    seen.append("began")
    raise ValueError("broken")


def patient(seen: list[Any]) -> Look[None]:
    found = yield [A]
    seen.append(("before", A in found))
    found = yield Later((A,))
    seen.append(("after", A in found))
    found = yield [B]
    seen.append(("then", B in found))


@pytest.fixture
def failures() -> list[tuple[str, str]]:
    return []


def test_each_step_of_many_looks_is_one_read(failures: list[tuple[str, str]]) -> None:
    shelf, seen = Shelf(A, B), []
    begun = [("one", two_steps(A, B, seen)), ("other", two_steps(C, A, seen))]
    assert looks.together(begun, read=shelf.read, failed=lambda who, error: failures.append((who, str(error)))) == []
    assert shelf.reads == [[A, C], [B, A]]
    assert seen == [(A, True), (C, False), (B, True), (A, True)]
    assert failures == []


def test_a_look_that_fails_does_not_stop_the_others(failures: list[tuple[str, str]]) -> None:
    shelf, seen = Shelf(A, B), []
    begun = [("bad", failing(seen)), ("good", two_steps(A, B, seen))]
    looks.together(begun, read=shelf.read, failed=lambda who, error: failures.append((who, str(error))))
    assert seen == ["began", (A, True), (B, True)]
    assert failures == [("bad", "broken")]


def test_a_key_that_spoils_the_read_fails_only_the_look_that_wants_it(failures: list[tuple[str, str]]) -> None:
    shelf, seen = Shelf(A, B), []
    shelf.spoilt = C
    begun = [("bad", two_steps(C, A, seen)), ("good", two_steps(A, B, seen))]
    looks.together(begun, read=shelf.read, failed=lambda who, error: failures.append((who, str(error))))
    assert seen == [(A, True), (B, True)]
    assert failures == [("bad", "a key is too long")]


def test_when_nothing_can_be_read_nothing_is_known_of_any_look(failures: list[tuple[str, str]]) -> None:
    shelf = Shelf(A)
    shelf.broken = True
    with pytest.raises(TransientError, match="throttled"):
        looks.together([("one", two_steps(A, B, []))], read=shelf.read, failed=lambda *_: None)


def test_a_second_look_is_taken_when_it_is_asked_for(failures: list[tuple[str, str]]) -> None:
    shelf, seen = Shelf(B), []
    later = looks.together([("one", patient(seen))], read=shelf.read, failed=lambda *_: None)
    assert seen == [("before", False)]
    shelf.rows[A] = {}
    looks.again(later, read=shelf.read, failed=lambda *_: None)
    assert seen == [("before", False), ("after", True), ("then", True)]
    assert shelf.reads == [[A], [A], [B]]


def test_what_was_read_once_is_remembered_absence_included() -> None:
    shelf = Shelf(A)
    memory = Memory(shelf.read)
    assert set(memory.read([A, B])) == {A}
    assert set(memory.read([B, A, C, C])) == {A}
    assert memory.read([]) == {}
    assert shelf.reads == [[A, B], [C]]


def test_a_read_that_failed_is_not_remembered() -> None:
    shelf = Shelf(A)
    memory = Memory(shelf.read)
    shelf.broken = True
    with pytest.raises(TransientError):
        memory.read([A])
    shelf.broken = False
    assert set(memory.read([A])) == {A}
