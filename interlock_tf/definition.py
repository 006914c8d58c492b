"""The state machine's definition, from ``asl/``; nothing here needs CDKTF."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from interlock_tf.shipped import shipped

DEFINITION = "asl/pipeline.asl.json"

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


def definition(
    *, orchestrator_arn: str, sla_monitor_arn: str, sfn_timeout_seconds: int, trigger_max_attempts: int
) -> dict[str, Any]:
    """The definition with every placeholder filled in.

    The file quotes each placeholder, so that it is valid JSON; a number becomes a number again.
    """
    values: dict[str, str | int] = {
        "orchestrator_arn": orchestrator_arn,
        "sla_monitor_arn": sla_monitor_arn,
        "sfn_timeout_seconds": sfn_timeout_seconds,
        "trigger_max_attempts": trigger_max_attempts,
    }
    template: dict[str, Any] = json.loads(shipped(DEFINITION).read_text(encoding="utf-8"))
    return {key: _filled(part, values) for key, part in template.items()}


def _filled(part: Any, values: Mapping[str, str | int]) -> Any:
    if isinstance(part, dict):
        return {key: _filled(each, values) for key, each in part.items()}
    if isinstance(part, list):
        return [_filled(each, values) for each in part]
    placeholder = _PLACEHOLDER.fullmatch(part) if isinstance(part, str) else None
    return values[placeholder[1]] if placeholder else part
