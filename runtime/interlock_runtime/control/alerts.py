"""Alerts to Slack, once each, in the thread of their pipeline and date.

An alert is claimed, posted, and confirmed. A function that dies after the post and before the
confirmation, or that never hears Slack's answer, posts again when the message comes again: such
an alert stands there twice. There is no third way, for Slack cannot be asked to post once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from interlock_runtime.control import claims
from interlock_runtime.control.ports import Log, Metric, Metrics, Table
from interlock_runtime.control.slack_message import body_of, compose, severity_of
from interlock_runtime.control.threads import Threads
from interlock_runtime.core import rows
from interlock_runtime.core.events import ALERT_LOG_FIELD, Severity
from interlock_runtime.core.instants import epoch_seconds, rfc3339
from interlock_runtime.core.received import ReceivedEvent
from interlock_runtime.core.rows import Key
from interlock_runtime.slack import Message, Posted, ThreadGoneError

#: How long it is remembered that an alert was told. No message comes again after so long.
KEEP = timedelta(days=30)

_TOLD_AT, _MESSAGE_TS, _OPENS_THREAD = "toldAt", "messageTs", "opensThread"


class Channel(Protocol):
    """Where alerts are posted; see :class:`interlock_runtime.slack.Slack`."""

    def is_set_up(self) -> bool:
        """Whether anything can be posted."""

    def post(self, message: Message, *, thread: str | None, broadcast: bool = False) -> Posted:
        """Post a message, or raise."""


@dataclass(frozen=True, kw_only=True)
class AlertPorts:
    """What the telling of alerts needs."""

    events: Table
    channel: Channel
    threads: Threads
    log: Log
    metrics: Metrics


class Outcome(StrEnum):
    """What became of an alert."""

    POSTED = "posted"
    #: There is no channel or no token.
    LOGGED = "logged"
    #: It was told before.
    REPEATED = "repeated"
    #: Somebody else is at this alert, or about to open its thread: it is to come again.
    HELD = "held"


_PASSED_OVER: Mapping[Outcome, str] = {
    Outcome.REPEATED: "alert passed over: it was told before",
    Outcome.HELD: "alert put back: somebody else is at it, or about to open its thread",
}


def tell(ports: AlertPorts, event: ReceivedEvent, *, now: datetime) -> Outcome:
    """Tell an alert, unless it was told before.

    Raises:
        PermanentError: Slack refuses it until somebody mends the token or the channel.
        TransientError: Slack or AWS did not do its part; the alert is to come again.
    """
    ports.metrics.count(Metric.RECORDS_PROCESSED)
    outcome = _claim(ports, event, now=now)
    if outcome is None:
        tell_it = _post if ports.channel.is_set_up() else _log
        outcome = tell_it(ports, event, now=now)
    if outcome in _PASSED_OVER:
        ports.log.info(_PASSED_OVER[outcome])
    return outcome


def _claim(ports: AlertPorts, event: ReceivedEvent, *, now: datetime) -> Outcome | None:
    """Claim the alert; None on success, else what becomes of it."""
    row, ttl = None, epoch_seconds(now + KEEP)
    for _ in range(2):
        row = claims.take(ports.events, _key(event), over=row, attributes={}, ttl=ttl, now=now)
        if row is None:
            return None
        if _TOLD_AT in row:
            if row.get(_OPENS_THREAD):
                # Whoever told it may have died before this.
                ports.threads.opened(event, str(row[_MESSAGE_TS]), now=now)
            return Outcome.REPEATED
        if claims.is_held(row, now=now):
            break
    return Outcome.HELD


def _post(ports: AlertPorts, event: ReceivedEvent, *, now: datetime) -> Outcome:
    message, severity = compose(event), severity_of(event)
    place = ports.threads.find(event, now=now)
    if place is None:
        return Outcome.HELD
    try:
        posted = ports.channel.post(message, thread=place.thread, broadcast=severity is Severity.CRITICAL)
    except ThreadGoneError as error:
        ports.log.warning("the thread takes no answer; the alert opens a new one", problem=str(error))
        place = ports.threads.replace(event, str(place.thread), now=now)
        if place is None:
            return Outcome.HELD
        posted = ports.channel.post(message, thread=None)
    _confirm(ports, event, {_MESSAGE_TS: posted.ts, _OPENS_THREAD: place.opens_thread or None}, now=now)
    ports.metrics.count(Metric.ALERTS_SENT)
    ports.log.info("alert posted", **{ALERT_LOG_FIELD: event.type}, severity=severity, message_ts=posted.ts)
    if posted.blocks_refused:
        ports.log.warning("Slack took the alert as plain text only", problem=posted.blocks_refused)
    if place.opens_thread:
        ports.threads.opened(event, posted.ts, now=now)
    return Outcome.POSTED


def _log(ports: AlertPorts, event: ReceivedEvent, *, now: datetime) -> Outcome:
    _confirm(ports, event, {}, now=now)
    ports.log.warning(
        "alert not posted: there is no Slack channel or no token",
        **{ALERT_LOG_FIELD: event.type},
        severity=severity_of(event),
        text=body_of(event),
        hint=event.detail.get("actionHint"),
    )
    return Outcome.LOGGED


def _confirm(ports: AlertPorts, event: ReceivedEvent, attributes: Mapping[str, Any], *, now: datetime) -> None:
    """Record that the alert was told, whoever holds the claim by now."""
    told = {_TOLD_AT: rfc3339(now), claims.CLAIMED_UNTIL: None, **attributes}
    ports.events.update(_key(event), told, expect={})


def _key(event: ReceivedEvent) -> Key:
    return rows.pk(event.pipeline_id), rows.alert(event.dedupe_key)
