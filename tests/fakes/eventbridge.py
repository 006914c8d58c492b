"""Events as EventBridge delivers them to a function or a queue."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from interlock_runtime.core.events import SOURCE, Event
from interlock_runtime.core.instants import rfc3339

ACCOUNT, REGION = "123456789012", "eu-west-1"


def delivered(event: Event, *, at: datetime, event_id: str = "5c8f0b2e-0f8f-4a55-9d2b-6c7f4a7d1f01") -> dict[str, Any]:
    """An event of Interlock's, published at ``at``."""
    return {
        "version": "0",
        "id": event_id,
        "detail-type": event.type,
        "source": SOURCE,
        "account": ACCOUNT,
        "time": rfc3339(at)[:19] + "Z",
        "region": REGION,
        "resources": [],
        "detail": json.loads(json.dumps(event.payload(at))),
    }


def alarm_event(name: str = "dev-interlock-sfn-failures", *, state: str = "ALARM", reason: str = "") -> dict[str, Any]:
    """A CloudWatch alarm that changed its state."""
    return {
        "version": "0",
        "id": "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92",
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": ACCOUNT,
        "time": "2026-03-03T07:55:00Z",
        "region": REGION,
        "resources": [f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"],
        "detail": {
            "alarmName": name,
            "state": {"value": state, "reason": reason, "timestamp": "2026-03-03T07:55:00.000+0000"},
            "previousState": {"value": "OK"},
        },
    }


def transformed(template: str, paths: Mapping[str, str], event: Mapping[str, Any]) -> str:
    """What an input transformer makes of an event: outside quotes a value becomes JSON, inside quotes its bare text."""

    def value(name: str) -> Any:
        found: Any = event
        for key in paths[name].removeprefix("$.").split("."):
            found = found[key]
        return found

    quoted = re.sub(r'"[^"]*"', lambda text: re.sub(r"<(\w+)>", lambda each: str(value(each[1])), text[0]), template)
    return re.sub(r"<(\w+)>", lambda each: json.dumps(value(each[1])), quoted)
