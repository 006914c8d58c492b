"""Each check of a soak finds what it is there for: a good day is tampered with before it is looked at."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from interlock_runtime.core.attributes import encode_item
from interlock_runtime.core.events import EVENT_TYPES
from interlock_runtime.core.instants import rfc3339
from interlock_tf.local import invariants, promises, soak
from interlock_tf.local.disturbances import Invocation
from interlock_tf.local.functions import Answer
from interlock_tf.local.queues import Message
from interlock_tf.local.random_days import read_day
from interlock_tf.local.terraform_json import Configuration
from interlock_tf.local.witness import Witness

pytestmark = pytest.mark.slow

START = datetime(2026, 11, 24, 8, tzinfo=UTC)
HOURLY, DAILY = "clickstream-hourly", "board-pack"

#: 10 h runs well. The job of 12 h fails, and so does its retry; somebody asks for a rerun, and again.
#: The figures of the board's meeting are signed off, and its job fails for good.
LINES: list[dict[str, Any]] = [
    {"at": "13:04:30", "pipeline": HOURLY, "job": "fail", "category": "TRANSIENT"},
    {"at": "13:06:00", "pipeline": HOURLY, "job": "fail", "category": "TRANSIENT"},
    {"at": "15:00:00", "pipeline": HOURLY, "rerun": "a correction", "date": "2026-11-24T12"},
    {"at": "15:40:00", "pipeline": HOURLY, "rerun": "one more", "date": "2026-11-24T12"},
    {"at": "08:59:00", "pipeline": DAILY, "job": "fail", "category": "PERMANENT"},
    {"at": "09:00:00", "pipeline": DAILY, "key": "consolidation", "data": {"open_items": 0, "date": "2026-11-24"}},
    {"at": "09:00:00", "pipeline": DAILY, "key": "figures-signed-off#2026-11-24", "data": {"status": "final"}},
]


def lines() -> Iterator[dict[str, Any]]:
    yield from LINES
    for hour in (10, 12):
        at = f"{hour + 1}:04:00"
        updated = {"updatedAt": f"2026-11-24T{at}Z"}
        fields = {"sensor_count": 5, "duplicate_share": 0, "status": "complete", "missing_partitions": 0, **updated}
        for key in ("clickstream-counts", "clickstream-landed"):
            yield {"at": at, "pipeline": HOURLY, "key": f"{key}#2026-11-24T{hour}", "data": fields}


Live = Callable[[], AbstractContextManager[Witness]]


@pytest.fixture
def live(soaked: Configuration, tmp_path: Path) -> Live:
    """Live through the day."""
    head = {
        "seed": 0,
        "from": rfc3339(START),
        "calmFrom": rfc3339(START + timedelta(hours=8)),
        "to": rfc3339(START + timedelta(hours=18)),
        "pipelines": [HOURLY, DAILY],
    }
    told = sorted(lines(), key=lambda line: str(line["at"]))
    text = [head, *({**line, "at": f"2026-11-24T{line['at']}Z"} for line in told)]
    file = tmp_path / "day.jsonl"
    file.write_text("\n".join(json.dumps(each) for each in text))
    day = read_day(file, pipeline_ids=soaked.pipeline_ids())
    return lambda: soak.lived(soaked, day)


def put(seen: Witness, output: str, row: Mapping[str, Any]) -> None:
    table = str(seen.world.configuration.outputs()[output])
    seen.world.tables.answer("PutItem", {"TableName": table, "Item": encode_item(row)})


def delete(seen: Witness, output: str, row: Mapping[str, Any]) -> None:
    table = str(seen.world.configuration.outputs()[output])
    seen.world.tables.answer("DeleteItem", {"TableName": table, "Key": encode_item({k: row[k] for k in ("PK", "SK")})})


def first(seen: Witness, output: str, prefix: str, **attributes: Any) -> dict[str, Any]:
    """The first row whose sort key begins so, and that has these attributes."""
    return next(
        dict(row) for row in seen.rows(output) if row["SK"].startswith(prefix) and attributes.items() <= row.items()
    )


def publish(seen: Witness, kind: str, date: str, cause: str = "") -> None:
    detail = {"pipelineId": HOURLY, "scheduleId": "stream", "date": date, "attempt": None}
    key = f"{kind}|{HOURLY}|stream|{date}||{cause}"
    seen.world.bus.publish({"source": "interlock", "detail-type": kind, "detail": {**detail, "dedupeKey": key}})


CONTROL, JOBLOG, RERUN, EVENTS = (f"{each}_table_name" for each in ("control", "joblog", "rerun", "events"))


def a_run_goes_on(seen: Witness) -> None:
    put(seen, CONTROL, first(seen, CONTROL, "TRIGGER#", status="COMPLETED") | {"status": "RUNNING"})


def a_failure_is_undecided(seen: Witness) -> None:
    row = first(seen, CONTROL, "TRIGGER#stream#2026-11-24", status="FAILED_FINAL")
    put(seen, CONTROL, row | {"interlockKind": "UNDECIDED"})


def a_request_stays(seen: Witness) -> None:
    put(seen, CONTROL, {"PK": f"PIPELINE#{HOURLY}", "SK": "RERUN_REQUEST#stream#2026-11-24T10", "reason": "x"})


def an_execution_goes_on(seen: Witness) -> None:
    next(iter(seen.world.executions.by_arn.values())).status = "RUNNING"


def an_attempt_has_two_executions(seen: Witness) -> None:
    known = next(iter(seen.world.executions.by_arn.values()))
    seen.world.executions.by_arn["another"] = replace(known, arn="another", name="another")


def a_job_is_started_twice(seen: Witness) -> None:
    seen.world.jobs.all.append(seen.world.jobs.all[0])


def a_rerun_too_many(seen: Witness) -> None:
    put(seen, RERUN, first(seen, RERUN, "RERUN#", reason="a correction") | {"SK": "RERUN#stream#2026-11-24T12#3"})


def a_date_has_two_verdicts(seen: Witness) -> None:
    publish(seen, "SLA_BREACH", "2026-11-24T10")


def an_outcome_is_logged_twice(seen: Witness) -> None:
    put(seen, JOBLOG, first(seen, JOBLOG, "JOB#", event="success") | {"SK": "JOB#stream#2026-11-24T10#1"})


def the_job_log_contradicts_the_run(seen: Witness) -> None:
    delete(seen, JOBLOG, first(seen, JOBLOG, "JOB#stream#2026-11-24T10", event="success"))


def an_event_is_stored_twice(seen: Witness) -> None:
    row = first(seen, EVENTS, "1", eventType="JOB_COMPLETED")
    put(seen, EVENTS, row | {"SK": row["SK"] + "x"})


def an_event_is_not_stored(seen: Witness) -> None:
    delete(seen, EVENTS, first(seen, EVENTS, "1", eventType="JOB_COMPLETED"))


def an_event_comes_from_nowhere(seen: Witness) -> None:
    put(seen, EVENTS, first(seen, EVENTS, "1", eventType="JOB_COMPLETED") | {"SK": "2", "dedupeKey": "nowhere"})


def an_alert_is_posted_twice(seen: Witness) -> None:
    seen.world.slack.posts.append(seen.world.slack.posts[0])


def an_alert_is_not_posted(seen: Witness) -> None:
    del seen.world.slack.posts[0]


def a_message_is_left(seen: Witness) -> None:
    (queue,) = (each for each in seen.world.queues.by_arn.values() if each.name.endswith("-alerts"))
    queue.messages.append(Message(id="x", body="{}", sent=START, visible=START))


def a_record_is_left(seen: Witness) -> None:
    record = {"dynamodb": {"ApproximateCreationDateTime": START.timestamp()}}
    seen.world.streams.shards[0].waiting.append(record)


def a_function_fails_of_itself(seen: Witness) -> None:
    function = next(iter(seen.world.functions.by_arn.values()))
    invocation = Invocation(function=function.name, event={}, number=-1)
    seen.failures.append((START, function, Answer(error={"errorType": "KeyError"}, invocation=invocation)))


def a_fault_is_taken_for_lasting(seen: Witness) -> None:
    function = next(iter(seen.world.functions.by_arn.values()))
    error = {"errorType": "PermanentError"}
    seen.failures.append((START, function, Answer(error=error)))


def without_row(output: str, prefix: str, **attributes: Any) -> Callable[[Witness], None]:
    return lambda seen: delete(seen, output, first(seen, output, prefix, **attributes))


def unpublished(*kinds: str) -> Callable[[Witness], None]:
    assert set(kinds) <= EVENT_TYPES.keys()
    return lambda seen: seen.overlook(*kinds)


Tamper = Callable[[Witness], None]
Check = Callable[[Witness], Iterator[str]]

FOUND: list[tuple[Tamper, Check, str]] = [
    (a_run_goes_on, invariants.runs_end, "has not ended"),
    (a_failure_is_undecided, invariants.runs_end, "is still UNDECIDED"),
    (a_request_stays, invariants.runs_end, "was never decided about"),
    (an_execution_goes_on, invariants.executions_end, "has not ended"),
    (an_attempt_has_two_executions, invariants.executions_end, "has 2 executions"),
    (a_job_is_started_twice, invariants.jobs_start_once, "was started 2 times"),
    (a_rerun_too_many, invariants.budgets_hold, "2 manual reruns of 1"),
    (a_date_has_two_verdicts, invariants.verdicts_are_single, "2 verdicts of SLA"),
    (an_outcome_is_logged_twice, invariants.outcomes_are_single, "says 2 times"),
    (the_job_log_contradicts_the_run, invariants.outcomes_are_single, "the job log says []"),
    (an_event_is_stored_twice, invariants.events_are_stored_once, "is stored 2 times"),
    (an_event_is_not_stored, invariants.events_are_stored_once, "is not stored"),
    (an_event_comes_from_nowhere, invariants.events_are_stored_once, "was never published"),
    (an_alert_is_posted_twice, invariants.alerts_are_posted_once, "1 times too often"),
    (an_alert_is_not_posted, invariants.alerts_are_posted_once, "is not posted"),
    (a_message_is_left, invariants.nothing_waits, "1 messages are left"),
    (a_record_is_left, invariants.nothing_waits, "records are left"),
    (a_function_fails_of_itself, invariants.functions_fail_of_faults, "of itself"),
    (a_fault_is_taken_for_lasting, invariants.functions_fail_of_faults, "for good"),
    (unpublished("VALIDATION_PASSED"), promises.starts_are_told, "VALIDATION_PASSED"),
    (unpublished("JOB_TRIGGERED"), promises.starts_are_told, "JOB_TRIGGERED"),
    (unpublished("JOB_COMPLETED"), promises.outcomes_are_told, "JOB_COMPLETED"),
    (unpublished("JOB_FAILED"), promises.outcomes_are_told, "JOB_FAILED"),
    (unpublished("RETRY_EXHAUSTED"), promises.failures_have_consequences, "RETRY_EXHAUSTED"),
    (unpublished("SENSOR_DEADLINE_EXPIRED"), promises.ends_are_told, "SENSOR_DEADLINE_EXPIRED"),
    (unpublished("RERUN_ACCEPTED"), promises.reruns_are_told, "RERUN_ACCEPTED"),
    (unpublished("RERUN_REJECTED"), promises.reruns_are_told, "RERUN_REJECTED"),
    (unpublished("RERUN_REJECTED"), promises.requests_are_answered, "an answer to the request"),
    (unpublished("SLA_MET"), promises.deadlines_have_verdicts, "a verdict of SLA"),
    (unpublished("SLA_BREACH"), promises.deadlines_have_verdicts, "a verdict of SLA"),
    (unpublished("RELATIVE_SLA_BREACH"), promises.deadlines_have_verdicts, "RELATIVE_SLA_BREACH"),
    (
        without_row(CONTROL, "TRIGGER#stream#2026-11-24T08"),
        promises.absences_are_told,
        "a run or an expired row",
    ),
    (unpublished("POST_RUN_BASELINE_CAPTURED"), promises.results_are_watched, "POST_RUN_BASELINE_CAPTURED"),
    (unpublished("POST_RUN_SENSOR_MISSING"), promises.results_are_watched, "what became of the data"),
]


def test_nothing_is_wrong_with_a_good_day(live: Live) -> None:
    with live() as seen:
        assert [each for check in soak.CHECKS for each in check(seen)] == []
        assert {event.type for event in seen.published.values()} >= {"RETRY_EXHAUSTED", "RERUN_REJECTED", "SLA_MET"}


@pytest.mark.parametrize(("tamper", "check", "expected"), FOUND)
def test_a_check_finds_what_it_is_there_for(live: Live, tamper: Tamper, check: Check, expected: str) -> None:
    with live() as seen:
        tamper(seen)
        assert any(expected in each for each in check(seen)), list(check(seen))


def test_every_check_is_seen_to_find_something() -> None:
    assert {check for _, check, _ in FOUND} == set(soak.CHECKS)
