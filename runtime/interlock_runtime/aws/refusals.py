"""Which refusals of AWS are for good: the only place that knows error codes by what follows from them.

A refusal is for good when the call itself is wrong, so that no repetition of it can succeed. A
refused permission never is: a pipeline's row is deployed beside the rights that it needs, and IAM
takes its time to know them. What is missing is missing for good only where a pipeline's document
names it, such as its job; Interlock's own tables and state machine are there once a deployment is
through. Everything else may pass: throttling, limits that fill and empty, a service's own
trouble, credentials about to be renewed.
"""

from __future__ import annotations

import re

#: What was sent is refused, whoever sends it, and whatever happens meanwhile.
_WRONG_CALL = re.compile(
    r"^ValidationException$|^SerializationException$|^ItemCollectionSizeLimitExceededException$"
    r"|^Invalid(?:Name|Arn|ExecutionInput)$"
)

#: What a document names is not there, is not usable, or does not take what it is given.
_UNUSABLE = re.compile(
    r"NotFound|DoesNotExist|Deleting$|TooLarge|Malformed|UnsupportedMediaType"
    r"|DecryptionFailure|RecursiveInvocation|^KMS(?:Disabled|InvalidState)|^Kms(?!Throttling|AccessDenied)"
    r"|^Validation|^Invalid(?!Signature|ClientTokenId)"
)


def error_code(error: Exception) -> str | None:
    """The code in a ``ClientError``, or None for any other exception."""
    response = getattr(error, "response", None)
    return response.get("Error", {}).get("Code") if isinstance(response, dict) else None


def is_final(error: Exception, *, named_by_document: bool = False) -> bool:
    """Whether the same call can never succeed; ``named_by_document`` when it is about what a pipeline names."""
    if type(error).__name__ == "ParamValidationError":
        return True
    code = error_code(error) or ""
    return bool(_WRONG_CALL.search(code) or (named_by_document and _UNUSABLE.search(code)))
