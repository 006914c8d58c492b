"""``glue``: a run of a Glue job.

Glue has no idempotency token. The run carries ours as an argument, and when a start may already
have happened, the job's recent runs are searched for it first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interlock_runtime.aws.calls import ask
from interlock_runtime.core.job_documents import GlueConfig
from interlock_runtime.jobs.arguments import text
from interlock_runtime.jobs.contract import Call, Category, Failed, Outcome, Running, Started, Succeeded
from interlock_runtime.jobs.glue_logs import hidden_failure
from interlock_runtime.jobs.polling import ask_patiently

ADDRESS = ("job_name",)

#: The argument by which a run is recognised.
TOKEN_ARGUMENT = "--interlock_run"  # noqa: S105 - a name, not a secret

_FAILURES = {
    "TIMEOUT": Category.TIMEOUT,
    "FAILED": Category.TRANSIENT,
    "STOPPED": Category.TRANSIENT,
    "ERROR": Category.TRANSIENT,
}
_PAGES = 5
_PAGE_SIZE = 200


def start(call: Call[GlueConfig]) -> Started:
    """Start a run of the job, or find the one that was started under the same token."""
    config = call.resolved()
    client = call.services.client("glue")
    run_id = _started_before(client, config.job_name, call.run.token) if call.run.previous_intent else None
    if run_id is None:
        answer = ask(client, "start_job_run", JobName=config.job_name, Arguments=_arguments(config, call))
        run_id = answer["JobRunId"]
    return Started(metadata={"runId": run_id}, run_id=run_id)


def status(call: Call[GlueConfig], metadata: Mapping[str, Any]) -> Outcome:
    """The run's state, by GetJobRun; a success is verified in the run's logs."""
    name, run_id = call.value("job_name"), metadata["runId"]
    job_run = ask_patiently(call.services, "glue", "get_job_run", JobName=name, RunId=run_id)["JobRun"]
    state = job_run["JobRunState"]
    if state == "SUCCEEDED":
        reason = hidden_failure(job_run, call.services)
        if reason is None:
            return Succeeded()
        return Failed(
            call.message("Glue reports SUCCEEDED, but the driver's log says otherwise", reason), Category.TRANSIENT
        )
    if state not in _FAILURES:
        return Running()
    return Failed(call.message(f"the run is {state}", job_run.get("ErrorMessage")), _FAILURES[state])


def _arguments(config: GlueConfig, call: Call[GlueConfig]) -> dict[str, str]:
    date = call.run.date
    given = {key: text(value) for key, value in config.arguments.items()}
    dated = {"--par_day": f"{date.day:%Y%m%d}"}
    if date.hour is not None:
        dated["--par_hour"] = f"{date.hour:02}"
    return {**dated, **given, TOKEN_ARGUMENT: call.run.token}


def _started_before(client: Any, job_name: str, token: str) -> str | None:
    """The id of a recent run that carries ``token``; Glue lists the latest first, 1,000 are looked at."""
    following: dict[str, str] = {}
    for _ in range(_PAGES):
        page = ask(client, "get_job_runs", JobName=job_name, MaxResults=_PAGE_SIZE, **following)
        for job_run in page["JobRuns"]:
            if job_run.get("Arguments", {}).get(TOKEN_ARGUMENT) == token:
                return str(job_run["Id"])
        if not page.get("NextToken"):
            break
        following = {"NextToken": page["NextToken"]}
    return None
