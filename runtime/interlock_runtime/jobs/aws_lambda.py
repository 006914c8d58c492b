"""``lambda``: one invocation of a function.

Lambda cannot be told that two invocations are one. An object as payload carries the run's token
as ``interlockRun``, so that the function itself can tell.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from interlock_runtime.aws.calls import ask
from interlock_runtime.core.job_documents import LambdaConfig
from interlock_runtime.jobs.contract import Call, Category, Failed, Started, Succeeded

#: Seconds to wait for a function that answers, at most; the orchestrator itself has 120, and needs some of them.
READ_TIMEOUT = 110.0

#: The key of the payload by which a function recognises the run.
TOKEN_KEY = "interlockRun"  # noqa: S105 - a name, not a secret

_ANSWER_LIMIT = 65536


def start(call: Call[LambdaConfig]) -> Started:
    """Invoke the function. ``Event`` leaves it running: it reports by a row in the job log."""
    config = call.resolved()
    answer = ask(
        call.services.client("lambda", read_timeout=call.services.patience(READ_TIMEOUT)),
        "invoke",
        FunctionName=config.function_name,
        InvocationType=config.invocation_type,
        Payload=json.dumps(_payload(config.payload, call.run.token)).encode(),
    )
    request_id = answer["ResponseMetadata"].get("RequestId")
    if config.invocation_type == "Event":
        return Started(run_id=request_id)
    if "FunctionError" not in answer:
        return Started(run_id=request_id, ended=Succeeded())
    message = call.message("the function failed", _error(answer["Payload"].read(_ANSWER_LIMIT)))
    return Started(run_id=request_id, ended=Failed(message, Category.TRANSIENT))


def _payload(payload: Any, token: str) -> Any:
    """The event for the function; a string that is JSON of an object or a list stands for what it says."""
    if isinstance(payload, str):
        try:
            parsed = json.loads(payload)
        except (ValueError, RecursionError):
            parsed = None
        if isinstance(parsed, (dict, list)):
            payload = parsed
    if payload is None:
        payload = {}
    return {TOKEN_KEY: token, **payload} if isinstance(payload, Mapping) else payload


def _error(answer: bytes) -> str:
    """What a function's error says, in the form that Lambda's runtimes give it, or the answer as it is."""
    try:
        error = json.loads(answer)
        return f"{error['errorType']}: {error['errorMessage']}"
    except (ValueError, RecursionError, KeyError, TypeError):
        return answer.decode("utf-8", "replace")
