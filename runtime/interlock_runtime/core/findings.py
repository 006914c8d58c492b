"""What a check of a document yields."""

from __future__ import annotations

import re
from dataclasses import dataclass

from interlock_runtime.core.wording import shown

#: Keys, and positions in lists, from the document's root.
Path = tuple[str | int, ...]

_PLAIN = re.compile(r"[\w${}/+@#<>=*-]+")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something wrong in a document, or with ``warning`` something odd.

    ``path`` says where. ``rests_on`` are other paths whose values, or absence, led to it: whoever
    took an unreadable value out of the document knows from them not to rely on the finding.
    """

    path: Path
    message: str
    warning: bool = False
    rests_on: tuple[Path, ...] = ()

    def hinges_on(self, path: Path) -> bool:
        """Whether the finding is about the value at ``path``, about a part of it, or rests on it."""
        return self.path[: len(path)] == path or any(related(basis, path) for basis in self.rests_on)


def dotted(path: Path) -> str:
    """A path as people write it: ``validation.rules[2].check``; keys that are no plain words in brackets."""
    return "".join(map(_step, path)).removeprefix(".")


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _PLAIN.fullmatch(step) else f"[{shown(step)}]"


def related(one: Path, other: Path) -> bool:
    """Whether one of two paths leads to the other, or they are the same."""
    length = min(len(one), len(other))
    return one[:length] == other[:length]
