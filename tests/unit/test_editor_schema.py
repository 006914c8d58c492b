"""The JSON Schema for editors: what it lets through, what it marks, and that it is up to date."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from interlock_runtime.core.documents import Calendar, Pipeline
from interlock_tf.documents.editor_schema import FILES, editor_schema, written
from interlock_tf.documents.yaml_text import read_yaml
from tests.fakes.documents import document

ROOT = Path(__file__).resolve().parents[2]


def packaged(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "interlock_tf" / f"{name}.schema.json").read_text("utf-8"))
    return found


PIPELINE = jsonschema.Draft202012Validator(packaged("pipeline"))
CALENDAR = jsonschema.Draft202012Validator(packaged("calendar"))


@pytest.mark.parametrize(("name", "kind"), FILES.items())
def test_the_file_of_the_package_is_what_the_classes_say(name: str, kind: type) -> None:
    """``python -m interlock_tf.documents.editor_schema`` writes it anew."""
    assert (ROOT / "interlock_tf" / name).read_text("utf-8") == written(editor_schema(kind))


@pytest.mark.parametrize("kind", [Pipeline, Calendar])
def test_it_is_a_schema(kind: type) -> None:
    jsonschema.Draft202012Validator.check_schema(editor_schema(kind))


@pytest.mark.parametrize("path", sorted(ROOT.glob("pipelines/*.yaml")), ids=lambda path: path.name)
def test_every_sample_pipeline_is_valid(path: Path) -> None:
    node, _ = read_yaml(path.read_bytes(), path.name)
    assert node is not None
    PIPELINE.validate(node.value)


@pytest.mark.parametrize("path", sorted(ROOT.glob("calendars/*.yaml")), ids=lambda path: path.name)
def test_every_sample_calendar_is_valid(path: Path) -> None:
    node, _ = read_yaml(path.read_bytes(), path.name)
    assert node is not None
    CALENDAR.validate(node.value)


@pytest.mark.parametrize(
    "sections",
    [
        {"x-anchors": {"any": "thing"}},
        {"pipeline": {"id": "${environment}-gold", "x-note": 1}},
        {"schedule": {"timezone": "${zone}", "evaluation": {"window": "${window}"}, "cron": "0 6 * * *"}},
        {"schedule": {"cron": "0 6 * * *", "calendar": "holidays"}},
        {"schedule": {"cron": "0 6 * * *", "exclude": {"holidays": "holidays", "days": ["MONDAY"]}}},
        {"dryRun": "${dry}"},
        {"job": {"type": "glue", "config": {"jobName": "x"}, "maxRetries": "${retries}"}},
        {"job": {"type": "step-function", "config": {"stateMachineARN": "arn"}}},
        {"job": {"type": "http", "config": {"url": "https://a", "timeout": 30, "method": "${method}"}}},
        {"job": {"type": "http", "config": {"url": "https://a", "timeout": "30s", "headers": {"x-a": "b"}}}},
        {"sla": {"deadline": ":45", "expectedDuration": "1h30m", "dayOffset": 0}},
    ],
)
def test_what_people_may_write_is_valid(sections: dict[str, Any]) -> None:
    PIPELINE.validate(document(**sections))


@pytest.mark.parametrize(
    "sections",
    [
        {"pipelin": {}},
        {"pipeline": {"id": "bad id"}},
        {"schedule": {"cron": "0 6 * * *", "tme": "06:00"}},
        {"schedule": {"time": "6:00"}},
        {"schedule": {"include": {"dates": []}}},
        {"schedule": {"include": {"dates": ["2026-12-24", "2026-12-24"]}}},
        {"schedule": {"exclude": {"days": ["mon"]}}},
        {"sla": {"deadline": "06:00", "expectedDuration": "90 minutes"}},
        {"validation": {}},
        {"validation": {"rules": [{"key": "a", "check": "is"}]}},
        {"job": {"type": "gleu", "config": {}}},
        {"job": {"type": "glue", "config": {}}},
        {"job": {"type": "step-function", "config": {}}},
        {"job": {"type": "glue", "config": {"jobName": "x"}, "maxRetries": 11}},
        {"job": {"type": "http", "config": {"url": "https://a", "timeout": 101}}},
        {"dryRun": "yes"},
    ],
)
def test_what_is_wrong_is_marked(sections: dict[str, Any]) -> None:
    assert not PIPELINE.is_valid(document(**sections))


def test_defaults_are_as_people_write_them() -> None:
    evaluation = packaged("pipeline")["$defs"]["Evaluation"]["properties"]
    assert evaluation["window"]["default"] == "1h"
    assert packaged("pipeline")["$defs"]["Schedule"]["properties"]["timezone"]["default"] == "UTC"
    assert packaged("pipeline")["$defs"]["Validation"]["properties"]["trigger"]["default"] == "ALL"
