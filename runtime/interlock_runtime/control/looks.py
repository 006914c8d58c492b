"""Reading rows in batches while thinking about one subject at a time.

A look is a generator about one subject, a pipeline or a row. It yields the keys of the rows that
it needs, is given those that exist, and goes on: it yields again, or acts. So its code reads as
if it were alone, and :func:`together` drives hundreds of looks step by step with one read for all
of them at each step. What one of them meets never reaches another.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from interlock_runtime.core.errors import PermanentError
from interlock_runtime.core.rows import Key, Row

S = TypeVar("S")
T = TypeVar("T")

#: The rows that exist, by key; also those that others asked for.
Found = Mapping[Key, Row]
Read = Callable[[Iterable[Key]], Found]


@dataclass(frozen=True)
class Later:
    """The keys of rows to be read when some time has passed: for a second look."""

    keys: tuple[Key, ...]


Look = Generator[Iterable[Key] | Later, Found, T]

#: Looks with the rows that they asked for (None: they have not begun), and looks with the keys that they ask for.
_Begun = Iterable[tuple[S, Look[None], Found | None]]
_Waiting = list[tuple[S, Look[None], tuple[Key, ...]]]
#: Looks that want to look again, with the keys of that.
_Patient = list[tuple[S, Later, Look[None]]]


class Memory:
    """Rows that were read once are not read again; that there is none is remembered, too."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._known: dict[Key, Row | None] = {}

    def read(self, keys: Iterable[Key]) -> Found:
        """The rows that exist."""
        wanted = tuple(keys)
        fresh = tuple(key for key in dict.fromkeys(wanted) if key not in self._known)
        if fresh:
            found = self._read(fresh)
            self._known.update({key: found.get(key) for key in fresh})
        return {key: row for key in wanted if (row := self._known[key]) is not None}


def together(
    looks: Iterable[tuple[S, Look[None]]], *, read: Read, failed: Callable[[S, Exception], None]
) -> _Patient[S]:
    """Drive looks step by step, as far as they go without waiting; those that want to look again later.

    ``failed`` is told of every subject whose look raised.

    Raises:
        TransientError: the rows could not be read; nothing is known of the looks that needed them.
    """
    return _drive(((subject, look, None) for subject, look in looks), read=read, failed=failed)


def again(later: Iterable[tuple[S, Later, Look[None]]], *, read: Read, failed: Callable[[S, Exception], None]) -> None:
    """Drive on the looks that wanted to look again; each may want that once."""
    waiting = [(subject, look, wanted.keys) for subject, wanted, look in later]
    _drive(_read_for(waiting, read, failed), read=read, failed=failed)


def _drive(begun: _Begun[S], *, read: Read, failed: Callable[[S, Exception], None]) -> _Patient[S]:
    later: _Patient[S] = []
    while True:
        waiting: _Waiting[S] = []
        for subject, look, found in begun:
            try:
                wanted = look.send(found) if found is not None else next(look)
            except StopIteration:
                continue
            except Exception as error:  # noqa: BLE001 - whatever it was, the others go on
                failed(subject, error)
                continue
            if isinstance(wanted, Later):
                later.append((subject, wanted, look))
            else:
                waiting.append((subject, look, tuple(wanted)))
        if not waiting:
            return later
        begun = _read_for(waiting, read, failed)


def _read_for(waiting: _Waiting[S], read: Read, failed: Callable[[S, Exception], None]) -> _Begun[S]:
    """What each look wants, in one read; when a key of one spoils it, in one for each."""
    try:
        found = read(chain.from_iterable(keys for _, _, keys in waiting))
    except PermanentError:
        return _read_one_by_one(waiting, read, failed)
    return [(subject, look, found) for subject, look, _ in waiting]


def _read_one_by_one(
    waiting: _Waiting[S], read: Read, failed: Callable[[S, Exception], None]
) -> Iterator[tuple[S, Look[None], Found | None]]:
    for subject, look, keys in waiting:
        try:
            yield subject, look, read(keys)
        except PermanentError as error:
            failed(subject, error)
