"""Sensors as people write and list them: the answer to ``sensor``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal
from typing import Any

from interlock_runtime.core import dates, rows
from interlock_runtime.core.dates import DeclaredPeriod, ExecutionDate
from interlock_runtime.core.documents import Pipeline, Rule
from interlock_runtime.core.errors import ConfigError, Problem
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.numbers import plain
from interlock_runtime.core.rules import RuleResult, Sensor, belongs, evaluate_rule
from interlock_runtime.core.sensors import all_keys, updated_at
from interlock_runtime.core.timestamps import EXPECTED, parse_timestamp
from interlock_runtime.core.wording import shown
from interlock_tf.installation.deployed import Installation, near
from interlock_tf.installation.tables import Bounds

#: Attributes of a row that mean nothing among a sensor's fields: who writes them there is mistaken.
ROW_ATTRIBUTES = frozenset({"PK", "SK", "data", "ttl", "interlockKind", "config"})

#: What DynamoDB keeps of a number.
_DIGITS = 38
_EXACT = Context(prec=400)

#: What DynamoDB leaves for a sensor's key in the sort key of its row.
_KEY_BYTES = 1024 - len(rows.SENSOR_PREFIX)

_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_CONSTANTS: Mapping[str, Any] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One rule that looks at a sensor: where it stands in the document, and whether it holds with it."""

    path: str
    result: RuleResult

    def describe(self) -> dict[str, Any]:
        """As JSON."""
        return {"path": self.path, **self.result.describe()}


@dataclass(frozen=True, kw_only=True)
class SensorRow:
    """One sensor of a pipeline; ``date`` is the execution date that it would be taken for if it were written now."""

    pipeline: Pipeline
    key: str
    sensor: Sensor
    date: ExecutionDate | None
    ignored: tuple[str, ...]
    readings: tuple[Reading, ...]

    @classmethod
    def of(cls, pipeline: Pipeline, sensor: Sensor, *, now: datetime) -> SensorRow:
        """Judge a sensor as it is now."""
        readings = tuple(
            Reading(path=path, result=evaluate_rule(rule, sensor, now=now))
            for path, rule in _rules(pipeline)
            if belongs(sensor.key, rule.key)
        )
        date: ExecutionDate | None = None
        ignored: tuple[str, ...] = ()
        if readings:
            rule_key = readings[0].result.rule.key
            date, ignored = dates.of_sensor(
                pipeline, sensor.key, fields=sensor.fields, rule_key=rule_key, written_at=now
            )
        return cls(pipeline=pipeline, key=sensor.key, sensor=sensor, date=date, ignored=ignored, readings=readings)

    def describe(self) -> dict[str, Any]:
        """As JSON."""
        updated = updated_at(self.sensor)
        return {
            "pipeline": self.pipeline.id,
            "key": self.key,
            "fields": dict(self.sensor.fields),
            "problem": self.sensor.problem,
            "updatedAt": updated and rfc3339(updated),
            "ignored": list(self.ignored),
            "readBy": [each.describe() for each in self.readings],
        }


def fields_of(
    pairs: Sequence[str], data: str | None, *, date: ExecutionDate | None, updated: str | None, now: datetime
) -> dict[str, Any]:
    """The fields of a sensor as a person gave them: pairs, JSON, and the options for those with a meaning.

    Raises:
        ConfigError: one cannot be read, is given twice, or is no field.
    """
    fields = _json_fields(data) if data is not None else {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator or not name:
            raise _wrong("FIELD=VALUE", f"{pair!r} is not FIELD=VALUE")
        _add(fields, name, _value(name, value), option="FIELD=VALUE")
    if date is not None:
        _add(fields, "date", date.day.isoformat(), option="--date")
        if date.hour is not None:
            _add(fields, "hour", f"{date.hour:02}", option="--date")
    if updated is not None:
        if updated != "now" and parse_timestamp(updated) is None:
            raise _wrong("--updated-at", f"{shown(updated)} is not now, nor {EXPECTED}")
        _add(fields, "updatedAt", rfc3339(now) if updated == "now" else updated, option="--updated-at")
    for name in fields:
        if name in ROW_ATTRIBUTES:
            raise _wrong("FIELD=VALUE", f"{name} is a name of the row itself, and means nothing among its fields")
    return fields


def sensor_to_put(
    installation: Installation, pipeline_id: str, key: str, fields: Mapping[str, Any], *, unread: bool
) -> SensorRow:
    """The sensor that is about to be written, and who reads it.

    Raises:
        ConfigError: there is no such pipeline, or, unless ``unread`` is allowed, nothing reads it.
    """
    pipeline = installation.pipeline(pipeline_id)
    if not 1 <= len(key.encode()) <= _KEY_BYTES:
        raise _wrong("KEY", f"has 1 to {_KEY_BYTES:,} bytes, not {len(key.encode()):,}")
    found = SensorRow.of(pipeline, Sensor(key, plain(dict(fields))), now=installation.now)
    if not found.readings and not unread:
        raise _wrong("KEY", f"{nobody_reads(pipeline, key)} (--force writes it all the same)")
    if not unread and (named := _contradicted(found)) is not None:
        message = f"{key!r} is read for {named}, and the fields say {found.date}"
        raise _wrong("KEY", f"{message}: leave one of them out (--force writes it all the same)")
    return found


def nobody_reads(pipeline: Pipeline, key: str) -> str:
    """What is to be said of a sensor that no rule reads, with the keys that may have been meant."""
    keys = all_keys(pipeline)
    like = near(key, keys)
    hint = f"did you mean {' or '.join(like)}?" if like else f"its rules read {', '.join(keys) or 'no sensor'}"
    return f"no rule of {pipeline.id} reads {key!r}; {hint}"


def _contradicted(found: SensorRow) -> ExecutionDate | None:
    """The date in the sensor's key, when its fields tell another."""
    if not found.readings or found.date is None:
        return None
    try:
        named = dates.in_key(found.key, found.readings[0].result.rule.key)
    except ValueError:
        return None
    return named if DeclaredPeriod.of(found.sensor.fields).contradicts(named) else None


def put(installation: Installation, found: SensorRow, fields: Mapping[str, Any]) -> None:
    """Write it, in place of what stands under that key."""
    installation.control.put({"PK": rows.pk(found.pipeline.id), "SK": rows.sensor(found.key), "data": dict(fields)})


def sensors(installation: Installation, pipeline_id: str) -> list[SensorRow]:
    """All sensors of a pipeline, by their keys.

    Raises:
        ConfigError: there is no such pipeline.
    """
    pipeline = installation.pipeline(pipeline_id)
    stored = installation.control.query(rows.pk(pipeline_id), Bounds(begins_with=rows.SENSOR_PREFIX))
    found = ((rows.sensor_key(row["SK"]), row) for row in stored)
    return [SensorRow.of(pipeline, Sensor.of_row(key, plain(row)), now=installation.now) for key, row in found if key]


def _rules(pipeline: Pipeline) -> Iterator[tuple[str, Rule]]:
    """Every rule of a document, with its path."""
    if pipeline.schedule.trigger is not None:
        yield "schedule.trigger", pipeline.schedule.trigger
    for number, rule in enumerate(pipeline.validation.rules):
        yield f"validation.rules[{number}]", rule
    for number, rule in enumerate(pipeline.post_run.rules if pipeline.post_run else ()):
        yield f"postRun.rules[{number}]", rule


def _add(fields: dict[str, Any], name: str, value: Any, *, option: str) -> None:
    if name in fields:
        raise _wrong(option, f"the field {name} is given twice")
    fields[name] = value


def _value(name: str, text: str) -> Any:
    """A number, true, false and null as in JSON, a text in double quotes; everything else is text as it stands."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _JSON_NUMBER.fullmatch(text):
        return _number(text, name)
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _json_fields(text: str) -> dict[str, Any]:
    def number(digits: str) -> int | Decimal:
        return _number(digits, "--data")

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is no number")

    try:
        found = json.loads(text, parse_float=number, parse_int=number, parse_constant=refuse)
    except ValueError as error:
        raise _wrong("--data", f"is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise _wrong("--data", f"is {shown(found)}, not a map of fields")
    if "" in found:
        raise _wrong("--data", "has a field without a name")
    return found


def _number(text: str, name: str) -> int | Decimal:
    """The number, exactly."""
    number = Decimal(text)
    digits = number.normalize(_EXACT).as_tuple().digits if len(text) <= 400 else (0,) * (_DIGITS + 1)
    if len(digits) > _DIGITS or not -130 <= number.adjusted() <= 125:
        message = f"{shown(text)} does not fit into a number of DynamoDB; put it into double quotes to write it as text"
        raise _wrong(name, message)
    return int(number) if number == number.to_integral_value() and number.adjusted() < _DIGITS else number


def _wrong(path: str, message: str) -> ConfigError:
    return ConfigError(Problem(path=path, message=message))
