"""From the JSON of a stored row to a document."""

from __future__ import annotations

import copy
from contextlib import suppress
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_runtime.core.cron import Cron
from interlock_runtime.core.documents import Calendar, Pipeline, Rule
from interlock_runtime.core.errors import ConfigError
from interlock_runtime.core.job_documents import GlueConfig, GlueJob
from interlock_runtime.core.reader import camel, read
from interlock_runtime.core.scalars import Deadline, Mode, Weekday
from tests.fakes.values import json_values

DOCUMENT: dict[str, Any] = {
    "pipeline": {"id": "gold-revenue", "owner": "data"},
    "schedule": {
        "cron": "0 6 * * *",
        "timezone": "Europe/Berlin",
        "trigger": {"key": "rows", "check": "gte", "field": "count", "value": 1000, "deadline": "09:00"},
        "exclude": {"weekends": True, "days": ["Monday"], "dates": ["2026-12-25"], "holidays": "de"},
        "evaluation": {"window": "2h"},
    },
    "sla": {"deadline": "08:00", "expectedDuration": "30m", "critical": True},
    "validation": {"trigger": "any", "rules": [{"key": "rows", "check": "exists"}]},
    "job": {"type": "glue", "config": {"jobName": "gold", "arguments": {"--n": 1}}, "maxRetries": 2},
    "postRun": {"rules": [], "driftThreshold": 0.5},
    "dryRun": False,
}


def test_a_document_is_read_into_its_types() -> None:
    found = read(Pipeline, DOCUMENT)
    assert found.id == "gold-revenue"
    assert found.schedule.cron == Cron.parse("0 6 * * *")
    assert found.schedule.timezone == ZoneInfo("Europe/Berlin")
    assert found.schedule.trigger is not None
    assert found.schedule.trigger.deadline == Deadline(9, 0)
    assert found.schedule.exclude.days == (Weekday.MONDAY,)
    assert found.schedule.exclude.dates == (date(2026, 12, 25),)
    assert found.schedule.evaluation.window == timedelta(hours=2)
    assert found.validation.trigger is Mode.ANY
    assert found.validation.rules == (Rule(key="rows", check="exists"),)
    assert isinstance(found.job, GlueJob)
    assert found.job.config == GlueConfig(job_name="gold", arguments={"--n": 1})
    assert found.job.max_retries == 2


def test_what_a_document_leaves_out_has_its_default() -> None:
    found = read(Pipeline, {key: DOCUMENT[key] for key in ("pipeline", "validation", "job")})
    assert found.schedule.timezone == ZoneInfo("UTC")
    assert found.schedule.evaluation.interval == timedelta(minutes=5)
    assert found.sla is None
    assert found.job.max_code_retries == 1
    assert found.post_run is None


def test_the_schedule_and_the_zone_of_the_sla_follow_from_the_schedule() -> None:
    assert read(Pipeline, DOCUMENT).schedule_id == "cron"
    assert read(Pipeline, DOCUMENT | {"schedule": {}}).schedule_id == "stream"
    assert read(Pipeline, DOCUMENT).sla_timezone == ZoneInfo("Europe/Berlin")
    assert read(Pipeline, DOCUMENT | {"sla": {"timezone": "Asia/Tokyo"}}).sla_timezone == ZoneInfo("Asia/Tokyo")


def test_keys_that_a_newer_version_wrote_are_passed_over() -> None:
    assert read(Pipeline, DOCUMENT | {"lineage": {"upstream": 1}}) == read(Pipeline, DOCUMENT)


def test_a_calendar_is_read_too() -> None:
    found = read(Calendar, {"name": "de", "days": ["sunday"], "dates": ["2026-12-25"]})
    assert found == Calendar(name="de", days=(Weekday.SUNDAY,), dates=(date(2026, 12, 25),))


def _changed(path: str, value: Any) -> dict[str, Any]:
    """DOCUMENT with the value at a dotted path replaced."""
    document = copy.deepcopy(DOCUMENT)
    *parents, last = path.split(".")
    target = document
    for key in parents:
        target = target[key]
    target[last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("pipeline", None, "pipeline: null is not valid; expected a map"),
        ("pipeline.id", 7, "pipeline.id: 7 is not valid; expected 1 to 63 letters"),
        ("pipeline.owner", 7, "pipeline.owner: 7 is not valid; expected str"),
        ("schedule.cron", "@daily", "schedule.cron: '@daily': @daily is not a five-field expression"),
        (
            "schedule.timezone",
            "Mars/Olympus",
            "schedule.timezone: 'Mars/Olympus': 'Mars/Olympus' is not in the time zone",
        ),
        (
            "schedule.trigger.check",
            "near",
            "schedule.trigger.check: 'near' is not valid; expected one of exists, equals",
        ),
        ("schedule.exclude.dates", ["2026-12-32"], "schedule.exclude.dates[0]: '2026-12-32'"),
        ("schedule.exclude.days", "monday", "schedule.exclude.days: 'monday' is not valid; expected a list"),
        ("sla.critical", "yes", "sla.critical: 'yes' is not valid; expected bool"),
        ("sla.dayOffset", True, "sla.dayOffset: True is not valid; expected int"),
        ("validation.rules", [{"check": "exists"}], "validation.rules[0].key: is required"),
        ("job.type", "spark", "job.type: 'spark' is not valid; expected one of "),
        ("job.type", ["glue"], "job.type: ['glue'] is not valid; expected one of "),
        ("job.config", {}, "job.config.jobName: is required"),
        ("job", [], "job.type: None is not valid"),
    ],
)
def test_what_cannot_be_converted_is_refused_with_its_path(path: str, value: Any, says: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(Pipeline, _changed(path, value))
    assert says.replace("null", "None") in str(raised.value)


def _paths(value: Any, above: str = "") -> list[str]:
    """The dotted paths of a document to every value that has a key."""
    if not isinstance(value, dict):
        return []
    found = []
    for key, each in value.items():
        found += [above + key, *_paths(each, f"{above}{key}.")]
    return found


@given(path=st.sampled_from(_paths(DOCUMENT)), value=json_values)
def test_a_row_that_was_damaged_is_read_or_refused_and_nothing_else(path: str, value: Any) -> None:
    with suppress(ConfigError):
        assert isinstance(read(Pipeline, _changed(path, value)), Pipeline)


@pytest.mark.parametrize(
    ("name", "key"), [("id", "id"), ("max_drift_reruns", "maxDriftReruns"), ("post_run", "postRun")]
)
def test_keys_are_the_fields_in_camel_case(name: str, key: str) -> None:
    assert camel(name) == key
