"""What never happens, whatever goes wrong: each check gives what it finds wrong, in words.

What is excused is said in the check's docstring, and nothing else is.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping

from interlock_tf.local.witness import LONGEST, OUTCOMES, Subject, Witness

#: Jobs that cannot be started idempotently from outside (spec/jobs.md, "Never twice").
_REPEATABLE = frozenset({"lambda", "lambda-event", "command"})

_DRIFT = frozenset({"data-drift", "late-data"})
_OWN = frozenset({"job-fail-retry", "sensor-after-trigger-exhausted"})

#: What may still be looked at when all has settled; POSTRUN and ARRIVAL wait for as long as the document says.
_OPEN_KINDS = frozenset({"RUNNING", "UNDECIDED", "REQUEST"})


def runs_end(seen: Witness) -> Iterator[str]:
    """Every run is in a terminal state, and nothing waits to be looked at (runtime.md, sections 1 and 3).

    Not of runs that began within the last five hours: an execution may last four, and its row is stale half an
    hour later. A person's request whose stream record is a dead letter stays, for it is not on the index.
    """
    settled = seen.day.end - LONGEST
    for run in seen.runs:
        started = run.at("startedAt")
        if run.status == "RUNNING" and started and started < settled:
            yield f"{run} has not ended"
    for row in seen.rows("control_table_name"):
        kind = row.get("interlockKind")
        run_start = str(row.get("startedAt") or row.get("requestedAt") or "")
        if kind in _OPEN_KINDS and run_start < settled.isoformat():
            yield f"{row['PK']} {row['SK']} is still {kind}"
        is_request = row["SK"].startswith("RERUN_REQUEST#") and kind is None
        if is_request and not seen.was_lost(row["PK"], row["SK"]):
            yield f"{row['PK']} {row['SK']} was never decided about"


def executions_end(seen: Witness) -> Iterator[str]:
    """No execution goes on for a run that has ended, and no attempt has two (runtime.md, section 3).

    Not executions that began within the last five hours.
    """
    names: defaultdict[Subject, list[str]] = defaultdict(list)
    for execution in seen.world.executions.by_arn.values():
        given = seen.world.executions.input_of(execution)
        names[given["pipelineId"], given["scheduleId"], given["date"], given["attempt"]].append(execution.name)
        if execution.status == "RUNNING" and execution.started < seen.day.end - LONGEST:
            yield f"the execution {execution.name} has not ended"
    for subject, found in names.items():
        if len(found) > 1:
            yield f"{_told(subject)} has {len(found)} executions: {', '.join(found)}"


def jobs_start_once(seen: Witness) -> Iterator[str]:
    """No job is started twice for an attempt, as its service sees it (jobs.md, "Never twice").

    A ``command`` and a Lambda function may be, when something went wrong in an invocation that was to start it:
    once for each.
    """
    starts: defaultdict[Subject, list[str]] = defaultdict(list)
    services: dict[Subject, str] = {}
    for job in seen.world.jobs.all:
        subject: Subject = (job.pipeline_id, job.schedule_id, job.date, job.attempt)
        starts[subject].append(job.id)
        services[subject] = job.service
    for subject, ids in starts.items():
        allowed = 1 + (_disturbed_starts(seen, subject) if services[subject] in _REPEATABLE else 0)
        if len(ids) > allowed:
            yield f"the job of {_told(subject)} was started {len(ids)} times: {', '.join(ids)}"


def _disturbed_starts(seen: Witness, subject: Subject) -> int:
    invocations = {
        happened.invocation.number
        for happened in seen.injector.happened
        if happened.invocation is not None
        and isinstance(happened.invocation.event, Mapping)
        and happened.invocation.event.get("mode") == "trigger"
        and _subject_of(happened.invocation.event) == subject
    }
    return len(invocations)


def budgets_hold(seen: Witness) -> Iterator[str]:
    """No reason has more reruns than its budget, and every attempt has its rerun row (runtime.md, section 5)."""
    for run in seen.runs:
        found = seen.reruns.get((run.pipeline.id, run.key), {})
        if set(found) != set(range(1, run.attempt + 1)):
            yield f"{run} has rerun rows for the attempts {sorted(found)}"
        reasons = Counter(str(row["reason"]) for row in found.values())
        job = run.pipeline.job
        spent = {
            "retries": (reasons["job-fail-retry"], max(job.max_retries, job.max_code_retries)),
            "drift reruns": (sum(reasons[each] for each in _DRIFT), job.max_drift_reruns),
            "manual reruns": (
                sum(count for each, count in reasons.items() if each not in _DRIFT | _OWN),
                job.max_manual_reruns,
            ),
        }
        for name, (used, allowed) in spent.items():
            if used > allowed:
                yield f"{run} has had {used} {name} of {allowed}"


def verdicts_are_single(seen: Witness) -> Iterator[str]:
    """A date has one verdict for each SLA, at most (runtime.md, section 7)."""
    counts: Counter[tuple[str, Subject]] = Counter()
    for event in seen.published.values():
        for clock in ("SLA", "RELATIVE_SLA"):
            if event.type in (f"{clock}_MET", f"{clock}_BREACH"):
                counts[clock, event.subject] += 1
    for (clock, subject), count in counts.items():
        if count > 1:
            yield f"{_told(subject)} has {count} verdicts of {clock}"


def outcomes_are_single(seen: Witness) -> Iterator[str]:
    """The job log says once how the job of an attempt ended, and the trigger row agrees (runtime.md, section 3)."""
    counts: Counter[Subject] = Counter()
    for pipeline_id, key, _, row in seen.job_log:
        if row["event"] in OUTCOMES:
            counts[pipeline_id, key.schedule_id, key.date, row.get("attempt")] += 1
    for subject, count in counts.items():
        if count > 1:
            yield f"the job log says {count} times how the job of {_told(subject)} ended"
    for run in seen.runs:
        events = {row["event"] for row in seen.outcomes(run, run.attempt)}
        if run.status == "COMPLETED" and events != {"success"}:
            yield f"{run}, and the job log says {sorted(events)}"
        if run.status == "FAILED_FINAL" and run.reason in ("fail", "timeout") and not events & {"fail", "timeout"}:
            yield f"{run}, and the job log says {sorted(events)}"


def events_are_stored_once(seen: Witness) -> Iterator[str]:
    """Every event that was published is in the events table once per dedupeKey (runtime.md, sections 4 and 9).

    One that is not there is a dead letter.
    """
    counts = Counter(row["dedupeKey"] for row in seen.stored)
    for key, count in counts.items():
        if count > 1:
            yield f"the event {key} is stored {count} times"
    for key in seen.published:
        if key not in counts and key not in seen.lost_keys:
            yield f"the event {key} is not stored"
    for row in seen.stored:
        if row["eventType"] != "INFRA_ALARM" and row["dedupeKey"] not in seen.published:
            yield f"the event {row['dedupeKey']} is stored, and was never published"
        if "problem" in row:
            yield f"the event {row['dedupeKey']} could not be read: {row['problem']}"


def alerts_are_posted_once(seen: Witness) -> Iterator[str]:
    """Every event that is routed to Slack is posted once per dedupeKey (runtime.md, sections 4 and 9).

    Again only when something went wrong in the invocation that had posted it, so that it could not confirm. One
    that is not posted is a dead letter.
    """
    disturbed = {each.invocation.number for each in seen.injector.happened if each.invocation is not None}
    posts: defaultdict[str, list[int]] = defaultdict(list)
    for post in seen.world.slack.posts:
        for record in post.invocation.event["Records"]:
            told = json.loads(record["body"])
            posts[told["detail"].get("dedupeKey") or told["id"]].append(post.invocation.number)
    for key, invocations in posts.items():
        if len(unexcused := [each for each in invocations[:-1] if each not in disturbed]):
            yield f"the alert {key} is posted {len(unexcused)} times too often"
    for key, event in seen.published.items():
        routed = seen.is_alert(event.type)
        if routed and key not in posts and key not in seen.lost_keys:
            yield f"the alert {key} is not posted"
        if not routed and key in posts:
            yield f"the event {key} is posted, and is no alert"


def nothing_waits(seen: Witness) -> Iterator[str]:
    """At the end, no queue that somebody reads and no stream holds anything back."""
    for mapping in seen.world.queues.mappings:
        queue = seen.world.queues.by_arn[mapping.queue_arn]
        if queue.messages:
            yield f"{len(queue.messages)} messages are left in {queue.name}"
    for shard in seen.world.streams.shards:
        if shard.oldest() is not None:
            yield f"records are left in {shard.mapping.stream_arn}"


def functions_fail_of_faults(seen: Witness) -> Iterator[str]:
    """A function fails only where something went wrong in that very invocation, and takes that for nothing lasting.

    All that goes wrong passes; a PermanentError would not be tried again (state-machine.md).
    """
    disturbed = {each.invocation.number for each in seen.injector.happened if each.invocation is not None}
    for at, function, answer in seen.failures:
        if answer.invocation is not None and answer.invocation.number not in disturbed:
            yield f"{function.name} failed at {at.isoformat()} of itself: {dict(answer.error or {})}"
        elif (answer.error or {}).get("errorType") in ("PermanentError", "ConfigError"):
            yield f"{function.name} failed at {at.isoformat()} for good: {dict(answer.error or {})}"


def _subject_of(event: Mapping[str, object]) -> Subject:
    return tuple(event.get(name) for name in ("pipelineId", "scheduleId", "date", "attempt"))  # type: ignore[return-value]


def _told(subject: Subject) -> str:
    pipeline_id, _, date, attempt = subject
    return f"{pipeline_id} {date}" + ("" if attempt is None else f" attempt {attempt}")


#: All of them.
INVARIANTS: tuple[Callable[[Witness], Iterator[str]], ...] = (
    runs_end,
    executions_end,
    jobs_start_once,
    budgets_hold,
    verdicts_are_single,
    outcomes_are_single,
    events_are_stored_once,
    alerts_are_posted_once,
    nothing_waits,
    functions_fail_of_faults,
)
