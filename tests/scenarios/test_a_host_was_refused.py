"""A job names a host, or a header, that production never lets it send to: its run fails here, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from interlock_tf.testing import Kind, Scenario

pytestmark = pytest.mark.slow

AIRFLOW: dict[str, Any] = {"type": "airflow", "config": {"url": "http://10.0.0.1:8080", "dagId": "daily"}}


def http(url: str, **headers: str) -> dict[str, Any]:
    return {"type": "http", "config": {"url": url, "headers": headers}}


#: What pipelines do, and what is said of it; a template shows only at the start what it stands for.
JOBS: dict[str, tuple[dict[str, Any], str]] = {
    "metadata": (http("http://169.254.169.254/latest"), "cloud metadata is served there"),
    "loopback": (http("http://localhost:8080/"), "is loopback"),
    "userinfo": (http("${INTERLOCK_PLACE}/y"), "user or password"),
    "header": (http("https://x.example/y", token="${INTERLOCK_LINES}"), "holds a line break"),
    "dag": (AIRFLOW, "is private"),
}


@pytest.fixture
def story(tmp_path: Path) -> Scenario:
    for name, (job, _) in {**JOBS, "allowed": (http("http://10.0.0.2/"), "")}.items():
        document = {
            "pipeline": {"id": name},
            "schedule": {"trigger": {"key": "landed", "check": "exists"}},
            "validation": {"rules": []},
            "job": job,
        }
        (tmp_path / f"{name}.yaml").write_text(json.dumps(document))
    return Scenario.of_pipelines(
        tmp_path,
        start="2026-11-24T09:00",
        orchestrator_environment={"INTERLOCK_PLACE": "https://u:p@x.example", "INTERLOCK_LINES": "a\nb"},
        allowed_private_hosts=["10.0.0.2"],
    )


def test_the_run_fails_for_good_and_says_why(story: Scenario) -> None:
    for name, (_, told) in JOBS.items():
        story.sensor("landed", pipeline=name, rows=1)
        story.expect("RETRY_EXHAUSTED", pipeline=name)
        reasons = [entry.why for entry in story.timeline if entry.pipeline_id == name and entry.kind is Kind.EVENT]
        assert any(told in reason for reason in reasons), reasons
    assert not [entry for entry in story.timeline if entry.kind is Kind.JOB]


def test_a_private_host_that_is_allowed_is_sent_to(story: Scenario) -> None:
    story.sensor("landed", pipeline="allowed", rows=1)
    story.expect("JOB_COMPLETED", pipeline="allowed")
