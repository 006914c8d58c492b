"""``emr-serverless``: a job run of an EMR Serverless application.

The run's token is the client token: a second start under it answers with the first one's run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interlock_runtime.aws.calls import ask
from interlock_runtime.core.errors import PermanentError
from interlock_runtime.core.job_documents import EmrServerlessConfig
from interlock_runtime.jobs.arguments import words
from interlock_runtime.jobs.contract import Call, Category, Failed, Outcome, Running, Started, Succeeded
from interlock_runtime.jobs.polling import ask_patiently

ADDRESS = ("application_id",)

_FAILURES = frozenset({"FAILED", "CANCELLED"})
_NAME_LENGTH = 256


def start(call: Call[EmrServerlessConfig]) -> Started:
    """Start the job run."""
    config = call.resolved()
    overrides = config.configuration_overrides
    answer = ask(
        call.services.client("emr-serverless"),
        "start_job_run",
        applicationId=config.application_id,
        clientToken=call.run.token,
        executionRoleArn=config.execution_role_arn,
        name=_name(config, call),
        jobDriver=_driver(config),
        **({} if overrides is None else {"configurationOverrides": overrides}),
    )
    return Started(metadata={"jobRunId": answer["jobRunId"]}, run_id=answer["jobRunId"])


def status(call: Call[EmrServerlessConfig], metadata: Mapping[str, Any]) -> Outcome:
    """The job run's state, by GetJobRun."""
    answer = ask_patiently(
        call.services,
        "emr-serverless",
        "get_job_run",
        applicationId=call.value("application_id"),
        jobRunId=metadata["jobRunId"],
    )
    state = answer["jobRun"]["state"]
    if state == "SUCCESS":
        return Succeeded()
    if state not in _FAILURES:
        return Running()
    message = call.message(f"the job run is {state}", answer["jobRun"].get("stateDetails"))
    return Failed(message, Category.TRANSIENT)


def _name(config: EmrServerlessConfig, call: Call[EmrServerlessConfig]) -> str:
    location = (config.job_name or "").rstrip("/")
    return (location.rpartition("/")[2] or call.run.pipeline_id)[-_NAME_LENGTH:]


def _driver(config: EmrServerlessConfig) -> Mapping[str, Any]:
    if config.job_driver is not None:
        return config.job_driver
    if not config.job_name:
        raise PermanentError("job.config has neither jobDriver nor jobName; expected one of them")
    return {"sparkSubmit": {"entryPoint": config.job_name, "entryPointArguments": words(config.arguments)}}
