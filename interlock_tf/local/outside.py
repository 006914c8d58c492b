"""What processes, jobs and people do around one execution date of a pipeline, well or badly, at random.

Everything follows from the pipeline's document: which sensors its rules read, with which values
they hold, when a run is due.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any

from interlock_runtime.core import dates, deadlines
from interlock_runtime.core.dates import ExecutionDate, Granularity
from interlock_runtime.core.documents import Pipeline, Rule
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.wall_clock import next_instant
from interlock_tf.local.jobs import CATEGORIES

Told = tuple[datetime, Mapping[str, Any]]

_MINUTE = timedelta(minutes=1)
_RUBBISH: tuple[Any, ...] = ("rubbish", "", -1, True, None, "2026-13-45", {"a": "b"}, [])


def due(random: Random, pipeline: Pipeline, *, start: datetime, until: datetime) -> Iterator[tuple[ExecutionDate, Any]]:
    """Execution dates of a day about which something happens, each with the instant around which it does."""
    zone = pipeline.schedule.timezone
    if dates.granularity(pipeline) is Granularity.HOURLY:
        for hours in sorted(random.sample(range(1, 23), random.randint(1, 4))):
            date = dates.of_instant(pipeline, start + timedelta(hours=hours))
            yield date, dates.period_end(date, zone) + random.randrange(-10, 25) * _MINUTE
        return
    today = dates.of_instant(pipeline, start + (until - start) / 2)
    for date in (today, *([ExecutionDate(today.day - timedelta(days=1))] if random.random() < 0.15 else [])):
        yield date, _instant(random, pipeline, date)


def _instant(random: Random, pipeline: Pipeline, date: ExecutionDate) -> datetime:
    schedule, zone = pipeline.schedule, pipeline.schedule.timezone
    if schedule.cron is not None:
        midnight = next_instant(datetime.combine(date.day, time()), zone)
        fires = schedule.cron.fires(after=midnight - _MINUTE, until=midnight + timedelta(hours=23), zone=zone)
        return next(fires, midnight + timedelta(hours=8)) + random.randrange(-60, 60) * _MINUTE
    if (deadline := deadlines.trigger_deadline(pipeline, date)) is not None:
        return deadline - random.randrange(-20, 180) * _MINUTE
    clock = schedule.time or time(random.randrange(6, 22))
    return next_instant(datetime.combine(date.day, clock), zone) - random.randrange(-45, 240) * _MINUTE


@dataclass
class Outside:
    """The world around one execution date; ``at`` is when its data comes, more or less."""

    random: Random
    pipeline: Pipeline
    date: ExecutionDate
    at: datetime

    def lines(self) -> Iterator[Told]:
        """What happens, in no order."""
        style = self.random.choice(("suffix", "suffix", "field", "field", "plain"))
        for key in self._keys():
            if self._chance(0.93):
                yield from self._sensor(key, style)
        yield from self._jobs()
        yield from self._requests()

    def _keys(self) -> list[str]:
        rules = self._rules()
        trigger = self.pipeline.schedule.trigger
        found = dict.fromkeys(rule.key for rule in rules)
        # A dry run looks at its rules once, at the trigger's write: mostly that is the last one.
        return sorted(found, key=lambda key: trigger is not None and key == trigger.key)

    def _rules(self) -> list[Rule]:
        trigger, post_run = self.pipeline.schedule.trigger, self.pipeline.post_run
        rules = [*self.pipeline.validation.rules, *(post_run.rules if post_run else ())]
        return [*([trigger] if trigger else []), *rules]

    def _sensor(self, key: str, style: str) -> Iterator[Told]:
        """One sensor is written, mostly well; maybe too early, in part, late, and again."""
        trigger = self.pipeline.schedule.trigger
        window = self.pipeline.schedule.evaluation.window / _MINUTE
        at = self.at
        if trigger is None or key != trigger.key:
            at += self._minutes(-45, 5) if self._chance(0.6) else self._minutes(0, window * 1.2)
        if self._chance(0.3):
            yield self._write(key, style, at - self._minutes(1, 40), passes=False)
        passes = self._chance(0.93)
        yield self._write(key, style, at, passes=passes)
        if self._chance(0.1):
            yield self._write(key, style, at + timedelta(seconds=self.random.choice((0, 1, 30))), passes=passes)
        for _ in range(self.random.choice((0, 0, 0, 1, 1, 3) if self._is_watched(key) else (0, 0, 0, 0, 1))):
            yield self._write(key, style, at + self._minutes(5, 300), passes=self._chance(0.9))

    def _is_watched(self, key: str) -> bool:
        post_run = self.pipeline.post_run
        return post_run is not None and any(rule.key == key for rule in post_run.rules)

    def _write(self, key: str, style: str, at: datetime, *, passes: bool) -> Told:
        fields: dict[str, Any] = {}
        for rule in self._rules():
            if rule.key == key and rule.field is not None:
                fields[rule.field] = _passing(rule, at) if passes else self._failing(rule, at)
        if self._is_watched(key) and self.pipeline.post_run is not None:
            threshold = self.pipeline.post_run.drift_threshold
            drift = self.random.choice((0, 0, threshold / 2, threshold + 1, threshold * 10 + 7))
            fields[self.pipeline.post_run.drift_field] = 1000 + drift
        if self._chance(0.9):
            fields.setdefault("updatedAt", rfc3339(at))
        if style == "field":
            fields["date"] = self.date.day.isoformat() if self._chance(0.9) else f"{self.date.day:%Y%m%d}"
            if self.date.hour is not None:
                fields["hour"] = self.date.hour if self._chance(0.5) else f"{self.date.hour:02}"
        if fields and self._chance(0.04):
            fields[self.random.choice(sorted(fields))] = self.random.choice(_RUBBISH)
        spelt = self.date.compact if self._chance(0.2) else str(self.date)
        return _whole(at), {"key": f"{key}#{spelt}" if style == "suffix" else key, "data": fields}

    def _failing(self, rule: Rule, at: datetime) -> Any:
        if self._chance(0.2):
            return self.random.choice(_RUBBISH)
        if rule.check in ("gt", "gte"):
            return rule.value - 1
        if rule.check in ("lt", "lte"):
            return rule.value + 1
        if rule.check == "age_lt":
            return rfc3339(at - timedelta(days=2))
        return rfc3339(at) if rule.check == "age_gt" else "pending"

    def _jobs(self) -> Iterator[Told]:
        """Jobs fail, hang, and end late or by chance."""
        if self._chance(0.5):
            return
        for _ in range(self.random.choice((1, 1, 2, 4))):
            at = _whole(self.at + self._minutes(-30, 120))
            if self._chance(0.25):
                yield at, {"job": "hang"}
                if self._chance(0.7):
                    yield at + self._minutes(5, 300), {"job": "success"} if self._chance(0.7) else {"job": "fail"}
            else:
                yield at, {"job": "fail", "category": self.random.choice(CATEGORIES)}

    def _requests(self) -> Iterator[Told]:
        """People ask for reruns, with any reason, and sometimes twice."""
        if self._chance(0.6):
            return
        for _ in range(self.random.choice((1, 1, 2, 3))):
            at = _whole(self.at + self._minutes(-40, 420))
            told = {"rerun": self.random.choice(_REASONS), "date": str(self.date)}
            yield at, told
            if self._chance(0.3):
                yield at + timedelta(seconds=self.random.choice((0, 0, 2, 40))), told

    def _chance(self, part: float) -> bool:
        return self.random.random() < part

    def _minutes(self, low: float, high: float) -> timedelta:
        return timedelta(seconds=round(60 * self.random.uniform(low, high)))


_REASONS = ("manual", "manual", "a correction", "data-drift", "late-data", "job-fail-retry")


def _passing(rule: Rule, at: datetime) -> Any:
    """A value with which a rule holds when it is written ``at``, and for a while after."""
    if rule.check == "gt":
        return rule.value + 1
    if rule.check == "lt":
        return rule.value - 1
    if rule.check == "age_lt":
        return rfc3339(at)
    return rfc3339(at - timedelta(days=400)) if rule.check == "age_gt" else rule.value


def _whole(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)
