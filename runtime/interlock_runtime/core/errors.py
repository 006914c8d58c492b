"""What can go wrong, as one tree.

    InterlockError
    ├── ConfigError       a person wrote something that cannot work: one or more Problems
    ├── TransientError    the same call may succeed later: retried
    └── PermanentError    the same call can never succeed: not retried

Retry policy reads the type, never the text. The state machine knows these classes by their
names (Step Functions reports a Lambda's exception by its class name), so a rename is a change
of the definition in ``asl/`` too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class InterlockError(Exception):
    """The root of every error that Interlock raises on purpose."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in what a person wrote, and where.

    ``line`` and ``column`` count from 1, as editors do. ``path`` is the dotted path inside the
    document (``validation.rules[2].check``) or the name of an option.
    """

    file: str | None = None
    line: int | None = None
    column: int | None = None
    path: str = ""
    message: str = ""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return ": ".join(part for part in (place, self.path, self.message) if part)


class ConfigError(InterlockError):
    """What a person wrote cannot work; every problem that was found is in ``problems``."""

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class TransientError(InterlockError):
    """Throttling, a network failure, an answer lost: the same call may succeed later."""


class PermanentError(InterlockError):
    """A missing job, a bad parameter, a refused host: the same call can never succeed."""
