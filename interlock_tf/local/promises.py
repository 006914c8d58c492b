"""Which events must have been published, by what a world leaves behind: each check gives what is missing, in words.

None of them asks how the code under test comes to its events; jobs that were started, rows of the
job log and of the tables, and the documents say what was to be told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from interlock_runtime.core import dates, deadlines, drift, rows
from interlock_runtime.core.dates import ExecutionDate, Granularity
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.expectations import is_expected, was_due
from interlock_runtime.core.rerun_requests import NOTICED_AT
from interlock_runtime.core.rows import RunKey
from interlock_runtime.core.rules import choose
from interlock_runtime.core.timestamps import parse_timestamp
from interlock_runtime.core.wall_clock import next_instant
from interlock_tf.local.witness import GRACE, Run, Subject, Witness

#: By the reason of a run that has failed for good: the event that tells so, and its cause.
_TOLD_BY = {
    "validation-exhausted": ("VALIDATION_EXHAUSTED", None),
    "trigger-exhausted": ("RETRY_EXHAUSTED", "trigger"),
    "job-poll-exhausted": ("JOB_POLL_EXHAUSTED", None),
    "infra-failure": ("INFRA_FAILURE", None),
    "sfn-timeout": ("SFN_TIMEOUT", None),
}
_BROKEN = ("INFRA_FAILURE", "SFN_TIMEOUT")


def starts_are_told(seen: Witness) -> Iterator[str]:
    """Each job that was started: VALIDATION_PASSED and JOB_TRIGGERED of its attempt (runtime.md, section 6).

    Where the run was broken before the start was on record, the events that say so are enough.
    """
    for subject in {(job.pipeline_id, job.schedule_id, job.date, job.attempt) for job in seen.world.jobs.all}:
        if not seen.has("VALIDATION_PASSED", subject):
            yield f"VALIDATION_PASSED of {subject}, whose job was started"
        broken = seen.has("RETRY_EXHAUSTED", subject, cause="trigger") or any(
            seen.has(each, subject) for each in _BROKEN
        )
        if not seen.has("JOB_TRIGGERED", subject) and not broken:
            yield f"JOB_TRIGGERED of {subject}, whose job was started"


def outcomes_are_told(seen: Witness) -> Iterator[str]:
    """Each outcome in the job log: JOB_COMPLETED or JOB_FAILED of its attempt (runtime.md, sections 5 and 6).

    JOB_COMPLETED follows from the row's stream record, and is not there where that is a dead letter. What a job
    outside logs of an attempt after another has begun is passed over.
    """
    for pipeline_id, key, _, row in seen.job_log:
        subject: Subject = (pipeline_id, key.schedule_id, key.date, row.get("attempt"))
        if row.get("writer") != "interlock" and row["attempt"] + 1 in seen.reruns.get((pipeline_id, key), {}):
            continue
        if row["event"] == "success":
            if not seen.has("JOB_COMPLETED", subject) and not seen.was_lost(row["PK"], row["SK"]):
                yield f"JOB_COMPLETED of {subject}, whose job succeeded"
        elif row["event"] in ("fail", "timeout") and not seen.has("JOB_FAILED", subject):
            yield f"JOB_FAILED of {subject}, whose job failed"


def failures_have_consequences(seen: Witness) -> Iterator[str]:
    """Each failed attempt: the next attempt, or RETRY_EXHAUSTED, or PIPELINE_EXCLUDED (runtime.md, section 5).

    Within an hour of the end it may still be undecided: the watchdog decides what the router lost.
    """
    for pipeline_id, key, at, row in seen.job_log:
        if row["event"] not in ("fail", "timeout") or at > seen.day.end - 2 * GRACE:
            continue
        subject: Subject = (pipeline_id, key.schedule_id, key.date, row["attempt"])
        retried = row["attempt"] + 1 in seen.reruns.get((pipeline_id, key), {})
        given_up = seen.has("RETRY_EXHAUSTED", subject, cause="job")
        excluded = seen.has("PIPELINE_EXCLUDED", (*subject[:3], None))
        if not (retried or given_up or excluded):
            yield f"a retry or RETRY_EXHAUSTED of {subject}, whose job failed"


def ends_are_told(seen: Witness) -> Iterator[str]:
    """Each run that has failed for good: the event of its reason (runtime.md, sections 5, 6 and 8)."""
    for run in seen.runs:
        if run.status != "FAILED_FINAL":
            continue
        if run.reason == "deadline":
            if not seen.has("SENSOR_DEADLINE_EXPIRED", run.date_subject):
                yield f"SENSOR_DEADLINE_EXPIRED of {run}"
        elif run.reason in _TOLD_BY:
            kind, cause = _TOLD_BY[run.reason]
            if not seen.has(kind, run.subject(), cause=cause):
                yield f"{kind} of {run}"
        elif run.reason not in ("fail", "timeout"):
            yield f"a known reason of {run}"


def reruns_are_told(seen: Witness) -> Iterator[str]:
    """Each rerun on request: RERUN_ACCEPTED; each rejection in the job log: RERUN_REJECTED (runtime.md, section 5).

    A rejection because the date is excluded is told by PIPELINE_EXCLUDED. One that was logged, and whose request's
    stream record then became a dead letter, is not told.
    """
    for (pipeline_id, key), attempts in seen.reruns.items():
        for attempt, row in attempts.items():
            subject: Subject = (pipeline_id, key.schedule_id, key.date, attempt)
            if str(row["cause"]).startswith("request:") and not seen.has("RERUN_ACCEPTED", subject):
                yield f"RERUN_ACCEPTED of {subject}, which was asked for"
            failed = {"fail", "timeout"} & {
                str(each["event"])
                for each_pipeline, each_key, _, each in seen.job_log
                if (each_pipeline, each_key, each.get("attempt")) == (pipeline_id, key, attempt - 1)
            }
            if row["reason"] == "job-fail-retry" and not failed:
                yield f"a failure before {subject}, which is a retry"
    for pipeline_id, key, _, row in seen.job_log:
        if row["event"] != "rerun-rejected":
            continue
        about: Subject = (pipeline_id, key.schedule_id, key.date, None)
        excluded = row.get("category") == "excluded" and seen.has("PIPELINE_EXCLUDED", about)
        lost = str(row["cause"]).removeprefix("request:") in seen.lost_records
        if not excluded and not lost and not seen.has("RERUN_REJECTED", about, cause=row["cause"]):
            yield f"RERUN_REJECTED of {about}, {row['cause']}"


def requests_are_answered(seen: Witness) -> Iterator[str]:
    """Each request that somebody wrote: accepted, rejected or excluded, each once (runtime.md, section 5).

    Not one whose stream record is a dead letter. A dry run tells what it would have done.
    """
    answers: defaultdict[str, set[str]] = defaultdict(set)
    for event in seen.published.values():
        if event.type in ("RERUN_ACCEPTED", "RERUN_REJECTED", "DRY_RUN_WOULD_RERUN", "DRY_RUN_RERUN_REJECTED"):
            answers[event.cause].add(event.type)
    for record in seen.records_of("RERUN_REQUEST#"):
        image = record["dynamodb"]["NewImage"]
        if not image.keys().isdisjoint({"cause", "requestedAt", NOTICED_AT}):
            continue  # written, dated or noticed by Interlock
        cause = f"request:{record['eventID']}"
        key = rows.run_key(image["SK"]["S"], rows.RERUN_REQUEST_PREFIX)
        assert key is not None
        about: Subject = (rows.pipeline_of(image["PK"]["S"]) or "", key.schedule_id, key.date, None)
        if len(answers[cause]) > 1:
            yield f"one answer to the request for {about}; there are {', '.join(sorted(answers[cause]))}"
        lost = record["eventID"] in seen.lost_records
        if not answers[cause] and not lost and not seen.has("PIPELINE_EXCLUDED", about):
            yield f"an answer to the request for {about}, {record['eventID']}"


def deadlines_have_verdicts(seen: Witness) -> Iterator[str]:
    """Each date whose deadline has passed, and that was expected or ran: one verdict (runtime.md, section 7).

    Deadlines of the first hour are left out, since nobody may have been watching yet, and dates without a run that the
    clock was to start before that.
    """
    for pipeline in seen.world.pipelines().values():
        if pipeline.sla is None or pipeline.dry_run:
            continue
        ran = {run.key.date: run for run in seen.runs if run.pipeline.id == pipeline.id}
        for date in _dates(seen, pipeline):
            clock, run = deadlines.absolute(pipeline, date), ran.get(str(date))
            about: Subject = (pipeline.id, pipeline.schedule_id, str(date), None)
            is_awaited = run or (is_expected(pipeline, date) and not _was_due_before(seen, pipeline, date))
            if clock is not None and is_awaited and _is_due(seen, pipeline, clock.breach):
                met, breached = seen.count("SLA_MET", about), seen.count("SLA_BREACH", about)
                if met + breached == 0:
                    yield f"a verdict of SLA of {about}, which was due at {clock.breach.isoformat()}"
                if met and not _succeeded_by(seen, about, clock.breach):
                    yield f"SLA_BREACH of {about}: no job had succeeded by {clock.breach.isoformat()}"
            yield from _relative(seen, pipeline, date, run)


def _relative(seen: Witness, pipeline: Pipeline, date: ExecutionDate, run: Run | None) -> Iterator[str]:
    marker = seen.row(pipeline.id, rows.arrival_marker(str(date)))
    arrival = parse_timestamp(marker["data"]["arrivedAt"]) if marker else None
    clock = deadlines.relative(pipeline, arrival) if arrival else None
    about: Subject = (pipeline.id, pipeline.schedule_id, str(date), None)
    if clock is None or not _is_due(seen, pipeline, clock.breach) or _succeeded_by(seen, about, seen.day.end):
        return
    if not seen.has("RELATIVE_SLA_BREACH", about):
        yield f"RELATIVE_SLA_BREACH of {about}, which was due at {clock.breach.isoformat()}"


def absences_are_told(seen: Witness) -> Iterator[str]:
    """Each date on which a run was expected and none is: the event that says so (runtime.md, section 8).

    Of fires since the watchdog has known the schedule.
    """
    for pipeline in seen.world.pipelines().values():
        if pipeline.dry_run:
            continue
        ran = {run.key.date for run in seen.runs if run.pipeline.id == pipeline.id}
        for date in _dates(seen, pipeline):
            about: Subject = (pipeline.id, pipeline.schedule_id, str(date), None)
            kind, due = _absence(pipeline, date)
            if kind and due and _is_due(seen, pipeline, due) and str(date) not in ran and not seen.has(kind, about):
                yield f"{kind} of {about}, which was due at {due.isoformat()}"
            deadline = deadlines.trigger_deadline(pipeline, date)
            if deadline and is_expected(pipeline, date) and _is_due(seen, pipeline, deadline) and str(date) not in ran:
                yield f"a run or an expired row of {about}, whose trigger deadline was {deadline.isoformat()}"


def results_are_watched(seen: Witness) -> Iterator[str]:
    """Each completed run with post-run rules: its baseline, and what became of its data (runtime.md, section 5).

    An execution that failed after it had completed its run tells of no baseline; its alarm has rung.
    """
    for run in seen.runs:
        post_run = run.pipeline.post_run
        if post_run is None or run.status != "COMPLETED":
            continue
        completed = run.at("completedAt")
        if not seen.is_broken(run) and not seen.has("POST_RUN_BASELINE_CAPTURED", run.subject()):
            yield f"POST_RUN_BASELINE_CAPTURED of {run}"
        told = ("POST_RUN_PASSED", "POST_RUN_FAILED", "POST_RUN_DRIFT")
        missing = seen.has("POST_RUN_SENSOR_MISSING", run.subject())
        is_over = completed and completed + post_run.sensor_timeout + GRACE < seen.day.end
        if is_over and not missing and not any(seen.has(each, run.subject()) for each in told):
            yield f"what became of the data of {run}"
        if is_over and _has_drifted(seen, run) and not seen.has("POST_RUN_DRIFT", run.subject()):
            lost = any(keys["SK"]["S"].startswith("SENSOR#") for keys in seen.lost_records.values())
            if not lost:
                yield f"POST_RUN_DRIFT of {run}"


def _has_drifted(seen: Witness, run: Run) -> bool:
    """Whether a sensor is no longer what the run relied upon, by the one field that is compared.

    One that does not say of which date it is counts for the time of its write, and may be another run's.
    """
    post_run, date = run.pipeline.post_run, ExecutionDate.parse(run.key.date)
    marker = seen.row(run.pipeline.id, rows.baseline_marker(run.key.schedule_id, run.key.date, run.attempt))
    if post_run is None or marker is None:
        return False
    found = {}
    for key in {rule.key for rule in post_run.rules}:
        for each in dates.sensor_keys(key, date):
            if (row := seen.row(run.pipeline.id, rows.sensor(each))) is not None:
                found[each] = row
        sensor = choose(key, date, rows=found)
        before = (marker["data"]["sensors"].get(key) or {}).get("fields")
        if (
            sensor is not None
            and sensor.problem is None
            and (sensor.key != key or "date" in sensor.fields)
            and drift.compare(post_run, baseline=before, fields=sensor.fields)
        ):
            return True
    return False


def _dates(seen: Witness, pipeline: Pipeline) -> Iterator[ExecutionDate]:
    """The execution dates that may have become due while it was looked on, without the excluded ones."""
    hourly = dates.granularity(pipeline) is Granularity.HOURLY
    step = timedelta(hours=1 if hourly else 24)
    at, found = seen.day.start - timedelta(days=3), set()
    while at < seen.day.end:
        found.add(dates.of_instant(pipeline, at))
        at += step
    return (date for date in sorted(found) if dates.excluded(pipeline, date) is None)


def _is_due(seen: Witness, pipeline: Pipeline, at: datetime) -> bool:
    marker = seen.row(pipeline.id, rows.SINCE_MARKER)
    since = [parse_timestamp(marker["data"][name]) for name in ("since", "slaSince")] if marker else []
    return all(each and each < at for each in since) and seen.day.start < at < seen.day.end - GRACE


def _was_due_before(seen: Witness, pipeline: Pipeline, date: ExecutionDate) -> bool:
    """Whether the clock was to start a date before the watchdog knew the schedule."""
    marker = seen.row(pipeline.id, rows.SINCE_MARKER)
    since = parse_timestamp(marker["data"]["since"]) if marker else None
    return since is not None and was_due(pipeline, date, by=since)


def _absence(pipeline: Pipeline, date: ExecutionDate) -> tuple[str | None, datetime | None]:
    """The event that says that a date has no run, and when one was due at the latest."""
    schedule, zone = pipeline.schedule, pipeline.schedule.timezone
    at_time = next_instant(datetime.combine(date.day, schedule.time), zone) if schedule.time else None
    if schedule.include is not None:
        end = dates.period_end(ExecutionDate(date.day), zone)
        return ("IRREGULAR_SCHEDULE_MISSED", at_time or end) if date.day in schedule.include.dates else (None, None)
    if schedule.cron is None:
        return None, None
    start, end = dates.period_start(date, zone), dates.period_end(date, zone)
    fire = next(schedule.cron.fires(after=start - _INSTANT, until=end - _INSTANT, zone=zone), None)
    return ("SCHEDULE_MISSED", max(fire, at_time or fire)) if fire else (None, None)


_INSTANT = timedelta(microseconds=1)


def _succeeded_by(seen: Witness, about: Subject, at: datetime) -> bool:
    pipeline_id, schedule_id, date, _ = about
    key = RunKey(str(schedule_id), str(date))
    return any(
        (each_pipeline, each_key, row["event"]) == (pipeline_id, key, "success") and written <= at
        for each_pipeline, each_key, written, row in seen.job_log
    )


#: All of them.
PROMISES: tuple[Callable[[Witness], Iterator[str]], ...] = (
    starts_are_told,
    outcomes_are_told,
    failures_have_consequences,
    ends_are_told,
    reruns_are_told,
    requests_are_answered,
    deadlines_have_verdicts,
    absences_are_told,
    results_are_watched,
)
