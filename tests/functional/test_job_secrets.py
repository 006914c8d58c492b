"""Secrets: read from Secrets Manager, remembered for five minutes, and left behind nowhere."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from interlock_runtime.aws.clients import Clients
from interlock_runtime.aws.secrets import Secrets
from interlock_runtime.core.errors import InterlockError, PermanentError, TransientError
from interlock_runtime.jobs import registry
from interlock_runtime.jobs.services import aws_services
from tests.fakes.aws import simulated_aws
from tests.fakes.hostile import raw_server, saying
from tests.fakes.job_services import Disturbed, VirtualTime, job_of, run_context, services
from tests.fakes.web_server import Received, Reply, WebServer

VALUE = 's3cr3t "quoted" \\ + ä/%'


@pytest.fixture
def client() -> Iterator[Disturbed]:
    with simulated_aws():
        found = Disturbed()
        manager = found("secretsmanager")
        manager.create_secret(Name="gold/plain", SecretString=VALUE)
        manager.create_secret(Name="gold/json", SecretString=json.dumps({"token": VALUE, "port": 5432, "none": None}))
        manager.create_secret(Name="gold/list", SecretString="[1]")
        manager.create_secret(Name="gold/bytes", SecretBinary=b"\x00\x01")
        found.calls.clear()
        yield found


@pytest.fixture
def clock() -> VirtualTime:
    return VirtualTime()


@pytest.fixture
def secrets(client: Disturbed, clock: VirtualTime) -> Secrets:
    return Secrets(lambda: client("secretsmanager"), monotonic=clock.monotonic)


def test_a_secret_is_found_by_name_and_by_arn(secrets: Secrets, client: Disturbed) -> None:
    arn = client("secretsmanager").describe_secret(SecretId="gold/plain")["ARN"]
    assert secrets.get("gold/plain") == VALUE
    assert secrets.get(arn) == VALUE


def test_a_key_of_a_json_secret_is_its_value_as_text(secrets: Secrets) -> None:
    assert secrets.get("gold/json", "token") == VALUE
    assert secrets.get("gold/json", "port") == "5432"


def test_a_secret_is_read_once_in_five_minutes(secrets: Secrets, client: Disturbed, clock: VirtualTime) -> None:
    for key in ("token", "port"):
        secrets.get("gold/json", key)
    clock.sleep(299)
    secrets.get("gold/json", "token")
    assert client.operations() == ["GetSecretValue"]
    client("secretsmanager").put_secret_value(SecretId="gold/json", SecretString='{"token": "rotated"}')
    clock.sleep(1)
    assert secrets.get("gold/json", "token") == "rotated"


def test_a_secret_can_be_forgotten(secrets: Secrets, client: Disturbed) -> None:
    secrets.get("gold/plain")
    secrets.forget()
    secrets.get("gold/plain")
    assert client.operations() == ["GetSecretValue"] * 2


@pytest.mark.parametrize(
    ("name", "key", "told"),
    [
        ("gold/none", None, "ResourceNotFoundException"),
        ("gold/bytes", None, "binary"),
        ("gold/plain", "token", "not a JSON object"),
        ("gold/list", "token", "not a JSON object"),
        ("gold/json", "user", "no value under the key 'user'"),
        ("gold/json", "none", "no value under the key 'none'"),
    ],
)
def test_a_secret_that_is_not_there_is_told_without_its_value(
    secrets: Secrets, name: str, key: str | None, told: str
) -> None:
    with pytest.raises(PermanentError, match=told) as failed:
        secrets.get(name, key)
    assert failed.value.__cause__ is None or "s3cr3t" not in str(failed.value.__cause__)
    assert "s3cr3t" not in "".join(traceback.format_exception(failed.value))


def test_a_store_that_is_busy_may_be_asked_again(secrets: Secrets, client: Disturbed) -> None:
    client.refuse("GetSecretValue", "ThrottlingException")
    with pytest.raises(TransientError):
        secrets.get("gold/plain")
    assert secrets.get("gold/plain") == VALUE


def test_an_error_names_the_template_and_its_place(client: Disturbed) -> None:
    world = aws_services(Clients(), environment={})
    job = job_of("http", url="https://jobs.example/", headers={"Authorization": "Bearer ${secret:gold/json#user}"})
    with pytest.raises(PermanentError) as failed:
        registry.start(job, run_context(), world)
    assert str(failed.value) == (
        "job.config.headers.Authorization: ${secret:gold/json#user}: the secret has no value under the key 'user'"
    )


def everything(error: BaseException) -> str:
    """What a logger could print about an error."""
    return "".join(traceback.format_exception(error)) + repr(error) + repr(error.__dict__)


ECHOES = {
    "as-it-is": lambda value: value.encode(),
    "json": lambda value: json.dumps({"got": value}).encode(),
    "url": lambda value: quote(value).encode(),
    "latin-1": lambda value: value.encode("latin-1"),
    "python": lambda value: repr({"got": value}).encode(),
    "cut": lambda value: b"x" * 500 + value.encode(),
    "hidden": lambda value: value.encode().replace(b" ", b"\x00 "),
}


@pytest.mark.parametrize("echo", ECHOES)
def test_a_service_that_echoes_a_secret_does_not_spread_it(echo: str) -> None:
    def answer(received: Received) -> Reply:
        return Reply(401, ECHOES[echo](VALUE))

    job = {"headers": {"X-Key": "${secret:gold/api#token}"}, "body": {"key": "${secret:gold/api#token}"}}
    world = services(secrets={"gold/api#token": VALUE})
    with WebServer(answer) as server:
        ended = registry.start(job_of("http", url=server.url, **job), run_context(), world).ended
        with pytest.raises(PermanentError) as failed:
            registry.start(job_of("airflow", url=server.url, dagId="gold", **job), run_context(), world)
    for text in (repr(ended), everything(failed.value)):
        assert "***" in text
        assert "s3cr3t" not in text


def test_an_endless_status_line_does_not_spread_a_secret() -> None:
    world = services(secrets={"gold/api#token": VALUE})
    with raw_server(saying(b"HTTP/1.1 " + VALUE.encode() + b"\r\n\r\n")) as port:
        job = job_of("http", url=f"http://127.0.0.1:{port}/", headers={"X-Key": "${secret:gold/api#token}"})
        with pytest.raises(TransientError) as failed:
            registry.start(job, run_context(), world)
    assert "s3cr3t" not in everything(failed.value)


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("http", {"url": "http://127.0.0.1:1/", "headers": {"X": "${secret:bad}"}}),
        ("http", {"url": "http://${secret:bad}/"}),
        ("http", {"url": "${secret:bad}"}),
        ("airflow", {"url": "http://127.0.0.1:1/", "dagId": "${secret:bad}", "headers": {"X": "${secret:bad}"}}),
        ("databricks", {"workspaceUrl": "http://127.0.0.1:1/", "jobId": "${secret:bad}"}),
        ("glue", {"jobName": "${secret:bad}"}),
        ("emr", {"clusterId": "${secret:bad}", "stepName": "x", "command": "x"}),
        ("emr-serverless", {"applicationId": "${secret:bad}", "executionRoleArn": "x", "jobName": "x"}),
        ("step-function", {"stateMachineArn": "${secret:bad}"}),
        ("lambda", {"functionName": "${secret:bad}"}),
        ("command", {"command": "${secret:bad}"}),
        ("command", {"command": "sh -c 'echo \"$0\"; exit 3' ${secret:bad}"}),
    ],
)
def test_a_value_that_cannot_be_used_is_not_told(kind: str, config: dict[str, Any], client: Disturbed) -> None:
    value = "s3cr3t\nvalue ä \x7f"
    world = services(client=client, secrets={"bad": value}, environment={"PATH": "/usr/bin:/bin"})
    try:
        told = repr(registry.start(job_of(kind, **config), run_context(), world))
    except InterlockError as error:
        told = everything(error)
    assert "s3cr3t" not in told
