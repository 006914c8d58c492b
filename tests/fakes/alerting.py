"""The events table, a Slack, and the functions that write to them, on a clock that moves only when told to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from interlock_runtime.control.alerts import AlertPorts, Channel
from interlock_runtime.control.event_log import EventLogPorts
from interlock_runtime.control.threads import Threads
from interlock_runtime.core.events import Event
from interlock_runtime.core.rows import Row
from interlock_runtime.handlers import alert_dispatcher, event_sink
from interlock_runtime.slack import Message, Posted, Slack
from tests.fakes.calls import Calls
from tests.fakes.eventbridge import delivered
from tests.fakes.slack import CHANNEL, TOKEN, FakeSlack
from tests.fakes.tables import FakeTable
from tests.fakes.world import START, FakeLog, FakeMetrics

#: As the queue is made (interlock_tf/alerting.py, which takes a second to import).
VISIBILITY = timedelta(seconds=180)
MOST_RECEIVES = 50


@dataclass(frozen=True)
class CountedChannel:
    """A channel whose posts are counted among the calls, so that a function can die after one."""

    channel: Channel
    calls: Calls

    def is_set_up(self) -> bool:
        return self.channel.is_set_up()

    def post(self, message: Message, *, thread: str | None, broadcast: bool = False) -> Posted:
        self.calls.before("slack:chat.postMessage")
        posted = self.channel.post(message, thread=thread, broadcast=broadcast)
        self.calls.after("slack:chat.postMessage")
        return posted


class Consumers:
    """event-sink and alert-dispatcher with all that they reach; without a ``slack``, alerts are only logged."""

    def __init__(
        self, slack: FakeSlack | None = None, *, channel: str = CHANNEL, token: str = TOKEN, now: datetime = START
    ) -> None:
        self.now = now
        self.calls = Calls()
        self.events = FakeTable("events", self.calls, clock=self.clock)
        self.log = FakeLog()
        self.metrics = FakeMetrics()
        client = Slack("", token=lambda: "")
        if slack is not None:
            client = slack.client(channel=channel, token=token, monotonic=lambda: self.now.timestamp())
        shared: dict[str, Any] = {"events": self.events, "log": self.log, "metrics": self.metrics}
        self.sink_ports = EventLogPorts(**shared, retention=timedelta(days=90))
        self.alert_ports = AlertPorts(
            **shared,
            channel=CountedChannel(client, self.calls),
            threads=Threads(events=self.events, channel=channel, retention=timedelta(days=90)),
        )

    def clock(self) -> datetime:
        """The time; pass this method where a clock is asked for."""
        return self.now

    def advance(self, **duration: float) -> None:
        """Let time pass."""
        self.now += timedelta(**duration)

    def sink(self, event: Any) -> None:
        """Hand an event to event-sink, as EventBridge delivers it."""
        event_sink.handle(event, self.sink_ports, clock=self.clock)

    def dispatch(self, *bodies: str) -> list[int]:
        """Hand messages to alert-dispatcher, as one batch; the numbers of those that it wants again."""
        records = [{"messageId": f"message-{number}", "body": body} for number, body in enumerate(bodies)]
        answer = alert_dispatcher.handle({"Records": records}, self.alert_ports, clock=self.clock)
        return [int(each["itemIdentifier"].removeprefix("message-")) for each in answer["batchItemFailures"]]

    def body(self, event: Event) -> str:
        """The message that the queue gets about an event that is published now."""
        return json.dumps(delivered(event, at=self.now))

    def alert_lines(self) -> list[str]:
        """The event types of the lines by which the dashboard counts alerts."""
        return [fields["alert"] for _, _, fields in self.log.lines if "alert" in fields]

    def stored(self, prefix: str = "") -> list[Row]:
        """The rows of the events table whose sort key begins so."""
        return [row for (_, sort_key), row in sorted(self.events.rows().items()) if sort_key.startswith(prefix)]


@dataclass
class _Waiting:
    body: str
    visible_at: datetime
    receives: int = 0


@dataclass
class AlertQueue:
    """The alert queue and its mapping: batches of one, failures come again, and some day become dead letters."""

    consumers: Consumers
    dead_letters: list[str] = field(default_factory=list)
    _waiting: list[_Waiting] = field(default_factory=list)

    def send(self, event: Event | Mapping[str, Any] | str) -> None:
        """What EventBridge puts into the queue about an event that is published now."""
        if isinstance(event, Event):
            event = self.consumers.body(event)
        self._waiting.append(_Waiting(event if isinstance(event, str) else json.dumps(event), self.consumers.now))

    def __len__(self) -> int:
        return len(self._waiting)

    def receive(self) -> None:
        """Hand every message that can be seen now to the dispatcher, once."""
        for message in [each for each in self._waiting if each.visible_at <= self.consumers.now]:
            message.receives += 1
            message.visible_at = self.consumers.now + VISIBILITY
            if message.receives > MOST_RECEIVES:
                self.dead_letters.append(message.body)
                self._waiting.remove(message)
            elif not self.consumers.dispatch(message.body):
                self._waiting.remove(message)

    def run(self, duration: timedelta, *, step: timedelta = timedelta(seconds=20)) -> None:
        """Let time pass, and deliver meanwhile."""
        end = self.consumers.now + duration
        while self.consumers.now < end:
            self.receive()
            self.consumers.now += step
        self.receive()
