"""The terminal: how wide, in which colours, and how far a long answer is."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

#: How wide text is that goes to a file or another program.
_WIDTH_WITHOUT_TERMINAL = 160

#: After so many seconds progress is shown.
_PATIENCE = 1.0

_STYLES = {
    "good": "green",
    "bad": "bold red",
    "warn": "yellow",
    "faint": "dim",
    "head": "bold",
    "busy": "cyan",
}


def console(out: TextIO | None = None) -> Console:
    """The terminal, or the file that stands in for it. Colours follow rich's rules, NO_COLOR included."""
    # It takes a moment to load, and is an extra.
    from rich.console import Console  # noqa: PLC0415
    from rich.theme import Theme  # noqa: PLC0415

    out = out or sys.stdout
    width = None if out.isatty() or "COLUMNS" in os.environ else _WIDTH_WITHOUT_TERMINAL
    return Console(file=out, width=width, theme=Theme(_STYLES), markup=False, emoji=False, highlight=False)


def show(parts: Callable[[int], Iterable[RenderableType]], out: TextIO | None = None) -> None:
    """Print what a person reads, without white space at the ends of lines; ``parts`` is told the width."""
    screen = console(out)
    with screen.capture() as captured:
        for part in parts(screen.width):
            screen.print(part)
    text = "\n".join(line.rstrip() for line in captured.get().splitlines())
    (out or sys.stdout).write(f"{text}\n" if text else "")


def show_json(document: Any, out: TextIO | None = None) -> None:
    """Print one document for a program."""
    (out or sys.stdout).write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def clean(text: str) -> str:
    """``text`` without what a terminal would take for a command, on one line."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


class Progress:
    """How many rows have been read, told on standard error when that is a terminal and it takes long.

    What is told stands there while the ``with`` block runs.
    """

    def __init__(self, err: TextIO | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._err = err or sys.stderr
        self._clock = clock
        self._begun = clock()
        self._rows = 0
        self._shown = False

    def __enter__(self) -> None:
        self._begun, self._rows = self._clock(), 0

    def __call__(self, rows: int) -> None:
        """So many more rows have been read."""
        self._rows += rows
        if self._err.isatty() and self._clock() - self._begun > _PATIENCE:
            self._err.write(f"\r\x1b[K{self._rows:,} rows read …")
            self._err.flush()
            self._shown = True

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._err.write("\r\x1b[K")
            self._err.flush()
            self._shown = False
