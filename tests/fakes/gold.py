"""The pipeline that most tests of the runtime tell their story with."""

from __future__ import annotations

from typing import Any


def gold(**sections: Any) -> dict[str, Any]:
    """A daily pipeline: ``orders`` starts it, two constraints hold it back, Glue does the work.

    ``sections`` replace top-level keys; a section that is None is left out; ``job`` and
    ``schedule`` are merged into what is there.
    """
    document: dict[str, Any] = {
        "pipeline": {"id": "gold"},
        "schedule": {
            "trigger": {"key": "orders", "check": "equals", "field": "state", "value": "ready"},
            "evaluation": {"window": "1h", "interval": "5m"},
        },
        "validation": {
            "rules": [
                {"key": "orders", "check": "gte", "field": "count", "value": 1000},
                {"key": "rates", "check": "exists"},
            ]
        },
        "job": {"type": "glue", "config": {"jobName": "gold"}, "maxRetries": 1},
        "postRun": {
            "rules": [{"key": "orders", "check": "gte", "field": "count", "value": 900}],
            "driftField": "count",
        },
    }
    for name, section in sections.items():
        merged = name in ("job", "schedule") and section is not None
        document[name] = document[name] | section if merged else section
    return {name: section for name, section in document.items() if section is not None}


#: The fields of a sensor that starts ``gold`` and meets its constraint.
READY: dict[str, Any] = {"state": "ready", "count": 1000, "date": "2026-03-03"}
DATE = "2026-03-03"
