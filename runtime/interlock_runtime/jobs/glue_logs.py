"""Whether a Glue run that reports success has failed after all.

Glue calls a run SUCCEEDED when the Spark driver ends in order, also after swallowing a failure.
The run's log streams tell: job insights name the failure, and the driver logs it as an error.
What cannot be read proves nothing: then Glue's word stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from interlock_runtime.aws.calls import ask
from interlock_runtime.core.errors import InterlockError
from interlock_runtime.jobs.contract import Services

#: Where Glue logs a run, unless the run says otherwise.
DEFAULT_GROUP = "/aws-glue/jobs/logs-v2"
#: The job's argument that names another group.
GROUP_ARGUMENT = "--continuous-log-logGroup"

_INSIGHT = "GlueExceptionAnalysisJobFailed"
_LEVELS = (" ERROR ", " FATAL ")
_PAGES = 50
_SECONDS = 20.0


def hidden_failure(job_run: Mapping[str, Any], services: Services) -> str | None:
    """The reason for which a SUCCEEDED run has failed, or None when its logs know of none."""
    run_id = job_run["Id"]
    end = services.timing.monotonic() + _SECONDS
    for group in _groups(job_run):
        for message in _messages(services, group, f"{run_id}-job-insights-rca-driver", f'"{_INSIGHT}"', end):
            if _INSIGHT in message:
                return _failure_reason(message)
        for message in _messages(services, group, run_id, "?ERROR ?FATAL", end):
            if any(level in message for level in _LEVELS):
                return message
    return None


def _groups(job_run: Mapping[str, Any]) -> tuple[str, ...]:
    """Log groups to look in. ``LogGroupName`` may be the group itself, or what ``/logs-v2`` stands behind."""
    named = job_run.get("Arguments", {}).get(GROUP_ARGUMENT)
    if named:
        return (named,)
    reported = job_run.get("LogGroupName", "").rstrip("/")
    if reported in ("", "/aws-glue/jobs"):
        return (DEFAULT_GROUP,)
    if "/logs-v2" in reported:
        return (reported,)
    return (f"{reported}/logs-v2", reported)


def _messages(services: Services, group: str, stream: str, pattern: str, end: float) -> Iterator[str]:
    """The messages of a stream that match ``pattern``, as far as they can be had before ``end``."""
    following: dict[str, str] = {}
    for _ in range(_PAGES):
        if services.timing.monotonic() >= end:
            return
        try:
            page = ask(
                services.client("logs"),
                "filter_log_events",
                logGroupName=group,
                logStreamNames=[stream],
                filterPattern=pattern,
                **following,
            )
        except InterlockError:
            return
        yield from (event["message"] for event in page["events"])
        if not page.get("nextToken"):
            return
        following = {"nextToken": page["nextToken"]}


def _failure_reason(message: str) -> str:
    """The failure reason in a message of job insights: JSON, perhaps behind a log line's usual beginning."""
    try:
        insight = json.loads(message[message.index("{") :])
    except (ValueError, RecursionError):
        return message
    reasons = (insight[key] for key in insight if key.replace(" ", "").lower() == "failurereason")
    return str(next(reasons, message))
