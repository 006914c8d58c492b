"""Errors of AWS at a start: which are worth another try, and which never will be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from interlock_runtime.core.errors import PermanentError, TransientError
from interlock_runtime.jobs import registry
from tests.fakes.aws import simulated_aws
from tests.fakes.job_services import Disturbed, job_of, run_context, services

ROLE = "arn:aws:iam::123456789012:role/gold"
JOBS: dict[str, tuple[str, dict[str, Any]]] = {
    "glue": ("StartJobRun", {"jobName": "gold"}),
    "emr": ("AddJobFlowSteps", {"clusterId": "j-1", "stepName": "gold", "command": "x.jar"}),
    "emr-serverless": (
        "StartJobRun",
        {"applicationId": "00f1", "executionRoleArn": ROLE, "jobName": "s3://x.py"},
    ),
    "step-function": ("StartExecution", {"stateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:gold"}),
    "lambda": ("Invoke", {"functionName": "gold"}),
}

TRANSIENT = {
    "glue": [
        "ThrottlingException",
        "InternalServiceException",
        "OperationTimeoutException",
        "ResourceNumberLimitExceededException",
        "ConcurrentRunsExceededException",
    ],
    "emr": ["ThrottlingException", "InternalServerException", "InternalServerError"],
    "emr-serverless": [
        "ThrottlingException",
        "InternalServerException",
        "ConflictException",
        "ServiceQuotaExceededException",
    ],
    "step-function": [
        "ThrottlingException",
        "ExecutionLimitExceeded",
        "KmsThrottlingException",
        "KmsAccessDeniedException",
    ],
    "lambda": [
        "TooManyRequestsException",
        "ServiceException",
        "EC2ThrottledException",
        "EC2UnexpectedException",
        "EC2AccessDeniedException",
        "KMSAccessDeniedException",
        "ENILimitReachedException",
        "EFSMountTimeoutException",
        "ResourceConflictException",
        "ResourceNotReadyException",
        "SnapStartNotReadyException",
        "SubnetIPAddressLimitReachedException",
    ],
}
#: Trouble with the caller's own credentials, which Lambda renews.
FOR_ALL_TRANSIENT = ["ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException", "Unheard"]
#: A right that is not there may be under way: with the deployment that brought the pipeline, and in IAM.
FOR_ALL_TRANSIENT += ["AccessDeniedException", "AccessDenied", "UnauthorizedOperation"]

PERMANENT = {
    "glue": ["InvalidInputException", "EntityNotFoundException"],
    "emr": ["InvalidRequestException", "ValidationException"],
    "emr-serverless": ["ResourceNotFoundException", "ValidationException"],
    "step-function": [
        "StateMachineDoesNotExist",
        "StateMachineDeleting",
        "InvalidArn",
        "InvalidName",
        "InvalidExecutionInput",
        "ValidationException",
        "KmsInvalidStateException",
    ],
    "lambda": [
        "ResourceNotFoundException",
        "InvalidParameterValueException",
        "InvalidRequestContentException",
        "RequestTooLargeException",
        "UnsupportedMediaTypeException",
        "RecursiveInvocationException",
        "KMSDisabledException",
        "KMSNotFoundException",
        "InvalidRuntimeException",
    ],
}


@pytest.fixture(scope="module")
def client() -> Iterator[Disturbed]:
    with simulated_aws():
        yield Disturbed()


def cases(by_type: dict[str, list[str]], for_all: list[str]) -> list[Any]:
    return [
        pytest.param(kind, code, id=f"{kind}-{code}") for kind, codes in by_type.items() for code in codes + for_all
    ]


def start(kind: str, client: Disturbed, **config: Any) -> None:
    registry.start(job_of(kind, **(JOBS[kind][1] | config)), run_context(), services(client=client))


@pytest.mark.parametrize(("kind", "code"), cases(TRANSIENT, FOR_ALL_TRANSIENT))
def test_what_may_pass_is_worth_another_try(kind: str, code: str, client: Disturbed) -> None:
    client.refuse(JOBS[kind][0], code)
    with pytest.raises(TransientError, match=code):
        start(kind, client)


@pytest.mark.parametrize(("kind", "code"), cases(PERMANENT, []))
def test_what_can_never_succeed_is_not(kind: str, code: str, client: Disturbed) -> None:
    client.refuse(JOBS[kind][0], code)
    with pytest.raises(PermanentError, match=code):
        start(kind, client)


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://glue"),
        ConnectTimeoutError(endpoint_url="https://glue"),
        ReadTimeoutError(endpoint_url="https://glue"),
        NoCredentialsError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_network_failure_is_worth_another_try(error: Exception) -> None:
    def fail(**_: Any) -> None:
        raise error

    with simulated_aws():
        client = Disturbed()
        client("glue").meta.events.register("before-send", fail)
        client("glue").meta.events.register("before-call", fail)
        with pytest.raises(TransientError, match="glue: "):
            start("glue", client)


def test_a_parameter_that_the_sdk_refuses_is_not_worth_another_try(client: Disturbed) -> None:
    with pytest.raises(PermanentError, match=r"emr-serverless: .*Unknown parameter"):
        start("emr-serverless", client, jobName=None, jobDriver={"sparkSubmit": {"entryPoint": "x", "main": "y"}})


@pytest.mark.parametrize("kind", ["glue", "step-function", "emr-serverless", "lambda"])
def test_a_job_that_does_not_exist_is_refused_for_good_by_the_service_itself(kind: str, client: Disturbed) -> None:
    with pytest.raises(PermanentError):
        start(kind, client)


def test_an_unforeseen_error_is_worth_another_try_and_says_what_it_was(client: Disturbed) -> None:
    def broken(service: str, *, read_timeout: float = 5.0) -> Any:
        raise KeyError("a mistake of ours")

    with pytest.raises(TransientError, match="KeyError: 'a mistake of ours'"):
        registry.start(job_of("glue", jobName="gold"), run_context(), services(client=broken))
