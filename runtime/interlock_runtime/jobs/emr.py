"""``emr``: a step of a running EMR cluster.

EMR has no idempotency token. The step's name ends in ours, and when a start may already have
happened, the cluster's recent steps are searched for it first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interlock_runtime.aws.calls import ask
from interlock_runtime.core.job_documents import EmrConfig
from interlock_runtime.jobs.arguments import words
from interlock_runtime.jobs.contract import Call, Category, Failed, Outcome, Running, Started, Succeeded
from interlock_runtime.jobs.polling import ask_patiently

ADDRESS = ("cluster_id",)

_FAILURES = frozenset({"FAILED", "CANCELLED", "INTERRUPTED"})
_NAME_LENGTH = 256
_PAGES = 20


def start(call: Call[EmrConfig]) -> Started:
    """Add the step to the cluster, or find the one that was added under the same token."""
    config = call.resolved()
    client = call.services.client("emr")
    suffix = f" [{call.run.token}]"
    step_id = _added_before(client, config.cluster_id, suffix) if call.run.previous_intent else None
    if step_id is None:
        step = {
            "Name": config.step_name[: _NAME_LENGTH - len(suffix)] + suffix,
            "ActionOnFailure": "CONTINUE",
            "HadoopJarStep": {"Jar": config.command, "Args": words(config.arguments)},
        }
        step_id = ask(client, "add_job_flow_steps", JobFlowId=config.cluster_id, Steps=[step])["StepIds"][0]
    return Started(metadata={"stepId": step_id}, run_id=step_id)


def status(call: Call[EmrConfig], metadata: Mapping[str, Any]) -> Outcome:
    """The step's state, by DescribeStep."""
    cluster_id, step_id = call.value("cluster_id"), metadata["stepId"]
    answer = ask_patiently(call.services, "emr", "describe_step", ClusterId=cluster_id, StepId=step_id)
    state = answer["Step"]["Status"]
    if state["State"] == "COMPLETED":
        return Succeeded()
    if state["State"] not in _FAILURES:
        return Running()
    details = state.get("FailureDetails", {})
    reason = ": ".join(filter(None, (details.get("Reason"), details.get("Message"), details.get("LogFile"))))
    reason = reason or state.get("StateChangeReason", {}).get("Message", "")
    return Failed(call.message(f"the step is {state['State']}", reason), Category.TRANSIENT)


def _added_before(client: Any, cluster_id: str, suffix: str) -> str | None:
    """The id of a recent step whose name ends in ``suffix``; EMR lists the latest first, 1,000 are looked at."""
    following: dict[str, str] = {}
    for _ in range(_PAGES):
        page = ask(client, "list_steps", ClusterId=cluster_id, **following)
        for step in page["Steps"]:
            if step["Name"].endswith(suffix):
                return str(step["Id"])
        if not page.get("Marker"):
            break
        following = {"Marker": page["Marker"]}
    return None
