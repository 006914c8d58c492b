"""Lambda: the functions of the stack, invoked one at a time, and what becomes of asynchronous invocations."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from interlock_tf.local.agenda import Agenda
from interlock_tf.local.aws_session import Answers, answered_by
from interlock_tf.local.code import Code, output_to
from interlock_tf.local.disturbances import Calm, GoneError, Invocation
from interlock_tf.local.terraform_json import Place, StackError

#: How long Lambda waits before it tries an asynchronous invocation again; the last one for all that follow.
_PAUSES = (timedelta(minutes=1), timedelta(minutes=2))

#: How many functions wait while others go on. They wait one within the other, so that the first one
#: goes on last; with many, waiting takes a function's time only, and no time of the world.
_MOST_WAITING = 4

#: How many lines a function's log keeps.
_LOG_LINES = 2000


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How an invocation ended: with a payload, or with an error's type, message and trace."""

    payload: Any = None
    error: Mapping[str, Any] | None = None
    invocation: Invocation | None = None


@dataclass(frozen=True, kw_only=True)
class Retries:
    """What becomes of asynchronous invocations that fail; ``destination`` is an ARN."""

    attempts: int = 2
    maximum_age: timedelta = timedelta(hours=6)
    destination: str | None = None


@dataclass(frozen=True)
class Clocked:
    """What functions are surrounded with: a clock, a way to wait, clients of AWS, the ways out for jobs and alerts."""

    now: Callable[[], Any]
    sleep: Callable[[float], None]
    session: Callable[[str], Any]
    services: Callable[[Any], Any]
    channel: Callable[[Any], Any]


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
    printed: Callable[[str], None] = lambda _: None
    invocations: int = 0
    cold: bool = False

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
            session = around.session(self.place.region)
            assembly.surround(
                assembly.Surroundings(
                    clock=around.now,
                    sleep=around.sleep,
                    session=lambda: session,
                    services=around.services,
                    channel=around.channel,
                    threads=lambda _: InTurn(),
                )
            )
            self._check_environment(import_module(f"{runtime}.settings"))

    def invoke(self, event: Any, answers: Answers, invocation: Invocation) -> Answer:
        """Run the function once, on a copy of the event."""
        assert self.callable is not None
        if self.cold:
            self.code.forget()
            self.cold = False
        self.invocations += 1
        request = f"{self.name}-{self.invocations}"
        context = SimpleNamespace(
            function_name=self.name,
            function_version="$LATEST",
            invoked_function_arn=self.arn,
            memory_limit_in_mb=str(self.memory),
            aws_request_id=request,
            log_group_name=f"/aws/lambda/{self.name}",
            get_remaining_time_in_millis=lambda: (invocation.timeout - invocation.spent) // timedelta(milliseconds=1),
        )
        given = json.loads(json.dumps(event))
        with self._inside(answers):
            try:
                payload = json.loads(json.dumps(self.callable(given, context)))
                return Answer(payload=payload, invocation=invocation)
            except GoneError as gone:
                self.cold = True
                told = {"errorMessage": f"RequestId: {request} Error: {gone}", "errorType": gone.kind}
                return Answer(error=told | {"requestId": request}, invocation=invocation)
            except Exception as error:  # noqa: BLE001 - Lambda reports whatever it was
                told = {"errorMessage": str(error), "errorType": type(error).__name__, "requestId": request}
                return Answer(error=told, invocation=invocation)

    @contextmanager
    def _inside(self, answers: Answers) -> Iterator[None]:
        outside = dict(os.environ)
        _have_environment(self._variables())
        try:
            with self.code.active(), answered_by(answers), output_to(self._print):
                yield
        finally:
            _have_environment(outside)

    def _variables(self) -> Mapping[str, str]:
        return {
            "AWS_DEFAULT_REGION": self.place.region,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory),
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_REGION": self.place.region,
            "POWERTOOLS_LOG_LEVEL": "DEBUG",  # the timeline tells why nothing came of a write
            "TZ": ":UTC",
            "_HANDLER": self.handler,
            **self.environment,
        }

    def _print(self, text: str) -> None:
        if text.strip():
            self.log.append(text.rstrip("\n"))
            del self.log[:-_LOG_LINES]
            self.printed(self.log[-1])

    def _check_environment(self, settings: Any) -> None:
        kind = settings.FUNCTIONS[self.handler.split(".")[-2].replace("_", "-")]
        try:
            settings.read(kind, self.environment)
        except Exception as error:  # noqa: BLE001 - its class is one of the function's own
            raise StackError(f"{self.address}: {error}") from None


class Functions:
    """All functions, by ARN.

    ``failed`` is told of every invocation that ends with an error, ``printed`` of every line of a log.
    """

    def __init__(
        self,
        agenda: Agenda,
        answers: Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]],
        *,
        disturbances: Calm | None = None,
    ) -> None:
        self.disturbances = disturbances or Calm()
        self.by_arn: dict[str, LocalFunction] = {}
        self.running: list[Invocation] = []
        self.failed: Callable[[LocalFunction, Any, Answer], None] = lambda *_: None
        self.returned: Callable[[LocalFunction, Any, Answer], None] = lambda *_: None
        self.printed: Callable[[str], None] = lambda _: None
        self.dead_letter: Callable[[str, Any], None] = lambda *_: None
        self._agenda = agenda
        self._answers = answers
        self._count = 0
        self.disturbances.join(self, agenda)

    def add(self, function: LocalFunction, around: Clocked) -> None:
        """Have a function."""
        function.printed = lambda line: self.printed(line)
        function.load(around, self._answers)
        self.by_arn[function.arn] = function

    def named(self, name_or_arn: str) -> LocalFunction | None:
        """The function of a name or ARN, or None."""
        return next((each for each in self.by_arn.values() if name_or_arn in (each.name, each.arn)), None)

    def invoke(self, arn: str, event: Any) -> Answer:
        """Invoke a function, and wait for it."""
        function = self.by_arn[arn]
        self._count += 1
        timeout = timedelta(seconds=function.timeout)
        invocation = Invocation(function=function.name, event=event, number=self._count, timeout=timeout)
        self.running.append(invocation)
        try:
            answer = function.invoke(event, self._answers, invocation)
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

        for delay in self.disturbances.deliveries(self.by_arn[arn].name):
            self._agenda.after(delay, deliver)

    def take_time(self, seconds: float) -> None:
        """The function that runs waits for some seconds, and everything else goes on; or its time is up.

        Raises:
            GoneError: it would take longer than it may.
        """
        invocation = self.running[-1]
        left = invocation.timeout - invocation.spent
        pause = min(timedelta(seconds=seconds), left)
        if sum(each.waits for each in self.running) < _MOST_WAITING:
            invocation.waits = True
            try:
                self._agenda.run_until(self._agenda.now() + pause)
            finally:
                invocation.waits = False
        invocation.spent += pause
        if invocation.spent >= invocation.timeout:
            limit = invocation.timeout.total_seconds()
            invocation.gone = GoneError("Sandbox.Timedout", f"Task timed out after {limit:.2f} seconds")
            raise invocation.gone

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


class InTurn(Executor):
    """Does at once what is submitted: where functions take turns, their threads do, too."""

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Do it, and hold what came of it."""
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments, **named))
        except Exception as error:  # noqa: BLE001 - whoever asks for the result shall have it
            future.set_exception(error)
        return future


def _have_environment(wanted: Mapping[str, str]) -> None:
    """Have these environment variables and no others; what is as it should be is not touched, for that takes time."""
    for name in os.environ.keys() - wanted.keys():
        del os.environ[name]
    for name, value in wanted.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def code_of(folder: Path, attributes: Mapping[str, Any], address: str) -> Code:
    """The code of a ``aws_lambda_function``."""
    return Code(folder / attributes["filename"], function=address, sha256_base64=attributes.get("source_code_hash"))
