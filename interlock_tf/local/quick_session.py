"""AWS clients that check nothing and answer at once: for simulations of many days.

They are called like those of botocore, and raise its exceptions. That calls are as the services'
models want them, other simulations check; there, that takes a third of the time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from interlock_tf.local.aws_session import ServiceError, answer_of, botocore_client


@dataclass(frozen=True)
class QuickSession:
    """Stands for a session of botocore."""

    region: str

    def create_client(self, service_name: str, config: Any = None) -> Any:
        """A client of a service."""
        return _client(service_name, self.region)


@cache
def _client(service: str, region: str) -> Any:
    model = botocore_client(service, region)
    methods = {
        name: _method(service, operation, model.exceptions.from_code)
        for name, operation in model.meta.method_to_api_mapping.items()
    }
    return SimpleNamespace(meta=model.meta, **methods)


def _method(service: str, operation: str, exception_of: Callable[[str], type[ClientError]]) -> Callable[..., Any]:
    def call(**parameters: Any) -> Any:
        try:
            return {**answer_of(service, operation, parameters), "ResponseMetadata": {"HTTPStatusCode": 200}}
        except ServiceError as error:
            told = {"Error": {"Code": error.code, "Message": error.message}, **error.extra}
            kind = exception_of(error.code)
            raise kind({**told, "ResponseMetadata": {"HTTPStatusCode": 400}}, operation) from None

    return call
