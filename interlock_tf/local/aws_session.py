"""The AWS clients that functions get here: real ones of botocore, answered in this process.

A call is checked against the service's model as ever, and then answered by whoever runs the
function, instead of being signed and sent. So a wrong parameter fails here, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.session import Session, get_session


class ServiceError(Exception):
    """What a service answers instead of an answer; ``extra`` are members beside the error."""

    def __init__(self, code: str, message: str, *, extra: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.extra = dict(extra or {})


#: Answers a call: service, operation, parameters; or raises a ServiceError.
Answers = Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]]

#: Who answers now, the innermost last. Functions may call from threads of theirs, so it belongs to no thread.
_answering: list[Answers] = []


@contextmanager
def answered_by(answers: Answers) -> Iterator[None]:
    """Have every call within answered."""
    _answering.append(answers)
    try:
        yield
    finally:
        _answering.pop()


@dataclass(frozen=True)
class LocalSession:
    """Stands for a session of botocore; clients are made once per process, since that takes a while."""

    region: str

    def create_client(self, service_name: str, config: Any = None) -> Any:
        """A client of a service. ``config`` is about connections, of which there are none."""
        return botocore_client(service_name, self.region)


def answer_of(service: str, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer of whoever answers now.

    Raises:
        ServiceError: the service refuses.
    """
    return _answering[-1](service, operation, parameters)


@cache
def _session() -> Session:
    return get_session()


@cache
def botocore_client(service: str, region: str) -> Any:
    """A client of botocore whose calls are answered here."""
    client = _session().create_client(
        service,
        region_name=region,
        endpoint_url="https://local.invalid",
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - nothing is signed
    )
    events: Any = client.meta.events
    events.register("provide-client-params", _remember)
    events.register("before-call", _answer)
    return client


def _remember(params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
    context["interlock_parameters"] = params


def _answer(model: Any, context: Mapping[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
    parameters = context["interlock_parameters"]
    metadata = {"HTTPStatusCode": 200, "RequestId": "local", "RetryAttempts": 0}
    try:
        answer = answer_of(model.service_model.service_name, model.name, parameters)
    except ServiceError as error:
        told = {"Error": {"Code": error.code, "Message": error.message}, **error.extra}
        return _response(400), {**told, "ResponseMetadata": {**metadata, "HTTPStatusCode": 400}}
    return _response(200), {**answer, "ResponseMetadata": metadata}


def _response(status: int) -> AWSResponse:
    no_body: Any = None
    return AWSResponse("https://local.invalid", status, {}, no_body)
