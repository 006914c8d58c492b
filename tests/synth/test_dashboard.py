"""The dashboard: it shows every function and queue, and no widget covers another."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import pytest

from interlock_tf.functions import FUNCTIONS
from tests.fakes.installation import Emitted, installation


@pytest.fixture(scope="module")
def emitted() -> Emitted:
    return installation()


@pytest.fixture(scope="module")
def widgets(emitted: Emitted) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(emitted.resource("cloudwatch_dashboard", "dashboard")["dashboard_body"])[
        "widgets"
    ]
    return found


def named(widgets: list[dict[str, Any]], title: str) -> dict[str, Any]:
    (found,) = [widget["properties"] for widget in widgets if widget["properties"]["title"] == title]
    return dict(found)


def test_the_dashboard_is_named_like_the_installation(emitted: Emitted) -> None:
    assert emitted.resource("cloudwatch_dashboard", "dashboard")["dashboard_name"] == "dev-interlock"
    assert (
        installation(name_suffix="eu").resource("cloudwatch_dashboard", "dashboard")["dashboard_name"]
        == "dev-interlock-eu"
    )


def test_no_widget_covers_another(widgets: list[dict[str, Any]]) -> None:
    for one, other in combinations(widgets, 2):
        beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
        below = one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
        assert beside or below
    assert all(widget["x"] + widget["width"] <= 24 for widget in widgets)


@pytest.mark.parametrize("title", ["Function errors", "Function duration, slowest call"])
def test_every_function_is_shown(widgets: list[dict[str, Any]], title: str) -> None:
    assert [line[-1]["label"] for line in named(widgets, title)["metrics"]] == list(FUNCTIONS)


def test_every_queue_is_shown(widgets: list[dict[str, Any]], emitted: Emitted) -> None:
    shown = {line[3] for line in named(widgets, "Messages waiting")["metrics"]}

    assert shown == {f"${{aws_sqs_queue.interlock_{name}.name}}" for name in emitted.resources("sqs_queue")}


def test_runs_are_shown_by_how_they_ended(widgets: list[dict[str, Any]]) -> None:
    assert [line[1] for line in named(widgets, "Runs by outcome")["metrics"]] == [
        "ExecutionsStarted",
        "ExecutionsSucceeded",
        "ExecutionsFailed",
        "ExecutionsTimedOut",
        "ExecutionsAborted",
    ]


def test_alerts_are_counted_from_the_dispatchers_log(widgets: list[dict[str, Any]]) -> None:
    query = named(widgets, "Alerts by type")["query"]

    assert query.startswith("SOURCE '/aws/lambda/${aws_lambda_function.interlock_alert_dispatcher.function_name}'")


def test_every_widget_names_the_region_of_the_provider(widgets: list[dict[str, Any]]) -> None:
    assert {widget["properties"]["region"] for widget in widgets} == {"${data.aws_region.interlock_region.id}"}
