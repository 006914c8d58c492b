"""A job service for each type of job: real HTTP servers, and moto, extended where it stops.

A peer owns a job of the pipeline ``gold``, counts how many jobs its service has seen, and turns
the latest one to a state.
"""

from __future__ import annotations

import io
import json
import zipfile
from abc import ABC, abstractmethod
from contextlib import ExitStack
from types import TracebackType
from typing import Any, ClassVar, Self

import pytest
from moto.awslambda.models import LambdaFunction
from moto.core.base_backend import BackendDict
from moto.emr import emr_backends
from moto.emrserverless import emrserverless_backends
from moto.emrserverless.models import EMRServerlessBackend, JobRun
from moto.glue import glue_backends
from moto.moto_api import state_manager
from moto.stepfunctions import stepfunctions_backends

from interlock_runtime.core.job_documents import Job
from tests.fakes.airflow import Airflow
from tests.fakes.aws import REGION
from tests.fakes.databricks import Databricks
from tests.fakes.job_services import Disturbed, job_of
from tests.fakes.web_server import WebServer

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/gold"
ACCESS_TOKEN = "tok-5up3r-s3cr3t"

EMPTY_MACHINE = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})


class Peer(ABC):
    """What a test of a job type needs from the service behind it."""

    #: The secrets that the job's configuration names.
    secrets: ClassVar[dict[str, str]] = {"gold/api#token": ACCESS_TOKEN}
    #: The peer's name in :data:`PEERS`.
    name: str
    document: dict[str, Any]
    job: Job

    def __init__(self, client: Disturbed) -> None:
        self.client = client
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self.document = self.set_up()
        self.job = job_of(self.document["type"], **self.document["config"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @abstractmethod
    def set_up(self) -> dict[str, Any]:
        """Make the service ready; the ``job`` section of a document for it."""

    @abstractmethod
    def jobs(self) -> int:
        """How many jobs the service has been given."""

    def turn(self, state: str) -> None:
        """Turn the latest job to a state of the service."""
        raise NotImplementedError

    def lose_next_answer(self) -> None:
        """Let the next start happen, but not its answer arrive."""
        raise NotImplementedError


def section(kind: str, **config: Any) -> dict[str, Any]:
    """The ``job`` section of a document."""
    return {"type": kind, "config": config}


def backend(backends: BackendDict[Any]) -> Any:
    """Moto's side of a service."""
    return backends[ACCOUNT][REGION]


class GluePeer(Peer):
    """A Glue job, with LogGroupName and ErrorMessage in its runs, which moto leaves out."""

    def set_up(self) -> dict[str, Any]:
        state_manager.set_transition("glue::job_run", {"progression": "manual", "times": 1_000_000})
        self._stack.callback(state_manager.unset_transition, "glue::job_run")
        self.client("glue").create_job(
            Name="gold-etl",
            Role=ROLE,
            Command={"Name": "glueetl"},
            ExecutionProperty={"MaxConcurrentRuns": 1000},
        )
        return section("glue", jobName="gold-etl", arguments={"--level": 3, "--full": True, "--day": "${DATE}"})

    def runs(self) -> list[Any]:
        return list(backend(glue_backends).jobs["gold-etl"].job_runs)

    def jobs(self) -> int:
        return len(self.runs())

    def turn(self, state: str) -> None:
        found = self.runs()[-1]
        described = found.as_dict() | {
            "JobRunState": state,
            "LogGroupName": "/aws-glue/jobs",
            "ErrorMessage": f"{state} because of the test",
        }
        found.as_dict = lambda: described

    def lose_next_answer(self) -> None:
        self.client.lose("StartJobRun")


class EmrPeer(Peer):
    """A step on a cluster."""

    def set_up(self) -> dict[str, Any]:
        instances = {"MasterInstanceType": "m5.xlarge", "InstanceCount": 1, "KeepJobFlowAliveWhenNoSteps": True}
        self.cluster_id = self.client("emr").run_job_flow(Name="gold", Instances=instances)["JobFlowId"]
        return section(
            "emr",
            clusterId=self.cluster_id,
            stepName="gold",
            command="s3://jars/gold.jar",
            arguments={"day": "${DATE}", "level": 3},
        )

    def steps(self) -> list[Any]:
        return list(backend(emr_backends).clusters[self.cluster_id].steps)

    def jobs(self) -> int:
        return len(self.steps())

    def turn(self, state: str) -> None:
        step = self.steps()[-1]
        step.state = state
        step.last_state_change_reason = f"{state} because of the test"

    def lose_next_answer(self) -> None:
        self.client.lose("AddJobFlowSteps")


class EmrServerlessPeer(Peer):
    """A job run of an application that honours client tokens, which moto does not."""

    def set_up(self) -> dict[str, Any]:
        created = self.client("emr-serverless").create_application(
            releaseLabel="emr-7.0.0", type="SPARK", clientToken="setup"
        )
        self.application_id = created["applicationId"]
        found = backend(emrserverless_backends)
        found.start_job_run = _idempotent(found)
        self._stack.callback(delattr, found, "start_job_run")
        return section(
            "emr-serverless",
            applicationId=self.application_id,
            executionRoleArn=ROLE,
            jobName="s3://scripts/gold.py",
            arguments=["--day", "${DATE}"],
        )

    def runs(self) -> list[JobRun]:
        return list(backend(emrserverless_backends).job_runs.get(self.application_id, []))

    def jobs(self) -> int:
        return len(self.runs())

    def turn(self, state: str) -> None:
        found = self.runs()[-1]
        found.state = state
        found.state_details = f"{state} because of the test"

    def lose_next_answer(self) -> None:
        self.client.lose("StartJobRun")


def _idempotent(found: EMRServerlessBackend) -> Any:
    start = found.start_job_run
    known: dict[tuple[str, str], JobRun] = {}

    def start_once(*, application_id: str, client_token: str, **rest: Any) -> JobRun:
        key = (application_id, client_token)
        if key not in known:
            known[key] = start(application_id=application_id, client_token=client_token, **rest)
        return known[key]

    return start_once


class StepFunctionPeer(Peer):
    """Another state machine."""

    def set_up(self) -> dict[str, Any]:
        machine = self.client("stepfunctions").create_state_machine(name="gold", definition=EMPTY_MACHINE, roleArn=ROLE)
        self.machine_arn = machine["stateMachineArn"]
        return section("step-function", stateMachineArn=self.machine_arn, input={"day": "${DATE}"})

    def executions(self) -> list[Any]:
        return list(backend(stepfunctions_backends).state_machines[0].executions)

    def jobs(self) -> int:
        return len(self.executions())

    def turn(self, state: str) -> None:
        found = self.executions()[-1]
        found.status = state
        found.error, found.cause = "States.Test", f"{state} because of the test"

    def lose_next_answer(self) -> None:
        self.client.lose("StartExecution")


class LambdaPeer(Peer):
    """A function whose answers a test gives: ``answer`` is (JSON, whether it is an error)."""

    invocation_type = "RequestResponse"

    def set_up(self) -> dict[str, Any]:
        self.events: list[Any] = []
        self.answer: tuple[str, bool] = ("{}", False)
        self.client("iam").create_role(RoleName="gold", AssumeRolePolicyDocument="{}")
        self.client("lambda").create_function(
            FunctionName="gold",
            Runtime="python3.13",
            Role=ROLE,
            Handler="gold.handler",
            Code={"ZipFile": _zip()},
        )
        whole = LambdaFunction._invoke_lambda
        LambdaFunction._invoke_lambda = self._invoked
        self._stack.callback(setattr, LambdaFunction, "_invoke_lambda", whole)
        return section("lambda", functionName="gold", payload={"day": "${DATE}"}, invocationType=self.invocation_type)

    def _invoked(self, event: Any = None) -> tuple[str, bool, str]:
        self.events.append(event)
        answer, failed = self.answer
        return answer, failed, ""

    def jobs(self) -> int:
        return len(self.events)

    def turn(self, state: str) -> None:
        if state == "FAILED":
            self.answer = (json.dumps({"errorType": "ValueError", "errorMessage": "because of the test"}), True)


class LambdaEventPeer(LambdaPeer):
    """A function that is invoked asynchronously."""

    invocation_type = "Event"


def _zip() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("gold.py", "def handler(event, context): return {}")
    return content.getvalue()


class AirflowPeer(Peer):
    """Airflow 2."""

    version = "v1"

    def set_up(self) -> dict[str, Any]:
        self.server = self._stack.enter_context(Airflow(self.version, dag_id="gold", token=ACCESS_TOKEN))
        return section(
            "airflow",
            url=self.server.url,
            dagId="gold",
            apiVersion=self.version,
            headers={"Authorization": "Bearer ${secret:gold/api#token}"},
            body={"day": "${DATE}"},
        )

    def jobs(self) -> int:
        return len(self.server.runs)

    def turn(self, state: str) -> None:
        run = list(self.server.runs.values())[-1]
        run["state"] = state

    def lose_next_answer(self) -> None:
        self.server.lose_next = 1


class Airflow3Peer(AirflowPeer):
    """Airflow 3."""

    version = "v2"


class DatabricksPeer(Peer):
    """An existing job of a Databricks workspace. A state is ``LIFE_CYCLE`` or ``LIFE_CYCLE/RESULT``."""

    def set_up(self) -> dict[str, Any]:
        self.server = self._stack.enter_context(Databricks(job_id=42, token=ACCESS_TOKEN))
        return section(
            "databricks",
            workspaceUrl=self.server.url,
            headers={"Authorization": "Bearer ${secret:gold/api#token}"},
            **self.what(),
        )

    def what(self) -> dict[str, Any]:
        """The part of the configuration that says what is run."""
        return {"jobId": "42", "arguments": {"day": "${DATE}", "level": 3}}

    def jobs(self) -> int:
        return len(self.server.starts)

    def turn(self, state: str) -> None:
        life_cycle, _, result = state.partition("/")
        run = list(self.server.runs.values())[-1]
        run["state"] = {"life_cycle_state": life_cycle, "state_message": f"{state} because of the test"}
        if result:
            run["state"]["result_state"] = result

    def lose_next_answer(self) -> None:
        self.server.lose_next = 1


class DatabricksSubmitPeer(DatabricksPeer):
    """A one-time run in a Databricks workspace."""

    def what(self) -> dict[str, Any]:
        task = {"task_key": "gold", "notebook_task": {"notebook_path": "/gold/${DATE}"}}
        return {"body": {"run_name": "gold", "tasks": [task]}}


class HttpPeer(Peer):
    """A service that honours ``Idempotency-Key``. A state is the status of its next answers."""

    def set_up(self) -> dict[str, Any]:
        self.server = self._stack.enter_context(WebServer())
        return section(
            "http",
            url=f"{self.server.url}/gold?day=${{DATE}}",
            headers={"Authorization": "Bearer ${secret:gold/api#token}"},
            body={"day": "${DATE}"},
        )

    def jobs(self) -> int:
        return len({received.headers["idempotency-key"] for received in self.server.received})

    def turn(self, state: str) -> None:
        self.server.refuse_next = [int(state)]

    def lose_next_answer(self) -> None:
        self.server.lose_next = 1


PEERS: dict[str, type[Peer]] = {
    "glue": GluePeer,
    "emr": EmrPeer,
    "emr-serverless": EmrServerlessPeer,
    "step-function": StepFunctionPeer,
    "lambda": LambdaPeer,
    "lambda-event": LambdaEventPeer,
    "airflow": AirflowPeer,
    "airflow-3": Airflow3Peer,
    "databricks": DatabricksPeer,
    "databricks-submit": DatabricksSubmitPeer,
    "http": HttpPeer,
}


def of(*kinds: str) -> Any:
    """Run a test, through its fixture ``peer``, for each of these job services."""
    return pytest.mark.parametrize("peer", kinds, indirect=True)
