"""What may go wrong around functions, as the parts of a world ask for it; :class:`Calm` is that nothing does.

A world asks before each call of a function, each delivery and each task. Whoever answers may let
things fail only as AWS may: what they cannot do, nobody can ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interlock_tf.local.agenda import Agenda
    from interlock_tf.local.functions import Functions

#: Does what was asked for, or what is given instead of its parameters, and gives the answer.
Act = Callable[..., Any]


class GoneError(BaseException):
    """The process of a function has ended: nothing of it runs any more, least of all its handling of errors."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class UnansweredError(Exception):
    """Somebody outside AWS did not answer; whether they did what was asked for is unknown."""


@dataclass(kw_only=True, eq=False)
class Invocation:
    """A function at work: which, and on what.

    ``spent`` is how long it has been, and ``timeout`` how long it may be; it ``waits`` while others
    go on. ``gone`` is set once its process has ended.
    """

    function: str
    event: Any
    number: int = 0
    timeout: timedelta = timedelta(minutes=15)
    spent: timedelta = timedelta()
    waits: bool = False
    gone: GoneError | None = None


@dataclass(frozen=True)
class Interruption:
    """What a state machine is told instead of a function's result; ``acts`` says whether the function is invoked."""

    error: str
    acts: bool


class Calm:
    """Nothing goes wrong, and nothing takes time."""

    def join(self, functions: Functions, agenda: Agenda) -> None:
        """Be told whom to disturb."""

    def call(
        self, invocation: Invocation, service: str, operation: str, parameters: Mapping[str, Any], act: Act
    ) -> Any:
        """A function calls a service; the answer, or what is raised instead of one."""
        return act()

    def request(self, invocation: Invocation, act: Act) -> Any:
        """A function asks somebody outside AWS, by HTTP; as :meth:`call`."""
        return act()

    def deliveries(self, function: str) -> Sequence[timedelta]:
        """When a message or an event reaches a function: at least once, each a while from now."""
        return (timedelta(),)

    def hold(self, function: str) -> timedelta:
        """How long a stream's batch waits before a function gets it."""
        return timedelta()

    def is_forgotten(self, function: str) -> bool:
        """Whether it gets lost that a function has handled a batch, which is then delivered again."""
        return False

    def interruption(self, function: str) -> Interruption | None:
        """What keeps a state machine from a function's result."""
        return None
