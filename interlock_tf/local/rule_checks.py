"""Whether every rule on Interlock's events can ever match: each is held against a sample of all that may come.

Judged are the rules on the installation's own bus, and those on other buses whose pattern names a
source of which everything that comes is known here. What other rules wait for, only their owners know.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from interlock_runtime.core.events import EVENT_TYPES, INFRASTRUCTURE, SOURCE, Event
from interlock_tf.local import patterns
from interlock_tf.local.alarms import CHANGED as ALARM_CHANGED
from interlock_tf.local.alarms import SOURCE as ALARM_SOURCE
from interlock_tf.local.alarms import Alarm
from interlock_tf.local.bus import DEFAULT_BUS, Bus, Rule
from interlock_tf.local.executions import CHANGED as EXECUTION_CHANGED
from interlock_tf.local.executions import SOURCE as EXECUTION_SOURCE
from interlock_tf.local.terraform_json import Place, StackError

#: In a sample: a value that nobody can foretell, so that no pattern is judged by it.
_OPEN = object()

_ALARM_STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")
_EXECUTION_STATUSES = ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")

Sample = Mapping[str, Any]


def check_rules(
    bus: Bus, place: Place, *, pipeline_ids: Iterable[str], alarms: Iterable[Alarm], machine_arns: Iterable[str]
) -> None:
    """Refuse rules that match nothing.

    Raises:
        StackError: no event that comes to the rule's bus is what its pattern describes.
    """
    own = tuple(_own(place, pipeline_ids))
    aws = (*_of_alarms(place, alarms), *_of_executions(place, machine_arns))
    for rule in bus.rules.values():
        if rule.pattern is None or not _is_judged(rule):
            continue
        samples = aws if rule.bus == DEFAULT_BUS else own
        if not any(patterns.matches(_foreseeable(rule.pattern, sample), sample) for sample in samples):
            raise StackError(
                f"{rule.address}: no event on the bus {rule.bus} is what the pattern describes: "
                f"{json.dumps(rule.pattern)}"
            )


def _is_judged(rule: Rule) -> bool:
    if rule.bus != DEFAULT_BUS:
        return True
    sources = (rule.pattern or {}).get("source", ())
    return any(source in sources for source in (SOURCE, ALARM_SOURCE, EXECUTION_SOURCE))


def _foreseeable(pattern: Mapping[str, Any], sample: Any) -> Mapping[str, Any]:
    """The pattern without what it says of values that nobody can foretell."""
    if not isinstance(sample, Mapping):
        return pattern
    return {
        key: _foreseeable(wanted, sample.get(key)) if isinstance(wanted, Mapping) else wanted
        for key, wanted in pattern.items()
        if sample.get(key) is not _OPEN
    }


def _own(place: Place, pipeline_ids: Iterable[str]) -> Iterator[Sample]:
    now = datetime.min.replace(tzinfo=UTC)
    subjects = (INFRASTRUCTURE, *pipeline_ids)
    for kind in EVENT_TYPES:
        event = Event(type=kind, pipeline_id=INFRASTRUCTURE, schedule_id=None, date=None, message="")
        detail = dict.fromkeys(event.payload(now), _OPEN)
        for pipeline_id in subjects:
            yield _sample(place, SOURCE, kind, detail | {"pipelineId": pipeline_id})


def _of_alarms(place: Place, alarms: Iterable[Alarm]) -> Iterator[Sample]:
    for alarm in alarms:
        for state in _ALARM_STATES:
            told = {"value": state, "reason": _OPEN, "reasonData": _OPEN, "timestamp": _OPEN}
            detail = {"alarmName": alarm.name, "state": told, "previousState": _OPEN, "configuration": _OPEN}
            yield _sample(place, ALARM_SOURCE, ALARM_CHANGED, detail)


def _of_executions(place: Place, machine_arns: Iterable[str]) -> Iterator[Sample]:
    unknown = ("executionArn", "name", "startDate", "stopDate", "input", "output", "error", "cause")
    for arn in machine_arns:
        for status in _EXECUTION_STATUSES:
            detail = dict.fromkeys(unknown, _OPEN) | {"stateMachineArn": arn, "status": status}
            yield _sample(place, EXECUTION_SOURCE, EXECUTION_CHANGED, detail)


def _sample(place: Place, source: str, kind: str, detail: Mapping[str, Any]) -> Sample:
    return {
        "version": "0",
        "id": _OPEN,
        "account": place.account,
        "time": _OPEN,
        "region": place.region,
        "resources": _OPEN,
        "source": source,
        "detail-type": kind,
        "detail": detail,
    }
