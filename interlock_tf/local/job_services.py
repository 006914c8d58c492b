"""The services that jobs run in, as far as the orchestrator asks them, and the network behind HTTP jobs."""

from __future__ import annotations

import io
import json
import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlsplit

from interlock_tf.local.aws_session import ServiceError
from interlock_tf.local.disturbances import UnansweredError
from interlock_tf.local.functions import Functions
from interlock_tf.local.jobs import Job, Jobs, Outcome

_GLUE_TOKEN = "--interlock_run"  # noqa: S105 - an argument's name
#: An address that jobs may be sent to; nothing ever is.
_PUBLIC = "1.1.1.1"
_SECRET = re.compile(r"\$\{secret:([^}#]+)(?:#([^}]*))?\}")

#: Jobs that go on after their start, and the categories that their services can tell besides TRANSIENT.
_TOLD_BY: Mapping[str, frozenset[str]] = {
    "airflow": frozenset(),
    "databricks": frozenset({"PERMANENT"}),
    "emr": frozenset(),
    "emr-serverless": frozenset(),
    "glue": frozenset({"TIMEOUT"}),
    "step-function": frozenset({"TIMEOUT"}),
}
#: A function that was invoked asynchronously: nobody can be asked about it.
_ASYNCHRONOUS = "lambda-event"

Call = Mapping[str, Any]


def report(job: Job) -> Mapping[str, str] | None:
    """What the job log must say of a job that has ended, because its service cannot; None when it can."""
    outcome = job.outcome
    if outcome is None or not (job.service == _ASYNCHRONOUS or _is_beyond(job.service, outcome)):
        return None
    if not outcome.failed:
        return {"event": "success"}
    return {"event": "fail", "error": "the simulation says so", "category": outcome.category}


def _is_beyond(service: str, outcome: Outcome) -> bool:
    telling = _TOLD_BY.get(service)
    return telling is not None and outcome.failed and outcome.category not in {"TRANSIENT", *telling}


@dataclass(frozen=True)
class JobServices:
    """Answers the calls of all job types. ``documents`` gives the texts of all documents that may name secrets."""

    jobs: Jobs
    documents: Callable[[], Iterator[str]]
    functions: Functions

    def answer(self, service: str, operation: str, call: Call) -> Mapping[str, Any]:
        """Answer a call of an AWS service.

        Raises:
            ServiceError: it is not known here, or there is no such run.
        """
        found = _CALLS.get((service, operation))
        if found is None:
            raise ServiceError("UnknownOperationException", f"{operation} of {service} cannot be done here")
        return found(self, call)

    def surround(self, services: Any) -> Any:
        """The services of the orchestrator, with the network and the programs of the simulation."""
        errors = import_module(f"{type(services).__module__.partition('.')[0]}.core.errors")
        agenda = self.jobs.agenda
        timing = replace(
            services.timing,
            monotonic=lambda: agenda.now().timestamp(),
            sleep=self.functions.take_time,
            random=lambda: 0.5,
        )
        network = JobNetwork(self.jobs, self.functions, guarded(services.network), errors.TransientError)
        return replace(services, network=network, program=self._program, timing=timing)

    def job(self, run_id: str) -> Job:
        """The job of a run's id.

        Raises:
            ServiceError: there is none.
        """
        job = self.jobs.find(lambda job: job.id == run_id)
        if job is None:
            raise ServiceError("EntityNotFoundException", f"there is no run {run_id}")
        return job

    def secret(self, name: str) -> str:
        """A secret that holds a made-up value under every key that a pipeline asks for."""
        asked = [match.groups() for text in self.documents() for match in _SECRET.finditer(text)]
        keys = [key for asked_name, key in asked if asked_name == name]
        if not keys:
            raise ServiceError("ResourceNotFoundException", "no pipeline names this secret")
        named = {key: f"simulated-{key}" for key in keys if key}
        return json.dumps(named) if named else f"simulated-{name}"

    def _program(
        self, words: Sequence[str], _environment: Mapping[str, str], _seconds: float
    ) -> tuple[int | None, str]:
        outcome = self.jobs.run("command", name=words[0])
        if not outcome.failed:
            return 0, ""
        return (None, "") if outcome.category == "TIMEOUT" else (1, "the simulation says so")


def _state(outcome: Outcome | None, running: str, success: str, failed: str, timeout: str | None = None) -> str:
    if outcome is None:
        return running
    if not outcome.failed:
        return success
    return timeout if timeout and outcome.category == "TIMEOUT" else failed


def _glue_start(services: JobServices, call: Call) -> Mapping[str, Any]:
    arguments = call.get("Arguments", {})
    # Glue knows no idempotency: with the same token once more, a second run starts.
    job = services.jobs.start("glue", name=call["JobName"], given=arguments)
    job.token = arguments.get(_GLUE_TOKEN, "")
    return {"JobRunId": job.id}


def _glue_run(job: Job) -> dict[str, Any]:
    state = _state(job.outcome, "RUNNING", "SUCCEEDED", "FAILED", "TIMEOUT")
    told = {"ErrorMessage": "the simulation says so"} if job.outcome and job.outcome.failed else {}
    return {"Id": job.id, "JobName": job.name, "JobRunState": state, "Arguments": job.given, **told}


def _glue_get(services: JobServices, call: Call) -> Mapping[str, Any]:
    return {"JobRun": _glue_run(services.job(call["RunId"]))}


def _glue_list(services: JobServices, call: Call) -> Mapping[str, Any]:
    found = [job for job in services.jobs.all if job.service == "glue" and job.name == call["JobName"]]
    return {"JobRuns": [_glue_run(job) for job in reversed(found)]}


def _emr_add(services: JobServices, call: Call) -> Mapping[str, Any]:
    (step,) = call["Steps"]
    job = services.jobs.start("emr", name=step["Name"], given=step)
    job.token = step["Name"]
    return {"StepIds": [job.id]}


def _emr_describe(services: JobServices, call: Call) -> Mapping[str, Any]:
    state = _state(services.job(call["StepId"]).outcome, "RUNNING", "COMPLETED", "FAILED")
    return {"Step": {"Id": call["StepId"], "Status": {"State": state}}}


def _emr_list(services: JobServices, call: Call) -> Mapping[str, Any]:
    return {"Steps": [{"Id": job.id, "Name": job.name} for job in services.jobs.all if job.service == "emr"]}


def _serverless_start(services: JobServices, call: Call) -> Mapping[str, Any]:
    job = services.jobs.start("emr-serverless", name=call.get("name", ""), token=call["clientToken"], given=call)
    return {"jobRunId": job.id, "applicationId": call["applicationId"], "arn": job.id}


def _serverless_get(services: JobServices, call: Call) -> Mapping[str, Any]:
    state = _state(services.job(call["jobRunId"]).outcome, "RUNNING", "SUCCESS", "FAILED")
    return {"jobRun": {"jobRunId": call["jobRunId"], "state": state, "stateDetails": ""}}


def _machine_start(services: JobServices, call: Call) -> Mapping[str, Any]:
    # A version or alias at the end of the machine's ARN is not part of the execution's.
    machine = ":".join(call["stateMachineArn"].split(":")[:7])
    arn = f"{machine.replace(':stateMachine:', ':execution:', 1)}:{call['name']}"
    job = services.jobs.start("step-function", name=arn, token=call["name"], given=call.get("input"))
    return {"executionArn": arn, "startDate": job.started}


def _machine_describe(services: JobServices, call: Call) -> Mapping[str, Any]:
    job = services.jobs.find(lambda job: job.service == "step-function" and job.name == call["executionArn"])
    if job is None:
        raise ServiceError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{call['executionArn']}'")
    state = _state(job.outcome, "RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT")
    return {"executionArn": job.name, "stateMachineArn": "", "status": state, "startDate": job.started}


def _invoke(services: JobServices, call: Call) -> Mapping[str, Any]:
    if call.get("InvocationType") == "Event":
        services.jobs.start(_ASYNCHRONOUS, name=call["FunctionName"])
        return {"StatusCode": 202, "Payload": io.BytesIO()}
    outcome = services.jobs.run("lambda", name=call["FunctionName"])
    if not outcome.failed:
        return {"StatusCode": 200, "Payload": io.BytesIO(b"null")}
    told = json.dumps({"errorType": "Simulated", "errorMessage": "the simulation says so"}).encode()
    return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": io.BytesIO(told)}


_CALLS: Mapping[tuple[str, str], Callable[[JobServices, Call], Mapping[str, Any]]] = {
    ("glue", "StartJobRun"): _glue_start,
    ("glue", "GetJobRun"): _glue_get,
    ("glue", "GetJobRuns"): _glue_list,
    ("emr", "AddJobFlowSteps"): _emr_add,
    ("emr", "DescribeStep"): _emr_describe,
    ("emr", "ListSteps"): _emr_list,
    ("emr-serverless", "StartJobRun"): _serverless_start,
    ("emr-serverless", "GetJobRun"): _serverless_get,
    ("stepfunctions", "StartExecution"): _machine_start,
    ("stepfunctions", "DescribeExecution"): _machine_describe,
    ("lambda", "Invoke"): _invoke,
    ("logs", "FilterLogEvents"): lambda services, call: {"events": []},
    ("secretsmanager", "GetSecretValue"): lambda services, call: {"SecretString": services.secret(call["SecretId"])},
}


@dataclass(frozen=True)
class _Answer:
    status: int
    content: Any = None

    def body(self) -> bytes:
        return b"" if self.content is None else json.dumps(self.content).encode()


class CheckedError(Exception):
    """Not an error of anybody: a request has passed all checks, and would now be sent."""


def guarded(network: Any) -> Any:
    """The function's own network, with its checks, up to where it would dial."""

    def dial(_address: str, _port: int, _timeout: float) -> Any:
        raise CheckedError

    return replace(network, resolve=_addresses, dial=dial)


def _addresses(host: str, port: int) -> tuple[str, ...]:
    """An address in any notation stands for itself, ``localhost`` for the loopback; other names for a public host."""
    if host == "localhost" or host.endswith(".localhost"):
        return ("127.0.0.1",)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except OSError:
        return (_PUBLIC,)
    return tuple(str(each[4][0]) for each in found)


@dataclass(frozen=True)
class JobNetwork:
    """Stands for the network of the jobs: whatever host is asked, it is the service of the pipeline's job type.

    ``guard`` is the function's own network as of :func:`guarded`: what it refuses in AWS, it
    refuses here. ``unanswered`` is the function's own exception for that there was no answer.
    """

    jobs: Jobs
    functions: Functions
    guard: Any
    unanswered: type[Exception]

    @contextmanager
    def exchange(self, request: Any, *, timeout: float) -> Iterator[_Answer]:
        """Answer a request that the guard lets through."""
        with suppress(CheckedError), self.guard.exchange(request, timeout=timeout):
            raise AssertionError("nothing is dialled here")
        kind = str(self.jobs.pipeline(self.jobs.running()["pipelineId"]).job.type)
        invocation = self.functions.running[-1]
        try:
            answer = self.functions.disturbances.request(invocation, lambda: _NETWORK[kind](self.jobs, request))
        except UnansweredError as error:
            raise self.unanswered(f"{request.method} {request.url}: no answer: {error}") from None
        yield answer


def _http(jobs: Jobs, request: Any) -> _Answer:
    token = request.headers.get("Idempotency-Key")
    outcome = jobs.run("http", name=request.url, token=token)
    if not outcome.failed:
        return _Answer(200)
    return _Answer(400 if outcome.category == "PERMANENT" else 503, {"error": "the simulation says so"})


def _airflow(jobs: Jobs, request: Any) -> _Answer:
    if request.method == "POST":
        given = json.loads(request.body)
        if jobs.find(lambda job: job.service == "airflow" and job.token == given["dag_run_id"]):
            return _Answer(409, {"detail": "a DAG run of this id exists"})
        jobs.start("airflow", name=request.url, token=given["dag_run_id"], given=given)
        return _Answer(200, {"dag_run_id": given["dag_run_id"], "state": "queued"})
    token = request.url.rpartition("/")[2]
    job = jobs.find(lambda job: job.service == "airflow" and job.token == token)
    return _Answer(404) if job is None else _Answer(200, {"state": _state(job.outcome, "running", "success", "failed")})


def _databricks(jobs: Jobs, request: Any) -> _Answer:
    if request.method == "POST":
        given = json.loads(request.body)
        job = jobs.start("databricks", name=request.url, token=given["idempotency_token"], given=given)
        return _Answer(200, {"run_id": job.number})
    number = int(parse_qs(urlsplit(request.url).query)["run_id"][0])
    found = jobs.find(lambda job: job.number == number)
    if found is None:
        return _Answer(404)
    if found.outcome is None:
        return _Answer(200, {"state": {"life_cycle_state": "RUNNING"}})
    if found.outcome.category == "PERMANENT" and found.outcome.failed:
        return _Answer(200, {"state": {"life_cycle_state": "SKIPPED"}})
    result = _state(found.outcome, "", "SUCCESS", "FAILED", "TIMEDOUT")
    return _Answer(200, {"state": {"life_cycle_state": "TERMINATED", "result_state": result}})


_NETWORK: Mapping[str, Callable[[Jobs, Any], _Answer]] = {
    "http": _http,
    "airflow": _airflow,
    "databricks": _databricks,
}
