from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from interlock_tf.local.embedded import EmbeddedAws


@pytest.fixture
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws(region="eu-central-1") as embedded:
        yield embedded


def test_it_starts_empty_each_time() -> None:
    for _ in range(2):
        with EmbeddedAws() as aws:
            assert aws.client("sqs").list_queues().get("QueueUrls", []) == []
            aws.client("sqs").create_queue(QueueName="left-over")


def test_it_is_gone_afterwards() -> None:
    with EmbeddedAws() as aws:
        port = int(aws.endpoint.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_its_environment_hides_accounts_of_the_user(aws: EmbeddedAws) -> None:
    assert aws.environment["AWS_ENDPOINT_URL"] == aws.endpoint
    assert aws.environment["AWS_CONFIG_FILE"] == aws.environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert aws.environment["AWS_REGION"] == "eu-central-1"


def test_what_it_cannot_do_is_told_and_not_retried(aws: EmbeddedAws) -> None:
    # moto needs a statement's id here, and raises a KeyError.
    with pytest.raises(ClientError, match=r"the embedded AWS cannot do AWSEvents\.PutPermission: KeyError") as caught:
        aws.client("events").put_permission(Policy='{"Statement": [{"Principal": "*"}]}')
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_a_state_machine_can_be_made_as_the_provider_makes_it(aws: EmbeddedAws) -> None:
    client = aws.client("stepfunctions")
    definition = '{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}'
    assert client.validate_state_machine_definition(definition=definition)["result"] == "OK"
    role = "arn:aws:iam::123456789012:role/machine"
    arn = client.create_state_machine(name="machine", definition=definition, roleArn=role)["stateMachineArn"]
    assert client.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"] == []
