"""Functions that answer as a test tells, in place of the simulator's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from interlock_tf.local.disturbances import Calm
from interlock_tf.local.functions import Answer


class ScriptedFunctions:
    """Every function is ``handle``; what it raises is an error of the function. ``given`` are the events."""

    def __init__(self, handle: Callable[[Any], Any]) -> None:
        self.given: list[Any] = []
        self.disturbances = Calm()
        self.dead_letter: Callable[[str, Any], None] = lambda *_: None
        self._handle = handle

    def invoke(self, _arn: str, event: Any) -> Answer:
        """Invoke a function."""
        self.given.append(event)
        try:
            return Answer(payload=self._handle(event))
        except Exception as error:  # noqa: BLE001 - whatever the test raises
            return Answer(error={"errorType": type(error).__name__, "errorMessage": str(error)})
