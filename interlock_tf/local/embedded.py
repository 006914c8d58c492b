"""The embedded AWS: one server in this process, on a free port of the loopback address."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from http.client import HTTPConnection
from threading import Thread
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from interlock_tf.local.gaps import fill_gaps

_LOOPBACK = "127.0.0.1"
_NOBODY = "embedded"
_GAP = "EmbeddedAwsCannot"


class _Handler(MotoRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: there are thousands of requests."""


class _Answering:
    """Answers a request on which moto stumbles with an error that no SDK retries.

    moto's own answer would be status 500, and the AWS provider would ask again for minutes.
    """

    def __init__(self, services: Callable[..., Iterable[bytes]]) -> None:
        self._services = services

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            return self._services(environ, start_response)
        except Exception as error:  # noqa: BLE001  any of moto's
            action = environ.get("HTTP_X_AMZ_TARGET") or f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
            message = f"the embedded AWS cannot do {action}: {error!r}"
            start_response("400 Bad Request", [("Content-Type", "application/json"), ("x-amzn-errortype", _GAP)])
            return [json.dumps({"__type": _GAP, "message": message}).encode()]


class EmbeddedAws:
    """An AWS that starts empty, and is gone when the ``with`` block ends.

    moto keeps its state per process, so there can be one at a time.
    """

    def __init__(self, *, region: str = "us-east-1") -> None:
        self.region = region
        services = _Answering(DomainDispatcherApplication(create_backend_app))
        self._server = make_server(_LOOPBACK, 0, services, threaded=True, request_handler=_Handler)
        self._thread = Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        fill_gaps()
        self._thread.start()
        self.reset()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def endpoint(self) -> str:
        """The URL at which every service answers."""
        return f"http://{_LOOPBACK}:{self._server.server_port}"

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that make Terraform's AWS provider talk to this AWS and to no other."""
        return {
            "AWS_ACCESS_KEY_ID": _NOBODY,
            "AWS_SECRET_ACCESS_KEY": _NOBODY,
            "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_PROFILE": "",
            "AWS_REGION": self.region,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def reset(self) -> None:
        """Forget everything."""
        connection = HTTPConnection(_LOOPBACK, self._server.server_port, timeout=10)
        connection.request("POST", "/moto-api/reset")
        connection.getresponse().read()
        connection.close()

    def client(self, service: str) -> Any:
        """Return a boto3 client of ``service`` that talks to this AWS."""
        make: Callable[..., Any] = boto3.client  # its type stubs, where installed, ask for a literal
        return make(
            service,
            region_name=self.region,
            endpoint_url=self.endpoint,
            aws_access_key_id=_NOBODY,
            aws_secret_access_key=_NOBODY,
            config=Config(account_id_endpoint_mode="disabled", retries={"total_max_attempts": 1}, proxies={}),
        )
