"""Lambda: the functions of the stack, invoked one at a time, and what becomes of asynchronous invocations."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from interlock_tf.local.agenda import Agenda
from interlock_tf.local.aws_session import Answers, LocalSession, answered_by
from interlock_tf.local.code import Code, output_to
from interlock_tf.local.terraform_json import Place, StackError

#: How long Lambda waits before it tries an asynchronous invocation again; the last one for all that follow.
_PAUSES = (timedelta(minutes=1), timedelta(minutes=2))

#: How many lines a function's log keeps.
_LOG_LINES = 2000


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How an invocation ended: with a payload, or with an error's type, message and trace."""

    payload: Any = None
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """A function at work: which, and on what."""

    function: str
    event: Any


@dataclass(frozen=True, kw_only=True)
class Retries:
    """What becomes of asynchronous invocations that fail; ``destination`` is an ARN."""

    attempts: int = 2
    maximum_age: timedelta = timedelta(hours=6)
    destination: str | None = None


@dataclass(frozen=True)
class Clocked:
    """What functions are surrounded with: a clock, a way to wait, and the jobs' way to the world."""

    now: Callable[[], Any]
    sleep: Callable[[float], None]
    services: Callable[[Any], Any]


@dataclass(kw_only=True)
class LocalFunction:
    """One function of the stack. It is loaded at once, so that a wrong handler or setting is told at once."""

    address: str
    name: str
    arn: str
    role_arn: str
    handler: str
    timeout: int
    memory: int
    environment: Mapping[str, str]
    code: Code
    place: Place
    retries: Retries = field(default_factory=Retries)
    callable: Callable[[Any, Any], Any] | None = None
    log: list[str] = field(default_factory=list)
    invocations: int = 0

    def load(self, around: Clocked, answers: Answers) -> None:
        """Start the function cold.

        Raises:
            StackError: the handler is not there, or the environment lacks what the code reads.
        """
        with self._inside(answers):
            try:
                self.callable = self.code.load(self.handler)
            except StackError as error:
                raise StackError(f"{self.address}: {error}") from None
            runtime = self.handler.partition(".")[0]
            assembly = import_module(f"{runtime}.handlers.assembly")
            session = LocalSession(self.place.region)
            assembly.surround(
                assembly.Surroundings(
                    clock=around.now, sleep=around.sleep, session=lambda: session, services=around.services
                )
            )
            self._check_environment(import_module(f"{runtime}.settings"))

    def invoke(self, event: Any, answers: Answers) -> Answer:
        """Run the function once, on a copy of the event."""
        assert self.callable is not None
        self.invocations += 1
        request = f"{self.name}-{self.invocations}"
        context = SimpleNamespace(
            function_name=self.name,
            function_version="$LATEST",
            invoked_function_arn=self.arn,
            memory_limit_in_mb=str(self.memory),
            aws_request_id=request,
            log_group_name=f"/aws/lambda/{self.name}",
            get_remaining_time_in_millis=lambda: self.timeout * 1000,
        )
        given = json.loads(json.dumps(event))
        with self._inside(answers):
            try:
                return Answer(payload=json.loads(json.dumps(self.callable(given, context))))
            except Exception as error:  # noqa: BLE001 - Lambda reports whatever it was
                told = {"errorMessage": str(error), "errorType": type(error).__name__, "requestId": request}
                return Answer(error=told)

    @contextmanager
    def _inside(self, answers: Answers) -> Iterator[None]:
        outside = dict(os.environ)
        os.environ.clear()
        os.environ.update(self._variables())
        try:
            with self.code.active(), answered_by(answers), output_to(self._print):
                yield
        finally:
            os.environ.clear()
            os.environ.update(outside)

    def _variables(self) -> Mapping[str, str]:
        return {
            "AWS_DEFAULT_REGION": self.place.region,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory),
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_REGION": self.place.region,
            "TZ": ":UTC",
            "_HANDLER": self.handler,
            **self.environment,
        }

    def _print(self, text: str) -> None:
        if text.strip():
            self.log.append(text.rstrip("\n"))
            del self.log[:-_LOG_LINES]

    def _check_environment(self, settings: Any) -> None:
        kind = settings.FUNCTIONS[self.handler.split(".")[-2].replace("_", "-")]
        try:
            settings.read(kind, self.environment)
        except Exception as error:  # noqa: BLE001 - its class is one of the function's own
            raise StackError(f"{self.address}: {error}") from None


class Functions:
    """All functions, by ARN. ``failed`` is told of every invocation that ends with an error."""

    def __init__(self, agenda: Agenda, answers: Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]]) -> None:
        self.by_arn: dict[str, LocalFunction] = {}
        self.running: list[Invocation] = []
        self.failed: Callable[[LocalFunction, Any, Answer], None] = lambda *_: None
        self.returned: Callable[[LocalFunction, Any, Answer], None] = lambda *_: None
        self.dead_letter: Callable[[str, Any], None] = lambda *_: None
        self._agenda = agenda
        self._answers = answers

    def add(self, function: LocalFunction, around: Clocked) -> None:
        """Have a function."""
        function.load(around, self._answers)
        self.by_arn[function.arn] = function

    def named(self, name_or_arn: str) -> LocalFunction | None:
        """The function of a name or ARN, or None."""
        return next((each for each in self.by_arn.values() if name_or_arn in (each.name, each.arn)), None)

    def invoke(self, arn: str, event: Any) -> Answer:
        """Invoke a function, and wait for it."""
        function = self.by_arn[arn]
        self.running.append(Invocation(function=function.name, event=event))
        try:
            answer = function.invoke(event, self._answers)
        finally:
            self.running.pop()
        (self.returned if answer.error is None else self.failed)(function, event, answer)
        return answer

    def send(self, arn: str, event: Any, *, attempt: int = 1, since: Any = None) -> None:
        """Invoke a function asynchronously: soon, again if it fails, and then tell the failure's destination."""
        began = since or self._agenda.now()

        def deliver() -> None:
            answer = self.invoke(arn, event)
            if answer.error is None:
                return
            retries = self.by_arn[arn].retries
            pause = _PAUSES[min(attempt, len(_PAUSES)) - 1]
            if attempt > retries.attempts:
                self._give_up(arn, event, answer, attempt, "RetriesExhausted")
            elif self._agenda.now() + pause - began > retries.maximum_age:
                self._give_up(arn, event, answer, attempt, "EventAgeExceeded")
            else:
                self._agenda.after(pause, lambda: self.send(arn, event, attempt=attempt + 1, since=began))

        self._agenda.after(timedelta(), deliver)

    def _give_up(self, arn: str, event: Any, answer: Answer, attempts: int, condition: str) -> None:
        destination = self.by_arn[arn].retries.destination
        if destination is None:
            return
        record = {
            "version": "1.0",
            "timestamp": f"{self._agenda.now():%Y-%m-%dT%H:%M:%S.000Z}",
            "requestContext": {
                "requestId": answer.error and answer.error.get("requestId"),
                "functionArn": f"{arn}:$LATEST",
                "condition": condition,
                "approximateInvokeCount": attempts,
            },
            "requestPayload": event,
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "responsePayload": answer.error,
        }
        self.dead_letter(destination, record)


def code_of(folder: Path, attributes: Mapping[str, Any], address: str) -> Code:
    """The code of a ``aws_lambda_function``."""
    return Code(folder / attributes["filename"], function=address, sha256_base64=attributes.get("source_code_hash"))
