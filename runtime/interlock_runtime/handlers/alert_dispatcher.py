"""alert-dispatcher: alerts from the queue to Slack.

A message that fails stays in the queue, whose visibility time-out is its pause and whose redrive
policy is its patience. So a refusal that only a person can mend (a wrong token, a channel without
the app) is tried again, too, and the alerts follow once it is mended; if nobody does, they end in
the dead-letter queue, whose alarm rings.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

from interlock_runtime import settings
from interlock_runtime.aws.secrets import Secrets
from interlock_runtime.control import alerts
from interlock_runtime.control.alerts import AlertPorts, Outcome
from interlock_runtime.control.threads import Threads
from interlock_runtime.core.errors import PermanentError, TransientError
from interlock_runtime.core.received import ReceivedEvent
from interlock_runtime.handlers.assembly import Function, surroundings, utc_now
from interlock_runtime.slack import SLACK_URL, Slack, secret_token

Clock = Callable[[], datetime]


def handler(event: Any, context: Any) -> Any:
    """Tell the alerts of a batch of messages.

    Raises:
        ConfigError: the function's environment is incomplete.
    """
    function, ports = _parts()
    with function.telemetry.invocation(context):
        return handle(event, ports, clock=utc_now)


def handle(event: Any, ports: AlertPorts, *, clock: Clock) -> dict[str, Any]:
    """Tell every alert, whatever becomes of the others; the answer names the messages that are to come again.

    Raises:
        PermanentError: it is no batch of messages.
    """
    if not isinstance(event, Mapping) or not isinstance(event.get("Records"), list):
        raise PermanentError("alert-dispatcher does not know this event; it knows Records of a queue")
    return {"batchItemFailures": list(_failures(event["Records"], ports, clock=clock))}


def _failures(messages: Iterable[Mapping[str, Any]], ports: AlertPorts, *, clock: Clock) -> Iterable[dict[str, str]]:
    for message in messages:
        received = ReceivedEvent.parse(message["body"])
        attempts = message.get("attributes", {}).get("ApproximateReceiveCount")
        ports.log.about(**received.subject, message_id=message["messageId"], receive_count=attempts)
        try:
            comes_again = alerts.tell(ports, received, now=clock()) is Outcome.HELD
        except TransientError as error:
            ports.log.warning("alert failed, and will come again", problem=str(error))
            comes_again = True
        except Exception as error:  # noqa: BLE001 - whatever it was, the alert must not be lost
            ports.log.error("alert failed, and needs somebody's help", problem=f"{type(error).__name__}: {error}")
            comes_again = True
        if comes_again:
            yield {"itemIdentifier": message["messageId"]}


def alert_ports(read: settings.AlertDispatcher, function: Function, *, slack_url: str = SLACK_URL) -> AlertPorts:
    """The ports of the function with these settings."""
    events = function.table(read.events_table)
    secrets = Secrets(lambda: function.clients.repeating("secretsmanager"))
    token = partial(secret_token, secrets, read.slack_secret_arn) if read.slack_secret_arn else None
    slack = Slack(
        read.slack_channel_id,
        token=token or (lambda: read.slack_bot_token),
        forget_token=secrets.forget,
        url=slack_url,
    )
    return AlertPorts(
        events=events,
        channel=surroundings().channel(slack),
        threads=Threads(events=events, channel=read.slack_channel_id, retention=timedelta(days=read.events_ttl_days)),
        log=function.telemetry.log,
        metrics=function.telemetry.metrics,
    )


@cache
def _parts() -> tuple[Function, AlertPorts]:
    read = settings.read(settings.AlertDispatcher, os.environ)
    function = Function.of("alert-dispatcher", os.environ)
    return function, alert_ports(read, function)
