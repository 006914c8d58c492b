"""What boto3 cannot do, as an error that says what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interlock_runtime.core.errors import ConfigError, InterlockError, PermanentError, Problem, TransientError

#: Codes of a caller whom AWS does not know, or knows no longer.
_STRANGERS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_REFUSALS = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_LATER = frozenset(
    {"InternalServerError", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"}
)

#: By the name of botocore's exception: the option that it is about, and what to do.
_CLIENT_ERRORS: Mapping[str, tuple[str, str]] = {
    "NoCredentialsError": ("--profile", "AWS credentials were not found: log in, name a profile, or set AWS_PROFILE"),
    "PartialCredentialsError": ("--profile", "the AWS credentials are not complete"),
    "CredentialRetrievalError": ("--profile", "the AWS credentials could not be fetched"),
    "ProfileNotFound": ("--profile", "there is no such profile"),
    "TokenRetrievalError": ("--profile", "the login has expired: log in again"),
    "SSOTokenLoadError": ("--profile", "the login has expired: log in again"),
    "UnauthorizedSSOTokenError": ("--profile", "the login has expired: log in again"),
    "NoRegionError": ("--region", "the region is not known: name it, or set AWS_DEFAULT_REGION"),
    "InvalidRegionError": ("--region", "is no name of a region"),
}
_UNREACHED = frozenset(
    {
        "ConnectTimeoutError",
        "ConnectionClosedError",
        "EndpointConnectionError",
        "HTTPClientError",
        "ProxyConnectionError",
        "ReadTimeoutError",
        "SSLError",
    }
)


def explained(error: Exception, *, operation: str, table: str, place: str, looked_for: str) -> InterlockError | None:
    """An exception of botocore as one of ours, or None when it is none.

    ``operation`` is the action (``dynamodb:Query``), ``place`` where it was tried, and
    ``looked_for`` the installation in words.
    """
    kind = type(error).__name__
    if isinstance(response := getattr(error, "response", None), dict):
        return _answered(
            response.get("Error", {}), operation=operation, table=table, place=place, looked_for=looked_for
        )
    if kind in _CLIENT_ERRORS:
        option, words = _CLIENT_ERRORS[kind]
        return ConfigError(Problem(path=option, message=f"{words} ({error})"))
    if kind in _UNREACHED:
        return TransientError(f"{place} cannot be reached: {error}")
    if type(error) is ValueError:  # all that botocore has to say about an endpoint's URL
        return ConfigError(Problem(path="--endpoint-url", message=f"is no URL ({error})"))
    if type(error).__module__.startswith("botocore"):
        return PermanentError(f"{operation} on {table}: {error}")
    return None


def _answered(told: Mapping[str, Any], *, operation: str, table: str, place: str, looked_for: str) -> InterlockError:
    code, message = str(told.get("Code")), str(told.get("Message") or "").strip()
    if code == "ResourceNotFoundException":
        return ConfigError(
            Problem(
                message=f"there is no table {table.partition('/')[0]} in {place}: looked for {looked_for}. "
                "Is that its name, and is this the region and account that it is in?"
            )
        )
    if code in _REFUSALS:
        return PermanentError(f"{operation} on {table} is not allowed, and is needed here. AWS says: {message}")
    if code in _STRANGERS:
        return ConfigError(Problem(path="--profile", message=f"AWS does not accept the credentials: {message or code}"))
    if code in _LATER:
        return TransientError(f"{operation} on {table} did not succeed; try again. AWS says: {code}: {message}")
    return PermanentError(f"{operation} on {table} was refused: {code}: {message}")
