"""``airflow``: a DAG run, by Airflow's stable REST API: v1 of Airflow 2, v2 of Airflow 3.

The run's token is the DAG run's id: a second start under it is refused with 409.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from interlock_runtime.core.job_documents import AirflowConfig
from interlock_runtime.jobs import rest
from interlock_runtime.jobs.contract import Call, Category, Failed, Outcome, Running, Started, Succeeded
from interlock_runtime.jobs.polling import patiently

ADDRESS = ("url", "dag_id", "api_version")

_ALREADY_STARTED = 409


def start(call: Call[AirflowConfig]) -> Started:
    """Start the DAG run, or find that it was started."""
    config = call.resolved()
    body: dict[str, Any] = {"dag_run_id": call.run.token, "conf": config.body}
    if config.api_version == "v2":
        body["logical_date"] = None  # Airflow 3 requires the key; null means a run for no interval of its own
    reply = rest.send(
        call.services,
        "POST",
        _runs(config.url, config.api_version, config.dag_id),
        headers=config.headers,
        body=body,
        timeout=config.timeout.total_seconds(),
    )
    # An answer that does not name the run (a sign-in page, or one cut off) is no proof of a start. It is asked
    # for again, and if it was started after all, that is when Airflow says so.
    is_started = reply.ok and reply.member("dag_run_id") == call.run.token
    if not is_started and reply.status != _ALREADY_STARTED:
        raise rest.refusal(call, reply, f"the start of DAG {config.dag_id}")
    return Started(run_id=call.run.token)


def status(call: Call[AirflowConfig], _metadata: Mapping[str, Any]) -> Outcome:
    """The DAG run's state."""
    dag_id, headers = call.value("dag_id"), call.value("headers")
    url = f"{_runs(call.value('url'), call.config.api_version, dag_id)}/{quote(call.run.token, safe='')}"

    def ask(seconds: float) -> str:
        timeout = min(seconds, call.config.timeout.total_seconds())
        reply = rest.send(call.services, "GET", url, headers=headers, timeout=timeout)
        state = reply.member("state")
        if not reply.ok or not isinstance(state, str):
            raise rest.refusal(call, reply, f"the state of DAG {dag_id}")
        return state

    state = patiently(ask, call.services.timing)
    if state == "success":
        return Succeeded()
    if state != "failed":
        return Running()
    return Failed(f"the run {call.run.token} of DAG {dag_id} has failed", Category.TRANSIENT)


def _runs(url: str, api_version: str, dag_id: str) -> str:
    return f"{url.rstrip('/')}/api/{api_version}/dags/{quote(dag_id, safe='')}/dagRuns"
