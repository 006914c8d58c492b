"""What several fields of a document must satisfy together, and what looks like a mistake.

Every check is pure and yields findings: nothing is raised, and one does not hide another. What
concerns one field alone is in the annotations of :mod:`interlock_runtime.core.documents`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import Any

from interlock_runtime.core.dates import ExecutionDate, Granularity, excluded, granularity
from interlock_runtime.core.documents import Pipeline, Rule, Schedule, Sla
from interlock_runtime.core.findings import Finding, Path
from interlock_runtime.core.job_checks import check_job
from interlock_runtime.core.scalars import Deadline, Weekday, format_duration, parse_duration
from interlock_runtime.core.templates import is_run_time, templates
from interlock_runtime.core.wording import shown


def check(
    pipeline: Pipeline, *, today: date, sfn_timeout_seconds: int, foreign: Collection[str] = ()
) -> Iterator[Finding]:
    """Everything that a document says and that cannot work, or hardly can have been meant.

    ``sfn_timeout_seconds`` is the longest that an execution of the state machine may take.
    ``foreign`` are the names of templates that Terraform fills in before the document is stored.
    """
    yield from _start(pipeline)
    yield from _schedule(pipeline, today)
    yield from _deadlines(pipeline)
    yield from _sla(pipeline)
    yield from _rules(pipeline)
    yield from _stray_templates(pipeline)
    yield from check_job(pipeline, sfn_timeout_seconds=sfn_timeout_seconds, foreign=foreign)


def _start(pipeline: Pipeline) -> Iterator[Finding]:
    schedule = pipeline.schedule
    if not (schedule.cron or schedule.trigger or schedule.include):
        yield Finding(
            path=("schedule",),
            message="nothing starts this pipeline: give schedule.cron, schedule.trigger, or schedule.include.dates "
            "with schedule.time",
            rests_on=(("schedule", "cron"), ("schedule", "trigger"), ("schedule", "include")),
        )
    if schedule.include and schedule.cron:
        yield Finding(
            path=("schedule", "include"),
            message="cannot stand beside schedule.cron: the dates of a run follow from one of them; remove the other",
        )
    elif schedule.include and not (schedule.trigger or schedule.time):
        yield Finding(
            path=("schedule", "include"),
            message="lists dates, but nothing starts a run on them: add schedule.time or schedule.trigger",
            rests_on=(("schedule", "time"), ("schedule", "trigger")),
        )
    if pipeline.dry_run and not schedule.trigger:
        yield Finding(
            path=("dryRun",),
            message="needs schedule.trigger: a dry run reports what a sensor would have started",
            rests_on=(("schedule", "trigger"),),
        )


def _schedule(pipeline: Pipeline, today: date) -> Iterator[Finding]:
    schedule = pipeline.schedule
    if cron := schedule.cron:
        if cron.never_fires:
            yield Finding(path=("schedule", "cron"), message=f"'{cron}' never fires: it names days that do not exist")
        if cron.more_than_hourly:
            yield Finding(
                path=("schedule", "cron"),
                message=f"'{cron}' fires {len(cron.minutes)} times in an hour, but an execution date is an hour at the "
                "least: name a single minute",
            )
    if schedule.evaluation.window < schedule.evaluation.interval:
        yield Finding(
            path=("schedule", "evaluation", "window"),
            message=f"{format_duration(schedule.evaluation.window)} is shorter than the interval, "
            f"{format_duration(schedule.evaluation.interval)}: the window must hold one interval at least",
            rests_on=(("schedule", "evaluation", "interval"),),
        )
    if schedule.time and not (schedule.cron or schedule.include):
        yield Finding(
            path=("schedule", "time"),
            message="has no effect: without cron and include.dates no run is expected",
            warning=True,
            rests_on=(("schedule", "cron"), ("schedule", "include")),
        )
    yield from _dates(pipeline, schedule, today)


def _dates(pipeline: Pipeline, schedule: Schedule, today: date) -> Iterator[Finding]:
    weekend = (Weekday.SATURDAY, Weekday.SUNDAY) if schedule.exclude.weekends else ()
    if {*schedule.exclude.days, *weekend} == set(Weekday):
        yield Finding(
            path=("schedule", "exclude"), message="excludes every day of the week; nothing will ever run", warning=True
        )
    if schedule.include is None:
        return
    path: Path = ("schedule", "include", "dates")
    dates = schedule.include.dates
    if max(dates) < today:
        yield Finding(
            path=path, message=f"are all in the past, the last is {max(dates)}; no run is expected", warning=True
        )
    for index, day in enumerate(dates):
        if reason := excluded(pipeline, ExecutionDate(day)):
            yield Finding(path=(*path, index), message=f"will not run: {reason}", warning=True)


def _deadlines(pipeline: Pipeline) -> Iterator[Finding]:
    schedule = pipeline.schedule
    if pipeline.sla:
        yield from _deadline(pipeline, ("sla",), pipeline.sla.deadline, pipeline.sla.day_offset)
    if schedule.trigger:
        path = ("schedule", "trigger")
        yield from _deadline(pipeline, path, schedule.trigger.deadline, schedule.trigger.day_offset)


def _deadline(pipeline: Pipeline, path: Path, deadline: Deadline | None, offset: int | None) -> Iterator[Finding]:
    schedule = pipeline.schedule
    if deadline is not None and deadline.hour is None:
        why = None
        if schedule.cron and not schedule.cron.more_than_daily:
            why = f"but the cron '{schedule.cron}' fires once a day at most"
        elif schedule.include:
            why = "but schedule.include lists days"
        if why:
            yield Finding(
                path=(*path, "deadline"),
                message=f"'{deadline}' is for pipelines that run every hour, {why}: give a time of day such as 06:30",
            )
    if offset is None:
        return
    if deadline is None:
        yield Finding(
            path=(*path, "dayOffset"),
            message="has no effect without a deadline",
            warning=True,
            rests_on=((*path, "deadline"),),
        )
    elif granularity(pipeline) is Granularity.HOURLY:
        yield Finding(
            path=(*path, "dayOffset"), message="has no effect on a pipeline that runs every hour", warning=True
        )


def _sla(pipeline: Pipeline) -> Iterator[Finding]:
    sla = pipeline.sla
    if sla is None:
        return
    if sla.deadline is None and sla.max_duration is None:
        yield Finding(
            path=("sla",),
            message="has no effect: it names neither deadline nor maxDuration",
            warning=True,
            rests_on=(("sla", "deadline"), ("sla", "maxDuration")),
        )
    if sla.deadline is not None and sla.expected_duration is None:
        yield Finding(
            path=("sla", "deadline"),
            message="needs sla.expectedDuration: the warning comes that long before the deadline",
            rests_on=(("sla", "expectedDuration"),),
        )
    if sla.max_duration is not None and not pipeline.schedule.trigger:
        yield Finding(
            path=("sla", "maxDuration"),
            message="needs schedule.trigger: it counts from the sensor that meets the trigger condition",
            rests_on=(("schedule", "trigger"),),
        )
    if _warns_at_once(sla):
        yield Finding(
            path=("sla", "expectedDuration"),
            message="is not shorter than sla.maxDuration, so that no warning comes before the breach",
            warning=True,
            rests_on=(("sla", "maxDuration"),),
        )


def _warns_at_once(sla: Sla) -> bool:
    return bool(sla.max_duration and sla.expected_duration and sla.expected_duration >= sla.max_duration)


def _rules(pipeline: Pipeline) -> Iterator[Finding]:
    schedule, validation = pipeline.schedule, pipeline.validation
    if not validation.rules:
        starts = schedule.trigger or schedule.cron
        yield Finding(
            path=("validation", "rules"),
            message="is empty: the job will start without any check"
            if starts
            else "is empty, which only a pipeline with schedule.trigger or schedule.cron may have: add a rule",
            warning=bool(starts),
            rests_on=(("validation", "rules"), ("schedule", "cron"), ("schedule", "trigger")),
        )
    if pipeline.post_run and not pipeline.post_run.rules:
        yield Finding(
            path=("postRun", "rules"),
            message="is empty: nothing is watched after the job",
            warning=True,
            rests_on=(("postRun", "rules"),),
        )
    for path, rule in _every_rule(pipeline):
        yield from _rule(path, rule)


def _every_rule(pipeline: Pipeline) -> Iterator[tuple[Path, Rule]]:
    if pipeline.schedule.trigger:
        yield ("schedule", "trigger"), pipeline.schedule.trigger
    for index, rule in enumerate(pipeline.validation.rules):
        yield ("validation", "rules", index), rule
    for index, rule in enumerate(pipeline.post_run.rules if pipeline.post_run else ()):
        yield ("postRun", "rules", index), rule


def _rule(path: Path, rule: Rule) -> Iterator[Finding]:
    if rule.check == "exists":
        if rule.value is not None:
            yield Finding(
                path=(*path, "value"),
                message="is not looked at by the check exists; compare with equals if that was meant",
                warning=True,
            )
        return
    if not rule.field:
        yield Finding(
            path=(*path, "field"),
            message=f"is required by the check {rule.check}: the name of the sensor's field",
            rests_on=((*path, "field"),),
        )
    if rule.value is None:
        yield Finding(
            path=(*path, "value"),
            message=f"is required by the check {rule.check}: {_comparable(rule)}",
            rests_on=((*path, "value"),),
        )
    elif not _fits(rule):
        yield Finding(
            path=(*path, "value"),
            message=f"{shown(rule.value)} is not valid for {rule.check}: give {_comparable(rule)}",
        )


def _comparable(rule: Rule) -> str:
    if rule.check == "equals":
        return "text, a number, true or false"
    return "a duration such as 90s, 1h30m or 2d" if rule.check.startswith("age_") else "a number, without quotes"


def _fits(rule: Rule) -> bool:
    value = rule.value
    if rule.check == "equals":
        return isinstance(value, (str, int, float))
    if not rule.check.startswith("age_"):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    try:
        parse_duration(value)
    except ValueError:
        return False
    return True


def _stray_templates(pipeline: Pipeline) -> Iterator[Finding]:
    """Templates where nothing fills them in."""
    named: list[tuple[Path, Any]] = [
        (("pipeline", key), getattr(pipeline.pipeline, key)) for key in ("owner", "description")
    ]
    for path, rule in _every_rule(pipeline):
        named += [((*path, key), getattr(rule, key)) for key in ("key", "field", "value")]
    for path, value in named:
        for template in templates(value) if isinstance(value, str) else ():
            if is_run_time(template.name):
                yield Finding(
                    path=path,
                    message=f"{shown('${' + template.name + '}')} stays as it is here: a run fills in job.config only",
                    warning=True,
                )
