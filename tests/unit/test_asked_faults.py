"""What boto3 cannot do is told with what to do about it."""

from __future__ import annotations

import botocore.exceptions
import pytest
from botocore.exceptions import ClientError

from interlock_runtime.core.errors import ConfigError, InterlockError, PermanentError, TransientError
from interlock_tf.installation.faults import explained


def told(error: Exception) -> InterlockError | None:
    return explained(
        error,
        operation="dynamodb:Query",
        table="dev-interlock-control",
        place="eu-west-1",
        looked_for="the installation with --env dev and no --name-suffix",
    )


def answer(code: str, message: str = "No.") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Query")


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (
            answer("ResourceNotFoundException"),
            ConfigError,
            "there is no table dev-interlock-control in eu-west-1: looked for the installation with --env dev and no "
            "--name-suffix. Is that its name, and is this the region and account that it is in?",
        ),
        (
            answer("AccessDeniedException", "User: joe is not authorized"),
            PermanentError,
            "dynamodb:Query on dev-interlock-control is not allowed, and is needed here. AWS says: User: joe is not "
            "authorized",
        ),
        (answer("ExpiredTokenException"), ConfigError, "--profile: AWS does not accept the credentials: No."),
        (answer("UnrecognizedClientException"), ConfigError, "--profile: AWS does not accept the credentials: No."),
        (answer("ThrottlingException"), TransientError, "did not succeed; try again"),
        (answer("ValidationException"), PermanentError, "was refused: ValidationException: No."),
        (botocore.exceptions.NoCredentialsError(), ConfigError, "--profile: AWS credentials were not found"),
        (botocore.exceptions.ProfileNotFound(profile="x"), ConfigError, "--profile: there is no such profile"),
        (botocore.exceptions.NoRegionError(), ConfigError, "--region: the region is not known"),
        (
            botocore.exceptions.EndpointConnectionError(endpoint_url="http://there"),
            TransientError,
            "eu-west-1 cannot be reached: Could not connect",
        ),
        (
            botocore.exceptions.ReadTimeoutError(endpoint_url="http://there"),
            TransientError,
            "eu-west-1 cannot be reached: Read timeout",
        ),
        (ValueError("Invalid endpoint: x"), ConfigError, "--endpoint-url: is no URL (Invalid endpoint: x)"),
        (botocore.exceptions.DataNotFoundError(data_path="x"), PermanentError, "dynamodb:Query on"),
    ],
)
def test_every_failure_has_its_words(error: Exception, kind: type[InterlockError], words: str) -> None:
    found = told(error)
    assert type(found) is kind
    assert words in str(found)


def test_a_fault_of_ours_is_not_explained_away() -> None:
    assert told(KeyError("x")) is None


def test_every_name_is_one_of_botocore() -> None:
    from interlock_tf.installation import faults  # noqa: PLC0415 - to look at what it keeps for itself

    for name in (*faults._CLIENT_ERRORS, *faults._UNREACHED):
        assert hasattr(botocore.exceptions, name), name
