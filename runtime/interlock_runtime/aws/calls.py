"""One call of an AWS service, with its errors told apart as the rest of Interlock needs them."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from interlock_runtime.aws.refusals import error_code, is_final
from interlock_runtime.core.errors import PermanentError, TransientError


def ask(client: Any, operation: str, *, unless: Container[str] = (), **parameters: Any) -> Any:
    """Call ``operation`` of a client; its answer, or None when it fails with a code in ``unless``.

    Raises:
        PermanentError: refused for good: a missing resource, a bad parameter.
        TransientError: any other failure; whether the call had its effect is unknown, unless it was refused.
    """
    # Loaded here: whoever holds a client has loaded it already, and nobody else should have to.
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        return getattr(client, operation)(**parameters)
    except (ClientError, BotoCoreError) as error:
        if error_code(error) in unless:
            return None
        kind = PermanentError if is_final(error, named_by_document=True) else TransientError
        raise kind(f"{client.meta.service_model.service_name}: {error}") from error
