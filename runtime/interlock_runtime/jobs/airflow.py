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
        _runs(config),
        headers=config.headers,
        body=body,
        timeout=config.timeout.total_seconds(),
    )
    if not reply.ok and reply.status != _ALREADY_STARTED:
        raise rest.refusal(call, reply, f"the start of DAG {config.dag_id}")
    return Started(run_id=call.run.token)


def status(call: Call[AirflowConfig], _metadata: Mapping[str, Any]) -> Outcome:
    """The DAG run's state."""
    config = call.resolved()
    url = f"{_runs(config)}/{quote(call.run.token, safe='')}"
    state = patiently(lambda seconds: _state(call, config, url, seconds), call.services.timing)
    if state == "success":
        return Succeeded()
    if state != "failed":
        return Running()
    return Failed(f"the run {call.run.token} of DAG {config.dag_id} has failed", Category.TRANSIENT)


def _state(call: Call[AirflowConfig], config: AirflowConfig, url: str, seconds: float) -> str:
    timeout = min(seconds, config.timeout.total_seconds())
    reply = rest.send(call.services, "GET", url, headers=config.headers, timeout=timeout)
    state = reply.member("state")
    if not reply.ok or not isinstance(state, str):
        raise rest.refusal(call, reply, f"the state of DAG {config.dag_id}")
    return state


def _runs(config: AirflowConfig) -> str:
    return f"{config.url.rstrip('/')}/api/{config.api_version}/dags/{quote(config.dag_id, safe='')}/dagRuns"
