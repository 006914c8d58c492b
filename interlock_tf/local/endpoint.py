"""A running stack behind HTTP, in real time: what boto3 and the AWS CLI take for AWS.

Services that speak JSON by ``X-Amz-Target`` answer here, as far as the world answers them: the
tables, the queues, the bus, executions. Others are told, in words that their clients read, that
they are not simulated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Event, Thread
from types import TracebackType
from typing import Any, Self
from xml.sax.saxutils import escape

from interlock_tf.local.agenda import WallAgenda
from interlock_tf.local.aws_session import ServiceError
from interlock_tf.local.terraform_json import Configuration
from interlock_tf.local.world import World

_LOOPBACK = "127.0.0.1"

#: Services by the beginning of their targets.
_SERVICES: Mapping[str, str] = {
    "DynamoDB_20120810": "dynamodb",
    "AmazonSQS": "sqs",
    "AWSEvents": "events",
    "AWSStepFunctions": "stepfunctions",
}

_SIMULATED = "DynamoDB, SQS, EventBridge and Step Functions"

#: The service that a request is signed for.
_SIGNED_FOR = re.compile(r"Credential=[^/,]+/\d+/[^/,]+/([^/,]+)/aws4_request")

#: How often the world looks whether it shall end, at the least.
_PATIENCE = timedelta(seconds=1)


class Endpoint:
    """A stack that runs while the ``with`` block does, at :attr:`url`."""

    def __init__(self, configuration: Configuration, *, port: int = 0, seed: int = 0) -> None:
        self._turn = Condition()
        self._over = Event()
        with self._turn:
            self.world = World(configuration, agenda=WallAgenda(woken=self._wake, rest=self._rest), seed=seed)
        self._server = ThreadingHTTPServer((_LOOPBACK, port), _handler(self))
        self._server.daemon_threads = True
        self._threads = [Thread(target=each, daemon=True) for each in (self._server.serve_forever, self._live)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.shutdown()
        for thread in self._threads:
            thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where the services answer."""
        return f"http://{_LOOPBACK}:{self._server.server_port}"

    def answer(self, target: str, call: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a call by its target, ``DynamoDB_20120810.PutItem``.

        Raises:
            ServiceError: the service would refuse it, or it is not known here.
        """
        prefix, _, operation = target.rpartition(".")
        if prefix not in _SERVICES:
            raise ServiceError("UnknownOperationException", f"{target or 'this request'} cannot be answered here")
        with self._turn:
            answer = self.world.answer(_SERVICES[prefix], operation, call)
            self._turn.notify_all()
            return answer

    def _wake(self) -> None:
        """There is something new to do; whoever added it has the turn, or is a function at work."""
        if self._turn.acquire(blocking=False):
            self._turn.notify_all()
            self._turn.release()

    def _rest(self, seconds: float) -> None:
        """A function waits; meanwhile others have their turn."""
        self._turn.wait(seconds)

    def _live(self) -> None:
        """Do what is due, and wait for what is next."""
        with self._turn:
            while not self._over.is_set():
                self.world.agenda.run_until(datetime.now(UTC))
                due = self.world.agenda.due()
                wait = _PATIENCE if due is None else min(_PATIENCE, due - datetime.now(UTC))
                if wait > timedelta():
                    self._turn.wait(wait.total_seconds())


def _handler(endpoint: Endpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if "X-Amz-Target" not in self.headers:
                self._refuse()
                return
            try:
                answer = endpoint.answer(self.headers["X-Amz-Target"], json.loads(content or b"{}"))
                self._send(200, answer)
            except ServiceError as error:
                self._send(400, {"__type": error.code, "message": error.message, **error.extra})
            except Exception as error:  # noqa: BLE001 - the caller shall see whatever it was
                self._send(500, {"__type": "InternalFailure", "message": f"{type(error).__name__}: {error}"})

        def do_GET(self) -> None:
            self._refuse()

        do_HEAD = do_PUT = do_DELETE = do_PATCH = do_GET  # noqa: N815 - the names that the base class looks for

        def _refuse(self) -> None:
            """Say that a service is not simulated, in XML to clients that read that, else in JSON."""
            signed = _SIGNED_FOR.search(self.headers.get("Authorization", ""))
            service = f"the service {signed[1]}" if signed else "this request"
            code, message = "NotImplemented", f"{service} is not simulated here; {_SIMULATED} are"
            form = self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
            self.close_connection = True  # a body that nobody has read may follow
            if form or (signed and signed[1] == "s3"):
                told = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
                body = f"<Error>{told}</Error>" if not form else f"<ErrorResponse><Error>{told}</Error></ErrorResponse>"
                self._write(501, body.encode(), "text/xml")
            else:
                self._send(501, {"__type": code, "message": message}, code=code)

        def _send(self, status: int, answer: Mapping[str, Any], *, code: str | None = None) -> None:
            self._write(status, json.dumps(answer, default=_plain).encode(), "application/x-amz-json-1.0", code=code)

        def _write(self, status: int, body: bytes, kind: str, *, code: str | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if code is not None:
                self.send_header("x-amzn-ErrorType", code)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing: there may be thousands of requests."""

    return Handler


def _plain(value: Any) -> Any:
    return value.timestamp() if isinstance(value, datetime) else str(value)
