"""Rules, the sensors that they read, and the verdict over a list of them.

Everything fails closed: whatever cannot be read, compared or recognised is a failed rule with a
reason in words, never a pass and never an exception.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from interlock_runtime.core.dates import DeclaredPeriod, ExecutionDate, sensor_keys
from interlock_runtime.core.documents import Rule
from interlock_runtime.core.numbers import number, plain
from interlock_runtime.core.rows import RESERVED_ATTRIBUTES
from interlock_runtime.core.scalars import Mode, format_duration, parse_duration
from interlock_runtime.core.timestamps import EXPECTED as EXPECTED_TIMESTAMP
from interlock_runtime.core.timestamps import parse_timestamp
from interlock_runtime.core.wording import shown


@dataclass(frozen=True)
class Sensor:
    """What is known of a sensor when a rule looks at it.

    A ``problem`` (in words, completing "sensor … ") says why its fields cannot be relied upon;
    every rule about the sensor then fails with it.
    """

    key: str
    fields: Mapping[str, Any]
    problem: str | None = None

    @classmethod
    def of_row(cls, key: str, row: Mapping[str, Any]) -> Sensor:
        """The sensor ``key`` from its row, whose values JSON can hold (``core.numbers.plain``).

        Fields are the entries of ``data`` and the attributes at top level but the reserved ones;
        where both have a field, ``data`` wins.
        """
        fields = {name: value for name, value in row.items() if name not in RESERVED_ATTRIBUTES}
        data = row.get("data")
        if data is None:
            return cls(key, fields)
        if not isinstance(data, Mapping):
            return cls(key, fields, f"is broken: its data is {shown(data)}, not a map of fields")
        return cls(key, {**fields, **data})


def belongs(sensor_key: str, rule_key: str) -> bool:
    """Whether a sensor is one that rules with ``rule_key`` look at: the same key, or it and ``#…``."""
    return sensor_key == rule_key or (
        sensor_key.startswith(rule_key) and sensor_key[len(rule_key) : len(rule_key) + 1] == "#"
    )


def choose(rule_key: str, date: ExecutionDate, *, rows: Mapping[str, Mapping[str, Any]]) -> Sensor | None:
    """The sensor that a rule reads in a run for ``date``; None when there is none.

    ``rows`` holds the rows found, by sensor key, under the keys of
    :func:`~interlock_runtime.core.dates.sensor_keys`. The key with the date wins, whatever its
    fields say. A plain row that says itself that it is of another period is returned with that
    as its problem.
    """
    *dated, plain_key = sensor_keys(rule_key, date)
    for key in dated:
        if (row := rows.get(key)) is not None:
            return Sensor.of_row(key, row)
    if (row := rows.get(plain_key)) is None:
        return None
    sensor = Sensor.of_row(plain_key, row)
    declared = DeclaredPeriod.of(sensor.fields)
    if sensor.problem is None and declared.contradicts(date):
        return Sensor(plain_key, sensor.fields, f"is missing for {date}: the one that exists is of {declared}")
    return sensor


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """Whether one rule holds, and why.

    ``sensor_key`` is None when the sensor is missing, or counts as missing since it cannot be relied
    upon. ``observed`` is the field's value (None when there is none). ``age`` is how old the observed
    time is for a check of age, else how long ago the sensor's ``updatedAt`` was, when it has one.
    """

    rule: Rule
    passed: bool
    reason: str
    sensor_key: str | None = None
    observed: Any = None
    age: timedelta | None = None

    def describe(self) -> dict[str, Any]:
        """The result as JSON can hold it, for logs, events and the command line; ``ageSeconds`` in seconds."""
        return {
            "key": self.rule.key,
            "check": self.rule.check,
            "field": self.rule.field,
            "value": _brief(self.rule.value),
            "sensorKey": self.sensor_key,
            "observed": _brief(self.observed),
            "ageSeconds": None if self.age is None else round(self.age.total_seconds(), 3),
            "passed": self.passed,
            "reason": self.reason,
        }


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a list of rules holds as a whole, with the result of each."""

    passed: bool
    mode: Mode
    results: tuple[RuleResult, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it does not hold: the reasons of the failed rules, each once; empty when it does."""
        failed = [] if self.passed else [result.reason for result in self.results if not result.passed]
        return tuple(dict.fromkeys(failed))

    def describe(self) -> dict[str, Any]:
        """The verdict as JSON can hold it."""
        return {
            "passed": self.passed,
            "mode": str(self.mode),
            "rules": [result.describe() for result in self.results],
        }


def evaluate(
    rules: Iterable[Rule], *, mode: Mode = Mode.ALL, sensors: Mapping[str, Sensor | None], now: datetime
) -> Verdict:
    """Evaluate every rule; ``sensors`` holds, by rule key, what each reads. No rules at all pass."""
    results = tuple(evaluate_rule(rule, sensors.get(rule.key), now=now) for rule in rules)
    passes = [result.passed for result in results]
    passed = not passes or (any(passes) if mode is Mode.ANY else all(passes))
    return Verdict(passed=passed, mode=mode, results=results)


def evaluate_rule(rule: Rule, sensor: Sensor | None, *, now: datetime) -> RuleResult:
    """Evaluate one rule against the sensor it reads, at the aware instant ``now``; never raises."""
    if sensor is None:
        return RuleResult(rule=rule, passed=False, reason=f"sensor {rule.key} is missing")
    name = f"sensor {sensor.key}"
    if sensor.problem is not None:
        return RuleResult(rule=rule, passed=False, reason=f"{name} {sensor.problem}")
    observed = None if rule.field is None else sensor.fields.get(rule.field)
    age = _age(sensor.fields.get("updatedAt"), now)

    def result(passed: bool, reason: str) -> RuleResult:
        return RuleResult(rule=rule, passed=passed, reason=reason, sensor_key=sensor.key, observed=observed, age=age)

    if rule.field is None:
        if rule.check == "exists":
            return result(True, f"{name} exists")
        return result(False, f"{name}: the rule's check {rule.check} needs a field, and has none")
    if observed is None:
        return result(False, f"{name}: field {rule.field} {_absence(rule.field, sensor)}")
    if rule.check in _AGES:
        age = _age(observed, now)
    passed, words = _outcome(rule, observed, age)
    return result(passed, f"{name}: {words}")


def _absence(field: str, sensor: Sensor) -> str:
    if field in sensor.fields:
        return "is null"
    if field in RESERVED_ATTRIBUTES:
        return "is missing; that name is reserved at the top level of a row, so it must be inside data"
    return "is missing"


def _outcome(rule: Rule, observed: Any, age: timedelta | None) -> tuple[bool, str]:
    """Whether the rule holds for a field that is there, and the words that say so."""
    if rule.check == "exists":
        return True, f"field {rule.field} exists"
    if rule.check == "equals":
        condition = f"equal to {shown(rule.value)}"
        return _compared(_equal(observed, rule.value), rule, f"is {shown(observed)}", condition)
    if rule.check in _COMPARISONS:
        return _number_outcome(rule, observed)
    if rule.check in _AGES:
        return _age_outcome(rule, observed, age)
    return False, f"the rule's check {shown(rule.check)} is not known"


def _number_outcome(rule: Rule, observed: Any) -> tuple[bool, str]:
    words, holds = _COMPARISONS[rule.check]
    value, threshold = number(observed), number(rule.value)
    if threshold is None:
        return False, f"the rule's value {shown(rule.value)} is not a number"
    condition = f"{words} {shown(rule.value)}"
    if value is None:
        return _compared(False, rule, f"is {shown(observed)}, not a number", condition)
    return _compared(holds(value, threshold), rule, f"is {shown(observed)}", condition)


def _age_outcome(rule: Rule, observed: Any, age: timedelta | None) -> tuple[bool, str]:
    words, holds = _AGES[rule.check]
    try:
        threshold = parse_duration(rule.value)
    except ValueError as error:
        return False, f"the rule's value {shown(rule.value)} is {error}"
    condition = f"{words} {format_duration(threshold)}"
    if age is None:
        return _compared(False, rule, f"is {shown(observed)}, not {EXPECTED_TIMESTAMP}", condition)
    observation = f"is {shown(observed)}, {format_duration(age)} old"
    return _compared(holds(age, threshold), rule, observation, condition)


def _compared(passed: bool, rule: Rule, observation: str, condition: str) -> tuple[bool, str]:
    relation = "as required" if passed else "but must be"
    return passed, f"{rule.field} {observation}, {relation} {condition}"


_COMPARISONS: Mapping[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "gt": ("greater than", lambda value, threshold: value > threshold),
    "gte": ("at least", lambda value, threshold: value >= threshold),
    "lt": ("less than", lambda value, threshold: value < threshold),
    "lte": ("at most", lambda value, threshold: value <= threshold),
}
_AGES: Mapping[str, tuple[str, Callable[[timedelta, timedelta], bool]]] = {
    "age_lt": ("younger than", lambda age, threshold: age < threshold),
    "age_gt": ("older than", lambda age, threshold: age > threshold),
}


def _age(value: Any, now: datetime) -> timedelta | None:
    instant = parse_timestamp(value)
    return None if instant is None else max(now - instant, timedelta())


def _equal(observed: Any, value: Any) -> bool:
    """Whether two values are the same: numbers as numbers, everything else as text (``true`` is a boolean's)."""
    if _is_number(observed) and _is_number(value):
        return (exact := number(observed)) is not None and exact == number(value)
    return (text := _text(observed)) is not None and text == _text(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text(value: Any) -> str | None:
    """A value as the text that ``equals`` compares; None when it has none."""
    if isinstance(value, str):
        return value
    if _is_number(value):
        exact = number(value)
        return None if exact is None else str(plain(exact))
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return None


def _brief(value: Any) -> Any:
    """A value for logs and events: short and flat, numbers as they are."""
    if isinstance(value, bool) or value is None:
        return value
    if _is_number(value) and number(value) is not None:
        return value
    return value if isinstance(value, str) and len(value) <= 200 else shown(value)
