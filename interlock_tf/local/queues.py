"""SQS: the queues of the stack, their redrive, and the mappings that hand messages to functions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from interlock_tf.local.agenda import Agenda
from interlock_tf.local.aws_session import ServiceError
from interlock_tf.local.functions import Functions
from interlock_tf.local.terraform_json import StackError


@dataclass(kw_only=True)
class Message:
    """A message, and when it can be received next."""

    id: str
    body: str
    sent: datetime
    visible: datetime
    received: int = 0
    first_received: datetime | None = None


@dataclass(kw_only=True)
class Queue:
    """One queue. ``target`` is the ARN of the queue to which it gives up what was received too often."""

    name: str
    arn: str
    url: str
    visibility: timedelta
    retention: timedelta
    target: str | None = None
    max_receives: int = 0
    messages: list[Message] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class QueueMapping:
    """One ``aws_lambda_event_source_mapping`` of a queue."""

    queue_arn: str
    function_arn: str
    batch_size: int
    reports_failures: bool


class Queues:
    """All queues, by ARN."""

    def __init__(self, agenda: Agenda, functions: Functions) -> None:
        self.by_arn: dict[str, Queue] = {}
        self.mappings: list[QueueMapping] = []
        self._agenda = agenda
        self._functions = functions
        self._count = 0

    def send(self, arn: str, body: str) -> str:
        """Put a message into a queue; its id."""
        if arn not in self.by_arn:
            raise ServiceError("AWS.SimpleQueueService.NonExistentQueue", f"there is no queue {arn}")
        now = self._agenda.now()
        for delay in self._delays(arn):
            self._count += 1
            id = f"00000000-0000-4000-8000-{self._count:012x}"
            self.by_arn[arn].messages.append(Message(id=id, body=body, sent=now, visible=now + delay))
            self._look(arn, now + delay)
        return id

    def _delays(self, arn: str) -> Sequence[timedelta]:
        """When those who read a queue get a message; nobody reads it by a mapping: at once."""
        for mapping in self.mappings:
            if mapping.queue_arn == arn:
                return self._functions.disturbances.deliveries(mapping.function_arn.rpartition(":")[2])
        return (timedelta(),)

    def visible(self, arn: str) -> list[Message]:
        """The messages that can be received; those that were kept for too long are forgotten."""
        queue, now = self.by_arn[arn], self._agenda.now()
        queue.messages = [each for each in queue.messages if each.sent + queue.retention > now]
        return [each for each in queue.messages if each.visible <= now]

    def answer(self, operation: str, call: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a call."""
        if operation == "ListQueues":
            return {"QueueUrls": [each.url for each in self.by_arn.values()]}
        if operation == "GetQueueUrl":
            return {"QueueUrl": self._known("name", call["QueueName"]).url}
        queue = self._known("url", call.get("QueueUrl"))
        if operation == "SendMessage":
            return {
                "MessageId": self.send(queue.arn, call["MessageBody"]),
                "MD5OfMessageBody": _md5(call["MessageBody"]),
            }
        if operation == "ReceiveMessage":
            received = self._receive(queue, call.get("MaxNumberOfMessages", 1))
            return {"Messages": [_received(each) for each in received]}
        if operation == "DeleteMessage":
            queue.messages = [each for each in queue.messages if each.id != call["ReceiptHandle"]]
            return {}
        if operation == "GetQueueAttributes":
            visible = len(self.visible(queue.arn))
            numbers = {
                "QueueArn": queue.arn,
                "ApproximateNumberOfMessages": str(visible),
                "ApproximateNumberOfMessagesNotVisible": str(len(queue.messages) - visible),
            }
            return {"Attributes": numbers}
        raise ServiceError("UnknownOperation", f"{operation} of SQS cannot be done here")

    def _known(self, attribute: str, value: Any) -> Queue:
        for queue in self.by_arn.values():
            if getattr(queue, attribute) == value:
                return queue
        raise ServiceError("AWS.SimpleQueueService.NonExistentQueue", f"there is no queue {value!r}")

    def _receive(self, queue: Queue, most: int) -> list[Message]:
        now = self._agenda.now()
        received: list[Message] = []
        for message in self.visible(queue.arn):
            if queue.target is not None and message.received >= queue.max_receives:
                queue.messages.remove(message)
                message.visible = now
                self.by_arn[queue.target].messages.append(message)
                self._look(queue.target, now)
            elif len(received) < most:
                message.received += 1
                message.first_received = message.first_received or now
                message.visible = now + queue.visibility
                self._look(queue.arn, message.visible)
                received.append(message)
        return received

    def _look(self, arn: str, when: datetime) -> None:
        """Have the mappings of a queue look into it."""
        for mapping in self.mappings:
            if mapping.queue_arn == arn:
                self._agenda.at(when, lambda mapping=mapping: self._deliver(mapping))  # type: ignore[misc]

    def _deliver(self, mapping: QueueMapping) -> None:
        queue = self.by_arn[mapping.queue_arn]
        function = mapping.function_arn.rpartition(":")[2]
        while batch := self._receive(queue, mapping.batch_size):
            records = [_record(message, queue.arn) for message in batch]
            answer = self._functions.invoke(mapping.function_arn, {"Records": records})
            if answer.error is not None or self._functions.disturbances.is_forgotten(function):
                continue
            failures = (answer.payload or {}).get("batchItemFailures", ()) if mapping.reports_failures else ()
            failed = {each["itemIdentifier"] for each in failures}
            if failed - {each.id for each in batch}:
                continue  # Lambda takes an identifier that it does not know for a failure of the batch
            done = {each.id for each in batch} - failed
            queue.messages = [each for each in queue.messages if each.id not in done]


def queue_of(attributes: Mapping[str, Any], address: str) -> Queue:
    """The queue of an ``aws_sqs_queue``.

    Raises:
        StackError: it is a FIFO queue, which is not understood here.
    """
    if attributes.get("fifo_queue"):
        raise StackError(f"{address}: FIFO queues are not understood here")
    redrive = json.loads(attributes.get("redrive_policy", "{}"))
    return Queue(
        name=attributes["name"],
        arn=attributes["arn"],
        url=attributes["url"],
        visibility=timedelta(seconds=attributes.get("visibility_timeout_seconds", 30)),
        retention=timedelta(seconds=attributes.get("message_retention_seconds", 345600)),
        target=redrive.get("deadLetterTargetArn"),
        max_receives=redrive.get("maxReceiveCount", 0),
    )


def mapping_of(attributes: Mapping[str, Any]) -> QueueMapping:
    """The mapping of an ``aws_lambda_event_source_mapping``."""
    return QueueMapping(
        queue_arn=attributes["event_source_arn"],
        function_arn=attributes["function_name"],
        batch_size=attributes.get("batch_size", 10),
        reports_failures="ReportBatchItemFailures" in attributes.get("function_response_types", ()),
    )


def _record(message: Message, arn: str) -> dict[str, Any]:
    return {
        "messageId": message.id,
        "receiptHandle": message.id,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.received),
            "SentTimestamp": _millis(message.sent),
            "ApproximateFirstReceiveTimestamp": _millis(message.first_received or message.sent),
            "SenderId": "local",
        },
        "messageAttributes": {},
        "md5OfBody": _md5(message.body),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": arn.split(":")[3],
    }


def _received(message: Message) -> dict[str, str]:
    return {
        "MessageId": message.id,
        "ReceiptHandle": message.id,
        "Body": message.body,
        "MD5OfBody": _md5(message.body),
    }


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _millis(instant: datetime) -> str:
    return str(int(instant.timestamp() * 1000))
