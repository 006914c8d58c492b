"""EventBridge: rules with a pattern or a schedule, their targets, and who may call whom."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from interlock_tf.local import inputs, patterns
from interlock_tf.local.agenda import Agenda
from interlock_tf.local.aws_session import ServiceError
from interlock_tf.local.cron_expressions import fires_after
from interlock_tf.local.functions import Functions
from interlock_tf.local.queues import Queues
from interlock_tf.local.terraform_json import Place, StackError

DEFAULT_BUS = "default"

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a rule sends what it matches."""

    address: str
    arn: str
    attributes: Mapping[str, Any]

    def input(self, event: Mapping[str, Any]) -> Any:
        """What the target is given."""
        if "input_transformer" in self.attributes:
            text = inputs.transformed(self.attributes["input_transformer"], event)
            return json.loads(text)
        if "input" in self.attributes:
            return json.loads(self.attributes["input"])
        return inputs.at_path(self.attributes.get("input_path", "$"), event)


@dataclass(kw_only=True)
class Rule:
    """One rule; ``schedule`` is how long after an instant it goes off next."""

    address: str
    name: str
    arn: str
    bus: str
    pattern: Mapping[str, Any] | None
    schedule: Callable[[datetime], datetime | None] | None
    enabled: bool
    targets: list[Target] = field(default_factory=list)


class Bus:
    """All buses, with their rules. ``listeners`` are told of every event, whether a rule matches it or not."""

    def __init__(self, agenda: Agenda, place: Place, *, functions: Functions, queues: Queues) -> None:
        self.names = {DEFAULT_BUS}
        self.rules: dict[str, Rule] = {}
        self.may: Callable[[str, str, str], bool] = lambda *_: True
        self.listeners: list[Callable[[Mapping[str, Any]], None]] = []
        self.undelivered: Callable[[Rule, Target, str], None] = lambda *_: None
        self._agenda = agenda
        self._place = place
        self._functions = functions
        self._queues = queues
        self._count = 0

    def start(self) -> None:
        """Have the rules with a schedule go off from now on."""
        for rule in self.rules.values():
            if rule.schedule and rule.enabled:
                self._next(rule)

    def put(self, call: Mapping[str, Any]) -> Mapping[str, Any]:
        """PutEvents."""
        entries = call["Entries"]
        if len(entries) > 10:
            raise ServiceError("ValidationException", "1 to 10 entries are allowed")
        answers: list[dict[str, str]] = []
        for entry in entries:
            bus = str(entry.get("EventBusName", DEFAULT_BUS)).rpartition("/")[2]
            try:
                detail = json.loads(entry["Detail"])
            except ValueError:
                answers.append({"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."})
                continue
            told = {"source": entry["Source"], "detail-type": entry["DetailType"], "detail": detail}
            answers.append({"EventId": self.publish(told | {"resources": entry.get("Resources", [])}, bus=bus)})
        return {"Entries": answers, "FailedEntryCount": sum("ErrorCode" in each for each in answers)}

    def publish(self, told: Mapping[str, Any], *, bus: str = DEFAULT_BUS) -> str:
        """Have an event matched against the rules of a bus; its id. Without such a bus it goes nowhere, as in AWS."""
        event = self._event(told)
        for listener in self.listeners:
            listener(event)
        for rule in self.rules.values():
            if rule.bus == bus and rule.enabled and rule.pattern and patterns.matches(rule.pattern, event):
                self._fire(rule, event)
        return str(event["id"])

    def _event(self, told: Mapping[str, Any]) -> dict[str, Any]:
        self._count += 1
        return {
            "version": "0",
            "id": f"00000000-0000-4000-9000-{self._count:012x}",
            "account": self._place.account,
            "time": f"{self._agenda.now():%Y-%m-%dT%H:%M:%SZ}",
            "region": self._place.region,
            "resources": [],
            **told,
        }

    def _next(self, rule: Rule) -> None:
        assert rule.schedule is not None
        when = rule.schedule(self._agenda.now())
        if when is not None:
            self._agenda.at(when, lambda: self._tick(rule))

    def _tick(self, rule: Rule) -> None:
        told = {"source": "aws.events", "detail-type": "Scheduled Event", "resources": [rule.arn], "detail": {}}
        self._fire(rule, self._event(told))
        self._next(rule)

    def _fire(self, rule: Rule, event: Mapping[str, Any]) -> None:
        for target in rule.targets:
            try:
                self._deliver(rule, target, event)
            except (ServiceError, ValueError) as error:
                self.undelivered(rule, target, str(error))
                if letters := target.attributes.get("dead_letter_config", {}).get("arn"):
                    self._queues.send(letters, json.dumps(event))

    def _deliver(self, rule: Rule, target: Target, event: Mapping[str, Any]) -> None:
        given = target.input(event)
        if not self.may(target.arn, "events.amazonaws.com", rule.arn):
            raise ServiceError("NO_PERMISSIONS", f"{target.arn} does not let {rule.arn} in")
        if target.arn in self._functions.by_arn:
            self._functions.send(target.arn, given)
        else:
            self._queues.send(target.arn, json.dumps(given))


def rule_of(attributes: Mapping[str, Any], address: str) -> Rule:
    """The rule of an ``aws_cloudwatch_event_rule``.

    Raises:
        StackError: its pattern or schedule is not understood here.
    """
    pattern = json.loads(attributes["event_pattern"]) if "event_pattern" in attributes else None
    if pattern is not None:
        patterns.check(pattern, address)
    expression = attributes.get("schedule_expression")
    if pattern is None and expression is None:
        raise StackError(f"{address}: the rule has neither a pattern nor a schedule")
    return Rule(
        address=address,
        name=attributes["name"],
        arn=attributes["arn"],
        bus=attributes.get("event_bus_name", DEFAULT_BUS),
        pattern=pattern,
        schedule=_schedule(expression, address) if expression else None,
        enabled=attributes.get("state", "ENABLED") != "DISABLED",
    )


def target_of(attributes: Mapping[str, Any], address: str) -> Target:
    """The target of an ``aws_cloudwatch_event_target``.

    Raises:
        StackError: its input transformer is not understood here.
    """
    if "input_transformer" in attributes:
        inputs.check_transformer(attributes["input_transformer"], address)
    return Target(address=address, arn=attributes["arn"], attributes=attributes)


def _schedule(expression: str, address: str) -> Callable[[datetime], datetime | None]:
    if match := _RATE.fullmatch(expression):
        every = timedelta(**{f"{match[2]}s": int(match[1])})
        return lambda now: now + every
    return fires_after(expression, "UTC", address)
