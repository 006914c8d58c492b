"""The embedded AWS: one server in this process, on a free port of the loopback address."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.request import Request, urlopen

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer

from interlock_tf.local.gaps import fill_gaps

_LOOPBACK = "127.0.0.1"
_NOBODY = "embedded"


class EmbeddedAws:
    """An AWS that starts empty, and is gone when the ``with`` block ends.

    moto keeps its state per process, so there can be one at a time.
    """

    def __init__(self, *, region: str = "us-east-1") -> None:
        self.region = region
        self._server = ThreadedMotoServer(_LOOPBACK, 0, verbose=False)

    def __enter__(self) -> Self:
        fill_gaps()
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # else one line for every request
        self._server.start()
        self.reset()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()

    @property
    def endpoint(self) -> str:
        """The URL at which every service answers."""
        host, port = self._server.get_host_and_port()
        return f"http://{host}:{port}"

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that make the AWS provider and any SDK talk to this AWS and to no other."""
        return {
            "AWS_ACCESS_KEY_ID": _NOBODY,
            "AWS_SECRET_ACCESS_KEY": _NOBODY,
            "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
            "AWS_CONFIG_FILE": "",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_SHARED_CREDENTIALS_FILE": "",
            "AWS_MAX_ATTEMPTS": "2",  # a gap in moto then fails at once, not after minutes
        }

    def reset(self) -> None:
        """Forget everything."""
        with urlopen(Request(f"{self.endpoint}/moto-api/reset", method="POST"), timeout=10):  # noqa: S310
            pass

    def client(self, service: str) -> Any:
        """Return a boto3 client of ``service`` that talks to this AWS."""
        make: Callable[..., Any] = boto3.client  # its type stubs, where installed, ask for a literal
        return make(
            service,
            region_name=self.region,
            endpoint_url=self.endpoint,
            aws_access_key_id=_NOBODY,
            aws_secret_access_key=_NOBODY,
            config=Config(account_id_endpoint_mode="disabled", retries={"total_max_attempts": 1}),
        )
