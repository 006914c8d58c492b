"""One execution of the emitted state machine, step by step, on a clock that somebody else moves.

An interpreter of exactly the part of the Amazon States Language that the definition uses. The
tests of the paths run the same definition by an interpreter that is not ours; this one can wait
for hours in no time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from interlock_runtime.core.instants import rfc3339
from interlock_tf.definition import definition

ORCHESTRATOR, SLA_MONITOR = "orchestrator", "sla-monitor"

DEFINITION = definition(
    orchestrator_arn=ORCHESTRATOR, sla_monitor_arn=SLA_MONITOR, sfn_timeout_seconds=14400, trigger_max_attempts=3
)

#: Calls the function of a Task with its parameters.
Call = Callable[[str, dict[str, Any]], Any]


class Execution:
    """``status`` is that of Step Functions; ``wakes_at`` is when there is something to do next."""

    def __init__(self, arn: str, told: Mapping[str, Any], *, now: datetime) -> None:
        self.arn = arn
        self.status = "RUNNING"
        self.wakes_at = now
        self.ends_at = now + timedelta(seconds=DEFINITION["TimeoutSeconds"])
        self.error: str | None = None
        self._state = DEFINITION["StartAt"]
        self._data: dict[str, Any] = dict(told)
        self._context = {"$$.Execution.Id": arn, "$$.Execution.StartTime": rfc3339(now)}
        self._tries = 0

    def go_on(self, call: Call, *, now: datetime) -> None:
        """Enter states until one waits or ends."""
        if now >= self.ends_at:
            self.status = "TIMED_OUT"
            return
        while self.status == "RUNNING" and self.wakes_at <= now:
            state = DEFINITION["States"][self._state]
            getattr(self, f"_{state['Type'].lower()}")(state, call, now)

    def _enter(self, name: str) -> None:
        self._state, self._tries = name, 0

    def _choice(self, state: Mapping[str, Any], _: Call, __: datetime) -> None:
        for choice in state["Choices"]:
            value = self._read(choice["Variable"])
            if ("IsNull" in choice and (value is None) == choice["IsNull"]) or choice.get("StringEquals") == value:
                self._enter(choice["Next"])
                return
        self._enter(state["Default"])

    def _wait(self, state: Mapping[str, Any], _: Call, now: datetime) -> None:
        self.wakes_at = now + timedelta(seconds=self._read(state["SecondsPath"]))
        self._enter(state["Next"])

    def _pass(self, state: Mapping[str, Any], _: Call, __: datetime) -> None:
        self._keep(state, self._read(state["InputPath"]) if "InputPath" in state else state["Result"])
        self._enter(state["Next"])

    def _succeed(self, *_: Any) -> None:
        self.status = "SUCCEEDED"

    def _fail(self, *_: Any) -> None:
        self.status = "FAILED"
        self.error = str(self._data.get("error"))

    def _task(self, state: Mapping[str, Any], call: Call, now: datetime) -> None:
        try:
            answer = call(state["Resource"], self._filled(state["Parameters"]))
        except Exception as error:  # noqa: BLE001 - as Lambda reports any exception of a function
            self._failed(state, type(error).__name__, str(error), now)
        else:
            self._keep(state, answer)
            self._enter(state["Next"])

    def _failed(self, state: Mapping[str, Any], name: str, cause: str, now: datetime) -> None:
        retry = next((each for each in state.get("Retry", ()) if _matches(each, name)), None)
        if retry is not None and self._tries < retry["MaxAttempts"]:
            self.wakes_at = now + timedelta(seconds=retry["IntervalSeconds"] * retry["BackoffRate"] ** self._tries)
            self._tries += 1
            return
        catcher = next(each for each in state["Catch"] if _matches(each, name))
        self._keep(catcher, {"Error": name, "Cause": cause})
        self._enter(catcher["Next"])

    def _keep(self, state: Mapping[str, Any], value: Any) -> None:
        path = state.get("ResultPath", "$")
        if path == "$":
            self._data = value
        elif path is not None:
            self._data = {**self._data, path.removeprefix("$."): value}

    def _filled(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key.removesuffix(".$"): self._read(value) if key.endswith(".$") else value
            for key, value in parameters.items()
        }

    def _read(self, path: str) -> Any:
        if path in self._context:
            return self._context[path]
        value: Any = self._data
        for step in path.removeprefix("$").split(".")[1:]:
            value = value[step]  # a path that leads nowhere ends the test, as it would end an execution
        return value


def _matches(rule: Mapping[str, Any], error: str) -> bool:
    """Whether a retrier or catcher is for an exception of a function."""
    return any(name in (error, "States.TaskFailed", "States.ALL") for name in rule["ErrorEquals"])
