"""One call of an AWS service, with its errors told apart as the rest of Interlock needs them."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Any

from interlock_runtime.aws.clients import error_code
from interlock_runtime.core.errors import PermanentError, TransientError

#: Error codes that no repetition of the same call can mend. Every other failure is transient:
#: throttling, limits that fill and empty, a service's own trouble, credentials about to be renewed.
_PERMANENT_CODES = re.compile(
    r"AccessDenied|Unauthorized|NotFound|DoesNotExist|Deleting$|TooLarge|Malformed|UnsupportedMediaType"
    r"|DecryptionFailure|RecursiveInvocation|^KMS(?:Disabled|InvalidState)|^Kms(?!Throttling)"
    r"|^Validation|^Invalid(?!Signature|ClientTokenId)"
)


def ask(client: Any, operation: str, *, unless: Container[str] = (), **parameters: Any) -> Any:
    """Call ``operation`` of a client; its answer, or None when it fails with a code in ``unless``.

    Raises:
        PermanentError: refused for good: a missing resource, a bad parameter, no permission.
        TransientError: any other failure; whether the call had its effect is unknown.
    """
    # Loaded here: whoever holds a client has loaded it already, and nobody else should have to.
    from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError  # noqa: PLC0415

    try:
        return getattr(client, operation)(**parameters)
    except ClientError as error:
        code = error_code(error) or ""
        if code in unless:
            return None
        kind = PermanentError if _PERMANENT_CODES.search(code) else TransientError
        raise kind(_told(client, error)) from error
    except ParamValidationError as error:
        raise PermanentError(_told(client, error)) from error
    except BotoCoreError as error:
        raise TransientError(_told(client, error)) from error


def _told(client: Any, error: Exception) -> str:
    return f"{client.meta.service_model.service_name}: {error}"
