"""``databricks``: a run by the Jobs API 2.1, of an existing job or one-time.

The run's token is the idempotency token: a second start under it answers with the first one's run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interlock_runtime.core.errors import PermanentError
from interlock_runtime.core.job_documents import DatabricksConfig
from interlock_runtime.core.job_values import number_of
from interlock_runtime.core.wording import shown
from interlock_runtime.jobs import rest
from interlock_runtime.jobs.arguments import text
from interlock_runtime.jobs.contract import Call, Category, Failed, Outcome, Running, Started, Succeeded
from interlock_runtime.jobs.polling import patiently

ADDRESS = ("workspace_url",)

_START_SECONDS = 30.0
_FAILURES = {"SKIPPED": Category.PERMANENT, "INTERNAL_ERROR": Category.TRANSIENT}


def start(call: Call[DatabricksConfig]) -> Started:
    """Start the run, or find the one that was started under the same token."""
    config = call.resolved()
    operation, body = _submission(config)
    reply = rest.send(
        call.services,
        "POST",
        _url(config.workspace_url, operation),
        headers=config.headers,
        body={**body, "idempotency_token": call.run.token},
        timeout=_START_SECONDS,
    )
    run_id = reply.member("run_id")
    if not reply.ok or not isinstance(run_id, int):
        raise rest.refusal(call, reply, f"jobs/{operation}")
    # As text: a number of this size may lose digits on its way through the state machine.
    return Started(metadata={"runId": str(run_id)}, run_id=str(run_id))


def status(call: Call[DatabricksConfig], metadata: Mapping[str, Any]) -> Outcome:
    """The run's life cycle and result, by runs/get."""
    url = _url(call.value("workspace_url"), f"runs/get?run_id={metadata['runId']}")
    headers = call.value("headers")

    def ask(seconds: float) -> Mapping[str, Any]:
        reply = rest.send(call.services, "GET", url, headers=headers, timeout=seconds)
        state = reply.member("state")
        if not reply.ok or not isinstance(state, Mapping) or not isinstance(state.get("life_cycle_state"), str):
            raise rest.refusal(call, reply, "jobs/runs/get")
        return state

    state = patiently(ask, call.services.timing)
    life_cycle, result = state["life_cycle_state"], state.get("result_state")
    if life_cycle == "TERMINATED":
        if result == "SUCCESS":
            return Succeeded()
        message = call.message(f"the run is TERMINATED with {result or 'no result'}", state.get("state_message"))
        return Failed(message, Category.TRANSIENT)
    if life_cycle not in _FAILURES:
        return Running()
    return Failed(call.message(f"the run is {life_cycle}", state.get("state_message")), _FAILURES[life_cycle])


def _submission(config: DatabricksConfig) -> tuple[str, Mapping[str, Any]]:
    if config.job_id is None:
        if not config.body:
            raise PermanentError("job.config has neither jobId nor body; expected one of them")
        return "runs/submit", config.body
    try:
        job_id = number_of(config.job_id)
    except ValueError as error:
        raise PermanentError(f"job.config.jobId: {shown(config.job_id)} {error}") from None
    return "run-now", {
        "job_id": job_id,
        "job_parameters": {key: text(value) for key, value in config.arguments.items()},
    }


def _url(workspace: str, operation: str) -> str:
    return f"{workspace.rstrip('/')}/api/2.1/jobs/{operation}"
