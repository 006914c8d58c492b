"""Every job type, by the call that its service would get: how it succeeds, and how it fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlock_tf.testing import Kind, Scenario

pytestmark = pytest.mark.slow

SAMPLES = Path(__file__).resolve().parents[1] / "synth" / "samples"

#: Those that a sensor starts; Glue and HTTP are in the stories of the samples.
TYPES = ("airflow", "command", "databricks", "emr", "emr-serverless", "lambda", "step-function")


@pytest.fixture
def story() -> Scenario:
    return Scenario.of_pipelines(
        SAMPLES / "maximal",
        calendars=SAMPLES / "calendars",
        start="2026-11-24T09:00",
        orchestrator_environment={"INTERLOCK_STAGE": "live"},
        allowed_private_hosts=["airflow.internal.example.com"],
    )


def test_every_job_succeeds_by_itself(story: Scenario) -> None:
    for kind in TYPES:
        story.sensor("landed", pipeline=kind, rows=1)
        story.expect("JOB_TRIGGERED", pipeline=kind)
    story.advance(minutes=12)
    for kind in TYPES:
        story.expect("JOB_COMPLETED", pipeline=kind)
    assert not [entry for entry in story.timeline if entry.kind is Kind.FAILURE]


def test_every_job_fails_as_it_is_told(story: Scenario) -> None:
    for kind in TYPES:
        story.job_fails(pipeline=kind)
        story.sensor("landed", pipeline=kind, rows=1)
    story.advance(minutes=12)
    for kind in TYPES:
        story.expect("JOB_FAILED", pipeline=kind)
    assert not [entry for entry in story.timeline if entry.kind is Kind.FAILURE]
