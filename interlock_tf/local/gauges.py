"""The numbers that AWS tells CloudWatch by itself about functions, queues and streams."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from interlock_tf.local.agenda import Agenda
from interlock_tf.local.alarms import Metric
from interlock_tf.local.functions import Functions
from interlock_tf.local.queues import Queues
from interlock_tf.local.streams import Streams


class Gauges:
    """Reads them off the services, when the alarms are about to look."""

    def __init__(self, agenda: Agenda, *, functions: Functions, queues: Queues, streams: Streams) -> None:
        self._agenda = agenda
        self._functions = functions
        self._queues = queues
        self._streams = streams
        self._counted: Counter[str] = Counter()

    def read(self) -> Iterator[tuple[Metric, float]]:
        """What can be read now."""
        for each in self._functions.by_arn.values():
            if calls := each.invocations - self._counted[each.name]:
                self._counted[each.name] += calls
                yield ("AWS/Lambda", "Invocations", "FunctionName", each.name), calls
        for queue in self._queues.by_arn.values():
            visible = len(self._queues.visible(queue.arn))
            yield ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue.name), visible
            age = self._age(min((message.sent for message in queue.messages), default=None))
            yield ("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", queue.name), age.total_seconds()
        for shard in self._streams.shards:
            function = self._functions.by_arn[shard.mapping.function_arn].name
            age = self._age(shard.oldest())
            yield ("AWS/Lambda", "IteratorAge", "FunctionName", function), age / timedelta(milliseconds=1)

    def _age(self, since: datetime | None) -> timedelta:
        return timedelta() if since is None else self._agenda.now() - since
