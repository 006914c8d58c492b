"""An interpreter of the Amazon States Language, as far as Interlock's definition uses it.

It is a generator that yields what it waits for, a task or a pause, and is sent what came of it. So
it knows neither a clock nor Lambda, and a day of an execution is as long as whoever drives it takes.
What it does not know, it refuses before the first step, naming it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from interlock_tf.local.asl_paths import StateError, check_expression, check_template, filled, put, value_of
from interlock_tf.local.terraform_json import StackError

_COMMON = {"Type", "Comment", "Next", "End", "InputPath", "OutputPath"}
_FIELDS: Mapping[str, frozenset[str]] = {
    "Task": frozenset(
        _COMMON | {"Resource", "Parameters", "ResultSelector", "ResultPath", "Retry", "Catch", "TimeoutSeconds"}
    ),
    "Pass": frozenset(_COMMON | {"Parameters", "Result", "ResultPath"}),
    "Wait": frozenset(_COMMON | {"Seconds", "SecondsPath", "Timestamp", "TimestampPath"}),
    "Choice": frozenset(_COMMON | {"Choices", "Default"}),
    "Succeed": frozenset({"Type", "Comment", "InputPath", "OutputPath"}),
    "Fail": frozenset({"Type", "Comment", "Error", "ErrorPath", "Cause", "CausePath"}),
}
_EXPRESSIONS = ("InputPath", "OutputPath", "ResultPath", "SecondsPath", "TimestampPath", "ErrorPath", "CausePath")
_RETRIER = {
    "ErrorEquals",
    "IntervalSeconds",
    "BackoffRate",
    "MaxAttempts",
    "MaxDelaySeconds",
    "JitterStrategy",
    "Comment",
}
_CATCHER = {"ErrorEquals", "ResultPath", "Next", "Comment"}

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "IsNull": lambda value, wanted: (value is None) is wanted,
    "IsString": lambda value, wanted: isinstance(value, str) is wanted,
    "IsBoolean": lambda value, wanted: isinstance(value, bool) is wanted,
    "IsNumeric": lambda value, wanted: _is_number(value) is wanted,
    "StringEquals": lambda value, wanted: isinstance(value, str) and value == wanted,
    "BooleanEquals": lambda value, wanted: isinstance(value, bool) and value is wanted,
    "NumericEquals": lambda value, wanted: _is_number(value) and value == wanted,
    "NumericGreaterThan": lambda value, wanted: _is_number(value) and value > wanted,
    "NumericGreaterThanEquals": lambda value, wanted: _is_number(value) and value >= wanted,
    "NumericLessThan": lambda value, wanted: _is_number(value) and value < wanted,
    "NumericLessThanEquals": lambda value, wanted: _is_number(value) and value <= wanted,
}

#: Errors that no retrier and no catcher of ``States.ALL`` handles.
_UNCATCHABLE = frozenset({"States.Runtime", "States.DataLimitExceeded"})


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True, kw_only=True)
class Task:
    """A function to be invoked; send its result, or throw a StateError."""

    state: str
    resource: str
    payload: Any
    timeout: float | None


@dataclass(frozen=True, kw_only=True)
class Pause:
    """Nothing to do for some seconds, or until an instant; send None when it is over."""

    state: str
    seconds: float | None = None
    until: datetime | None = None


Steps = Generator[Task | Pause, Any, Any]


@dataclass(frozen=True)
class Machine:
    """A definition that is understood here.

    Raises:
        StackError: the definition has something in it that is not, or a state that does not exist.
    """

    definition: Mapping[str, Any]
    address: str = "the state machine"
    timeout: float | None = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "timeout", self.definition.get("TimeoutSeconds"))
        unknown = self.definition.keys() - {
            "Comment",
            "StartAt",
            "States",
            "TimeoutSeconds",
            "Version",
            "QueryLanguage",
        }
        self._refuse(unknown, "the definition")
        if self.definition.get("QueryLanguage", "JSONPath") != "JSONPath":
            raise StackError(f"{self.address}: only JSONPath is understood here")
        states = self.definition["States"]
        for name, state in states.items():
            kind = state.get("Type")
            if kind not in _FIELDS:
                raise StackError(f"{self.address}: the state {name} is a {kind}, which is not understood here")
            self._refuse(state.keys() - _FIELDS[kind], name)
            self._check(name, state)
        for name in (
            self.definition["StartAt"],
            *(following for state in states.values() for following in _next(state)),
        ):
            if name not in states:
                raise StackError(f"{self.address}: there is no state {name!r}, and the definition goes there")

    def run(self, data: Any, context: Mapping[str, Any], random: Random) -> Steps:
        """Go from the first state to an end, and return the output.

        Raises:
            StateError: the execution failed.
        """
        name = self.definition["StartAt"]
        while True:
            state = self.definition["States"][name]
            within = {**context, "State": {"Name": name}}
            path = state.get("InputPath", "$")
            given = {} if path is None else value_of(path, data, within)
            following, data = yield from _KINDS[state["Type"]](name, state, given, data, within, random)
            if state.get("OutputPath", "$") is None:
                data = {}
            elif "OutputPath" in state:
                data = value_of(state["OutputPath"], data, within)
            if following is None:
                return data
            name = following

    def _check(self, name: str, state: Mapping[str, Any]) -> None:
        place = f"{self.address}: {name}"
        for key in _EXPRESSIONS:
            if state.get(key) is not None:
                check_expression(state[key], f"{place}.{key}")
        for key in ("Parameters", "ResultSelector"):
            check_template(state.get(key), f"{place}.{key}")
        for retrier in state.get("Retry", ()):
            self._refuse(retrier.keys() - _RETRIER, f"{name}.Retry")
        for catcher in state.get("Catch", ()):
            self._refuse(catcher.keys() - _CATCHER, f"{name}.Catch")
        for choice in state.get("Choices", ()):
            self._check_choice(f"{name}.Choices", choice)

    def _check_choice(self, place: str, choice: Mapping[str, Any]) -> None:
        if "Not" in choice:
            return self._check_choice(place, choice["Not"])
        for key in ("And", "Or"):
            if key in choice:
                for each in choice[key]:
                    self._check_choice(place, each)
                return None
        check_expression(choice.get("Variable"), f"{self.address}: {place}")
        comparisons = choice.keys() - {"Variable", "Next", "Comment"}
        self._refuse(comparisons - _COMPARISONS.keys() - {"IsPresent"}, place)
        if len(comparisons) != 1:
            raise StackError(f"{self.address}: {place}: a choice needs one comparison, and has {sorted(comparisons)}")
        return None

    def _refuse(self, unknown: Any, place: str) -> None:
        if unknown:
            raise StackError(f"{self.address}: {place}: {', '.join(sorted(unknown))} is not understood here")


def _next(state: Mapping[str, Any]) -> list[str]:
    steps = (state, *state.get("Choices", ()), *state.get("Catch", ()))
    return [step[key] for step in steps for key in ("Next", "Default") if key in step]


def _task(name: str, state: Any, given: Any, data: Any, context: Any, random: Random) -> Generator[Any, Any, Any]:
    tried: dict[int, int] = {}
    while True:
        try:
            payload = filled(state["Parameters"], given, context) if "Parameters" in state else given
            result = yield Task(
                state=name, resource=state["Resource"], payload=payload, timeout=state.get("TimeoutSeconds")
            )
            if "ResultSelector" in state:
                result = filled(state["ResultSelector"], result, context)
            return state.get("Next"), put(state.get("ResultPath", "$"), data, result)
        except StateError as error:
            pause = _retry(state, error, tried, random)
            if pause is None:
                return _caught(state, error, data)
            yield Pause(state=name, seconds=pause)


def _retry(state: Any, error: StateError, tried: dict[int, int], random: Random) -> float | None:
    """Seconds to the next attempt, or None when there is none."""
    for position, retrier in enumerate(state.get("Retry", ())):
        if not _handles(retrier["ErrorEquals"], error):
            continue
        count = tried[position] = tried.get(position, 0) + 1
        if count > retrier.get("MaxAttempts", 3):
            return None
        pause = float(retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** (count - 1))
        pause = min(pause, retrier.get("MaxDelaySeconds", pause))
        return random.uniform(0, pause) if retrier.get("JitterStrategy") == "FULL" else pause
    return None


def _caught(state: Any, error: StateError, data: Any) -> tuple[str, Any]:
    for catcher in state.get("Catch", ()):
        if _handles(catcher["ErrorEquals"], error):
            return catcher["Next"], put(catcher.get("ResultPath", "$"), data, error.output())
    raise error


def _handles(names: list[str], error: StateError) -> bool:
    if error.name in names:
        return True
    if error.name in _UNCATCHABLE:
        return False
    return "States.ALL" in names or ("States.TaskFailed" in names and error.name != "States.Timeout")


def _pass(name: str, state: Any, given: Any, data: Any, context: Any, random: Random) -> Generator[Any, Any, Any]:
    yield from ()
    result = filled(state["Parameters"], given, context) if "Parameters" in state else given
    return state.get("Next"), put(state.get("ResultPath", "$"), data, state.get("Result", result))


def _wait(name: str, state: Any, given: Any, data: Any, context: Any, random: Random) -> Generator[Any, Any, Any]:
    seconds = value_of(state["SecondsPath"], given, context) if "SecondsPath" in state else state.get("Seconds")
    stamp = value_of(state["TimestampPath"], given, context) if "TimestampPath" in state else state.get("Timestamp")
    if seconds is None:
        yield Pause(state=name, until=datetime.fromisoformat(stamp))
    elif not _is_number(seconds) or seconds < 0:
        raise StateError("States.Runtime", f"{state.get('SecondsPath')} is {seconds!r}, expected seconds")
    else:
        yield Pause(state=name, seconds=seconds)
    return state.get("Next"), given


def _choice(name: str, state: Any, given: Any, data: Any, context: Any, random: Random) -> Generator[Any, Any, Any]:
    yield from ()
    for choice in state["Choices"]:
        if _holds(choice, given, context):
            return choice["Next"], given
    if "Default" not in state:
        raise StateError("States.NoChoiceMatched", f"no choice of {name} holds")
    return state["Default"], given


def _holds(choice: Any, given: Any, context: Any) -> bool:
    if "Not" in choice:
        return not _holds(choice["Not"], given, context)
    if "And" in choice:
        return all(_holds(each, given, context) for each in choice["And"])
    if "Or" in choice:
        return any(_holds(each, given, context) for each in choice["Or"])
    ((comparison, wanted),) = ((key, choice[key]) for key in choice if key in _COMPARISONS or key == "IsPresent")
    try:
        value = value_of(choice["Variable"], given, context)
    except StateError:
        if comparison == "IsPresent":
            return not wanted
        raise
    return bool(wanted) if comparison == "IsPresent" else _COMPARISONS[comparison](value, wanted)


def _succeed(name: str, state: Any, given: Any, data: Any, context: Any, random: Random) -> Generator[Any, Any, Any]:
    yield from ()
    return None, given


def _fail(name: str, state: Any, given: Any, data: Any, context: Any, random: Random) -> Generator[Any, Any, Any]:
    yield from ()
    error = value_of(state["ErrorPath"], given, context) if "ErrorPath" in state else state.get("Error", "")
    cause = value_of(state["CausePath"], given, context) if "CausePath" in state else state.get("Cause", "")
    raise StateError(error, cause)


_KINDS: Mapping[str, Callable[..., Generator[Any, Any, Any]]] = {
    "Task": _task,
    "Pass": _pass,
    "Wait": _wait,
    "Choice": _choice,
    "Succeed": _succeed,
    "Fail": _fail,
}
