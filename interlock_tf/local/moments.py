"""The timeline as people read it: what is one thing is told once, and what is as it should be in few words.

The entries of a timeline are complete. Here an evaluation that passes and the job that it starts
are one moment, so are a job's end and the event about it, a verdict that differs from the one
before only in its numbers is not told again, and the hours of an hourly pipeline in which nothing
is out of the ordinary become one moment.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from interlock_runtime.core.dates import ExecutionDate, Granularity, granularity, of_sensor
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.events import EVENT_TYPES, Severity
from interlock_runtime.core.scalars import format_duration
from interlock_runtime.core.timestamps import parse_timestamp
from interlock_tf.local.timeline import Entry, Kind


class Tone(StrEnum):
    """How a moment is to be taken."""

    PLAIN = "plain"
    GOOD = "good"
    NOTICE = "notice"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One thing to tell; ``until`` is when it was over, for those that took a while.

    ``name`` is the event's type, or None for what is no event.
    """

    at: datetime
    kind: Kind
    what: str
    why: str
    tone: Tone = Tone.PLAIN
    pipeline_id: str | None = None
    date: str | None = None
    until: datetime | None = None
    name: str | None = None


#: Told by another entry of the same instant: by the job that starts, by the one that ends.
_IMPLIED = frozenset({"VALIDATION_PASSED", "JOB_TRIGGERED", "POST_RUN_BASELINE_CAPTURED"})
_ENDS = frozenset({"JOB_COMPLETED", "JOB_FAILED"})
_GOOD = frozenset({"JOB_COMPLETED", "SLA_MET", "POST_RUN_PASSED"})
_TONES: Mapping[Severity, Tone] = {
    Severity.INFO: Tone.NOTICE,
    Severity.NOTICE: Tone.NOTICE,
    Severity.WARNING: Tone.WARNING,
    Severity.CRITICAL: Tone.CRITICAL,
}

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_NUMBERS = re.compile(r"\d[\d.hmsd]*")
_HOUR = timedelta(hours=1)


def moments(entries: Iterable[Entry], pipelines: Mapping[str, Pipeline], zone: tzinfo) -> list[Moment]:
    """The moments of a timeline, in order; instants within texts become times in ``zone``."""
    return list(_Reading(list(entries), pipelines, zone).moments())


def folded(told: Sequence[Moment], pipelines: Mapping[str, Pipeline]) -> list[Moment]:
    """The same with every run of hours in which nothing is out of the ordinary as one moment, in order."""
    hours: defaultdict[tuple[str, ExecutionDate], list[Moment]] = defaultdict(list)
    for moment in told:
        pipeline = pipelines.get(moment.pipeline_id or "")
        if pipeline and moment.date and granularity(pipeline) is Granularity.HOURLY:
            hours[pipeline.id, ExecutionDate.parse(moment.date)].append(moment)
    streaks: list[list[tuple[str, ExecutionDate]]] = []
    for hour in sorted(key for key, each in hours.items() if _is_ordinary(each)):
        if streaks and streaks[-1][-1][0] == hour[0] and hour[1].wall_start - streaks[-1][-1][1].wall_start == _HOUR:
            streaks[-1].append(hour)
        else:
            streaks.append([hour])
    gone = {id(moment) for streak in streaks for hour in streak for moment in hours[hour]}
    kept = [moment for moment in told if id(moment) not in gone]
    kept += [_streak(streak, [moment for hour in streak for moment in hours[hour]]) for streak in streaks]
    return sorted(kept, key=lambda moment: moment.at)


def words(event: str) -> str:
    """An event's type in words: ``SLA_WARNING`` is ``SLA warning``."""
    return event.replace("_", " ").lower().replace("sla", "SLA").replace("sfn", "state machine")


def _is_ordinary(hour: Sequence[Moment]) -> bool:
    ended = any(moment.name == "JOB_COMPLETED" for moment in hour)
    starts = sum(moment.kind is Kind.JOB for moment in hour)
    usual = all(moment.tone in (Tone.PLAIN, Tone.GOOD) and moment.kind is not Kind.EVALUATION for moment in hour)
    return ended and starts == 1 and usual


def _streak(hours: Sequence[tuple[str, ExecutionDate]], told: Sequence[Moment]) -> Moment:
    (pipeline_id, first), (_, last) = hours[0], hours[-1]
    count, met = len(hours), sum(moment.name == "SLA_MET" for moment in told)
    span = f"{first}" if count == 1 else f"{first} to {last}"
    deadlines = f"; {met} of {count} deadlines met" if met else ""
    return Moment(
        at=min(moment.at for moment in told),
        until=max(moment.at for moment in told),
        kind=Kind.RUN,
        what=f"{count} quiet hours" if count > 1 else "a quiet hour",
        why=f"{span}: each job started once its data was there, and completed{deadlines}",
        tone=Tone.GOOD,
        pipeline_id=pipeline_id,
    )


class _Reading:
    """One timeline, read once from beginning to end."""

    def __init__(self, entries: Sequence[Entry], pipelines: Mapping[str, Pipeline], zone: tzinfo) -> None:
        self._entries = entries
        self._pipelines = pipelines
        self._zone = zone
        self._waits: dict[tuple[str | None, str | None], str] = {}
        jobs = [each for each in entries if each.kind is Kind.JOB and each.what == "starts"]
        self._starts = {(each.pipeline_id, each.date, each.at) for each in jobs}
        self._reported = {
            (each.pipeline_id, each.date): position for position, each in enumerate(entries) if each.what in _ENDS
        }

    def moments(self) -> Iterator[Moment]:
        for position, entry in enumerate(self._entries):
            moment = self._moment(position, entry)
            if moment is not None:
                yield replace(moment, why=self._readable(moment.why, entry.at))

    def _moment(self, position: int, entry: Entry) -> Moment | None:
        match entry.kind:
            case Kind.SENSOR:
                return self._sensor(entry)
            case Kind.NOTE:
                return self._told(entry, what=entry.what, tone=Tone.NOTICE)
            case Kind.REQUEST:
                return self._told(entry, what=f"{entry.what} asked for", tone=Tone.NOTICE)
            case Kind.TICK:
                return self._told(entry, what=f"{entry.what} fires", why=entry.why.removesuffix(" fires"))
            case Kind.RUN:
                ordinary = entry.what in ("starts", "ends")
                return None if ordinary else self._told(entry, what=f"run {entry.what}", tone=Tone.CRITICAL)
            case Kind.EVALUATION:
                return self._evaluation(entry)
            case Kind.JOB:
                return self._job(position, entry)
            case Kind.EVENT:
                return self._event(entry)
            case Kind.ALARM:
                calm = entry.what.startswith("OK ")
                return self._told(entry, what=f"alarm {entry.what}", tone=Tone.GOOD if calm else Tone.CRITICAL)
            case Kind.FAILURE:
                return self._told(entry, what=f"failure: {entry.what}", tone=Tone.CRITICAL)

    def _told(self, entry: Entry, *, what: str, why: str | None = None, tone: Tone = Tone.PLAIN) -> Moment:
        return Moment(
            at=entry.at,
            kind=entry.kind,
            what=what,
            why=entry.why if why is None else why,
            tone=tone,
            pipeline_id=entry.pipeline_id,
            date=entry.date,
            name=entry.what if entry.kind is Kind.EVENT else None,
        )

    def _sensor(self, entry: Entry) -> Moment:
        moment = self._told(entry, what=f"sensor {entry.what}", why=_fields(entry))
        pipeline = self._pipelines.get(entry.pipeline_id or "")
        if pipeline is None or granularity(pipeline) is Granularity.DAILY:
            return moment
        rule_key = entry.what.partition("#")[0]
        date, _ = of_sensor(pipeline, entry.what, fields=entry.detail, rule_key=rule_key, written_at=entry.at)
        return replace(moment, date=str(date), what=f"sensor {rule_key}")

    def _evaluation(self, entry: Entry) -> Moment | None:
        subject = (entry.pipeline_id, entry.date)
        if entry.what == "not ready":
            gist = _NUMBERS.sub("#", entry.why)
            if self._waits.get(subject) == gist:
                return None
            self._waits[subject] = gist
            return self._told(entry, what="waits")
        self._waits.pop(subject, None)
        if entry.what == "exhausted" or (*subject, entry.at) in self._starts:
            return None  # told by VALIDATION_EXHAUSTED, or by the job that starts
        return self._told(entry, what=f"evaluation {entry.what}")

    def _job(self, position: int, entry: Entry) -> Moment | None:
        if entry.what == "starts":
            return self._told(entry, what="job starts", why=f"attempt {entry.detail['attempt']}: {entry.why}")
        if position < self._reported.get((entry.pipeline_id, entry.date), -1):
            return None
        return self._told(entry, what=f"job ends: {entry.what}")

    def _event(self, entry: Entry) -> Moment | None:
        if entry.what in _IMPLIED:
            return None
        kind = EVENT_TYPES.get(entry.what)
        tone = Tone.GOOD if entry.what in _GOOD else _TONES[kind.severity] if kind else Tone.NOTICE
        why = entry.why
        if entry.what in _ENDS and (millis := entry.detail.get("durationMs")) is not None:
            why = f"after {format_duration(timedelta(milliseconds=float(millis)))}"
            if error := entry.detail.get("error"):
                why = f"{entry.detail.get('category') or 'failed'} {why}: {error}"
        return self._told(entry, what=words(entry.what), why=why, tone=tone)

    def _readable(self, text: str, now: datetime) -> str:
        def local(match: re.Match[str]) -> str:
            instant = parse_timestamp(match[0])
            if instant is None:
                return match[0]
            then = instant.astimezone(self._zone)
            clock = f"{then:%H:%M:%S}" if then.second else f"{then:%H:%M}"
            return clock if then.date() == now.astimezone(self._zone).date() else f"{then:%Y-%m-%d} {clock}"

        return _INSTANT.sub(local, " ".join(text.split()))


def _fields(entry: Entry) -> str:
    """The fields of a sensor without those that say only when it was written."""
    told = {
        name: value
        for name, value in entry.detail.items()
        if not (name in ("date", "hour") or (name == "updatedAt" and parse_timestamp(value) == entry.at))
    }
    return ", ".join(f"{name} {_plain(value)}" for name, value in told.items()) or "written"


def _plain(value: object) -> str:
    """A value as it stands in a sensor's row."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
