"""EventBridge Scheduler: the schedules of the stack, and those that functions make, each on its minute."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from interlock_tf.local.agenda import Agenda
from interlock_tf.local.aws_session import ServiceError
from interlock_tf.local.cron_expressions import fires_after
from interlock_tf.local.functions import Functions
from interlock_tf.local.terraform_json import StackError

_ONCE = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_TIME = "<aws.scheduler.scheduled-time>"

#: Scheduler takes a time for now that lies no further back than this.
_LENIENCE = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """One schedule; ``next`` tells when it fires next after an instant. ``at`` is set for a one-time one."""

    group: str
    name: str
    expression: str
    target: Mapping[str, Any]
    next: Callable[[datetime], datetime | None]
    at: datetime | None = None
    deleted_when_done: bool = False


class Scheduler:
    """All schedules, by group and name.

    ``refusal`` tells why a role may not invoke a function for a schedule; None when it may. What it
    may not goes to ``dead_letter``, with the role, the queue and the schedule.
    """

    def __init__(self, agenda: Agenda, functions: Functions) -> None:
        self.groups: set[str] = {"default"}
        self.by_name: dict[tuple[str, str], Schedule] = {}
        self.fired: Callable[[Schedule, Any], None] = lambda *_: None
        self.refusal: Callable[[str, str, str], str | None] = lambda *_: None
        self.dead_letter: Callable[[str, str, str, Any], None] = lambda *_: None
        self._agenda = agenda
        self._functions = functions

    def add(self, schedule: Schedule) -> None:
        """Have a schedule fire from now on."""
        self.by_name[schedule.group, schedule.name] = schedule
        when = schedule.next(self._agenda.now())
        if when is not None:
            self._agenda.at(when, lambda: self._fire(schedule, when))

    def answer(self, operation: str, call: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a call."""
        if operation == "ListSchedules":
            return {"Schedules": [{"GroupName": group, "Name": name} for group, name in sorted(self.by_name)]}
        key = (call.get("GroupName", "default"), call["Name"])
        if operation == "CreateSchedule":
            return self._create(key, call)
        if key not in self.by_name:
            raise ServiceError("ResourceNotFoundException", f"Schedule {key[1]} does not exist.")
        if operation == "DeleteSchedule":
            del self.by_name[key]
            return {}
        if operation == "GetSchedule":
            found = self.by_name[key]
            return {
                "GroupName": found.group,
                "Name": found.name,
                "ScheduleExpression": found.expression,
                "Target": dict(found.target),
            }
        raise ServiceError("UnknownOperationException", f"{operation} of Scheduler cannot be done here")

    def _create(self, key: tuple[str, str], call: Mapping[str, Any]) -> Mapping[str, Any]:
        if key[0] not in self.groups:
            raise ServiceError("ResourceNotFoundException", f"Schedule group {key[0]} does not exist.")
        if key in self.by_name:
            raise ServiceError("ConflictException", f"Schedule {key[1]} already exists.")
        match = _ONCE.fullmatch(call["ScheduleExpression"])
        if match is None or call["FlexibleTimeWindow"].get("Mode") != "OFF":
            raise ServiceError("ValidationException", f"Invalid Schedule Expression {call['ScheduleExpression']}.")
        if call["Target"]["Arn"] not in self._functions.by_arn:
            raise ServiceError("ValidationException", f"Invalid target {call['Target']['Arn']}.")
        zone = ZoneInfo(call.get("ScheduleExpressionTimezone", "UTC"))
        at = datetime.fromisoformat(match[1]).replace(tzinfo=zone).astimezone(UTC)
        self.add(
            Schedule(
                group=key[0],
                name=key[1],
                expression=call["ScheduleExpression"],
                target=call["Target"],
                next=lambda now: at if at > now - _LENIENCE else None,
                at=at,
                deleted_when_done=call.get("ActionAfterCompletion") == "DELETE",
            )
        )
        return {"ScheduleArn": f"{key[0]}/{key[1]}"}

    def _fire(self, schedule: Schedule, when: datetime) -> None:
        if self.by_name.get((schedule.group, schedule.name)) is not schedule:
            return
        text = schedule.target["Input"].replace(_TIME, f"{when:%Y-%m-%dT%H:%M:%SZ}")
        event = json.loads(text)
        self.fired(schedule, event)
        self._deliver(schedule, event)
        if schedule.at is None:
            following = schedule.next(when)
            if following is not None:
                self._agenda.at(following, lambda: self._fire(schedule, following))
        elif schedule.deleted_when_done:
            del self.by_name[schedule.group, schedule.name]

    def _deliver(self, schedule: Schedule, event: Any) -> None:
        target = schedule.target
        if self.refusal(target["RoleArn"], target["Arn"], schedule.name) is None:
            self._functions.send(target["Arn"], event)
        elif letters := target.get("DeadLetterConfig", {}).get("Arn"):
            self.dead_letter(target["RoleArn"], letters, schedule.name, event)


def schedule_of(attributes: Mapping[str, Any], address: str) -> Schedule:
    """The schedule of an ``aws_scheduler_schedule``.

    Raises:
        StackError: its expression is not understood here.
    """
    if attributes["flexible_time_window"]["mode"] != "OFF":
        raise StackError(f"{address}: flexible time windows are not understood here")
    zone = attributes.get("schedule_expression_timezone", "UTC")
    target = attributes["target"]
    letters = target.get("dead_letter_config")
    return Schedule(
        group=attributes.get("group_name", "default"),
        name=attributes["name"],
        expression=attributes["schedule_expression"],
        target={
            "Arn": target["arn"],
            "RoleArn": target["role_arn"],
            "Input": target["input"],
            **({"DeadLetterConfig": {"Arn": letters["arn"]}} if letters else {}),
        },
        next=fires_after(attributes["schedule_expression"], zone, address),
    )
