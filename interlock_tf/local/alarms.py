"""CloudWatch: the numbers that the alarms of the stack look at, and the alarms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from interlock_tf.local.agenda import Agenda
from interlock_tf.local.terraform_json import StackError

#: The source and the type of the event of an alarm's change.
SOURCE, CHANGED = "aws.cloudwatch", "CloudWatch Alarm State Change"

_STATISTICS: Mapping[str, Callable[[list[float]], float]] = {"Sum": sum, "Maximum": max, "Minimum": min}

#: Namespace, metric, and the one dimension's name and value.
Metric = tuple[str, str, str, str]


@dataclass(kw_only=True)
class Alarm:
    """One alarm that goes off when a statistic of one period reaches a threshold, or with ``absence`` does not."""

    name: str
    metric: Metric
    statistic: str
    threshold: float
    period: timedelta
    absence: bool = False
    state: str = "OK"

    def goes_off(self, number: float | None) -> bool:
        """Whether the alarm goes off at this number, or at none."""
        if self.absence:
            return number is None or number < self.threshold
        return number is not None and number >= self.threshold


class Alarms:
    """All alarms. ``changed`` is told of each change of state, as CloudWatch tells it; ``gauges`` are read first."""

    def __init__(self, agenda: Agenda) -> None:
        self.alarms: list[Alarm] = []
        self.changed: Callable[[Mapping[str, Any]], Any] = lambda _: None
        self.gauges: Callable[[], Iterable[tuple[Metric, float]]] = tuple
        self._agenda = agenda
        self._values: defaultdict[Metric, list[float]] = defaultdict(list)

    def start(self) -> None:
        """Have the alarms look at the end of every period from now on."""
        for period in sorted({alarm.period for alarm in self.alarms}):
            self._agenda.after(period, lambda period=period: self._look(period))  # type: ignore[misc]

    def record(self, metric: Metric, value: float = 1) -> None:
        """A number was measured."""
        self._values[metric].append(value)

    def _look(self, period: timedelta) -> None:
        for metric, value in self.gauges():
            self.record(metric, value)
        watching = [alarm for alarm in self.alarms if alarm.period == period]
        for alarm in watching:
            values = self._values.get(alarm.metric)
            number = _STATISTICS[alarm.statistic](values) if values else None
            state = "ALARM" if alarm.goes_off(number) else "OK"
            if state != alarm.state:
                before, alarm.state = alarm.state, state
                self.changed(self._event(alarm, before, number))
        for alarm in watching:
            self._values.pop(alarm.metric, None)
        self._agenda.after(period, lambda: self._look(period))

    def _event(self, alarm: Alarm, before: str, number: float | None) -> Mapping[str, Any]:
        stamp = f"{self._agenda.now():%Y-%m-%dT%H:%M:%S.000+0000}"
        reached = "reached" if (alarm.state == "ALARM") is not alarm.absence else "did not reach"
        found = "nothing was measured" if number is None else number
        reason = f"{alarm.metric[1]} of {alarm.metric[3].rpartition(':')[2]} {reached} {alarm.threshold:g}: {found}"
        return {
            "source": SOURCE,
            "detail-type": CHANGED,
            "detail": {
                "alarmName": alarm.name,
                "state": {"value": alarm.state, "reason": reason, "timestamp": stamp},
                "previousState": {"value": before},
                "configuration": {},
            },
        }


def alarm_of(attributes: Mapping[str, Any], address: str) -> Alarm:
    """The alarm of an ``aws_cloudwatch_metric_alarm``.

    Raises:
        StackError: it compares in a way that is not understood here.
    """
    absence = attributes.get("comparison_operator") == "LessThanThreshold"
    expected = {
        "comparison_operator": "LessThanThreshold" if absence else "GreaterThanOrEqualToThreshold",
        "evaluation_periods": 1,
        "treat_missing_data": "breaching" if absence else "notBreaching",
    }
    for key, value in expected.items():
        if attributes.get(key) != value:
            raise StackError(f"{address}: {key} = {attributes.get(key)!r} is not understood here, only {value!r} is")
    if attributes.get("statistic") not in _STATISTICS:
        raise StackError(f"{address}: the statistic {attributes.get('statistic')!r} is not understood here")
    dimensions = attributes["dimensions"]
    # Rules on a bus of their own have two dimensions; the last one tells the rule.
    name, value = sorted(dimensions.items())[-1]
    return Alarm(
        name=attributes["alarm_name"],
        metric=(attributes["namespace"], attributes["metric_name"], name, value),
        statistic=attributes["statistic"],
        threshold=attributes["threshold"],
        period=timedelta(seconds=attributes["period"]),
        absence=absence,
    )
