"""One CloudWatch dashboard: is the work getting done, and does the machinery keep up."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from interlock_runtime.core.events import ALERT_LOG_FIELD
from interlock_tf._cdk import CloudwatchDashboard
from interlock_tf.context import Context
from interlock_tf.metrics import Metric, Watched

#: CloudWatch's grid has 24 columns; two widgets stand side by side.
WIDTH, HEIGHT, COLUMNS = 12, 6, 2

#: How executions end, as Step Functions counts them.
_OUTCOMES = {
    "started": "ExecutionsStarted",
    "finished": "ExecutionsSucceeded",
    "broken": "ExecutionsFailed",
    "timed out": "ExecutionsTimedOut",
    "stopped": "ExecutionsAborted",
}


def describe_dashboard(watched: Watched, *, region: str) -> dict[str, Any]:
    """The body of the dashboard."""
    widgets = (
        _graph("Runs by outcome", {each: watched.executions(name) for each, name in _OUTCOMES.items()}, region=region),
        _alerts_by_type(watched, region=region),
        _graph("Function errors", _of_functions(watched, "Errors"), region=region),
        _graph("Function duration, slowest call", _of_functions(watched, "Duration"), region=region, stat="Maximum"),
        _graph(
            "Behind in the streams",
            {"stream_router": watched.function("stream_router", "IteratorAge")},
            region=region,
            stat="Maximum",
        ),
        _graph(
            "Messages waiting",
            {key: watched.queue(key, "ApproximateNumberOfMessagesVisible") for key in watched.queues},
            region=region,
            stat="Maximum",
        ),
    )
    return {"widgets": list(_placed(widgets))}


def add_dashboard(context: Context, watched: Watched) -> CloudwatchDashboard:
    """Add the dashboard."""
    return context.add(
        CloudwatchDashboard,
        "dashboard",
        dashboard_name=f"{context.names.prefix.removesuffix('-')}{context.names.ending}",
        dashboard_body=json.dumps(describe_dashboard(watched, region=context.region)),
    )


def _of_functions(watched: Watched, name: str) -> dict[str, Metric]:
    return {key: watched.function(key, name) for key in watched.functions}


def _graph(title: str, lines: Mapping[str, Metric], *, region: str, stat: str = "Sum") -> dict[str, Any]:
    return {
        "type": "metric",
        "properties": {
            "title": title,
            "region": region,
            "view": "timeSeries",
            "stat": stat,
            "period": 300,
            "metrics": [
                [metric.namespace, metric.name, *_flat(metric.dimensions), {"label": label}]
                for label, metric in lines.items()
            ],
        },
    }


def _alerts_by_type(watched: Watched, *, region: str) -> dict[str, Any]:
    # Counted from the log: a metric for each event type would be forty metrics to pay for.
    log_group = f"/aws/lambda/{watched.functions['alert_dispatcher']}"
    return {
        "type": "log",
        "properties": {
            "title": "Alerts by type",
            "region": region,
            "view": "bar",
            "query": f"SOURCE '{log_group}' | filter ispresent({ALERT_LOG_FIELD})"
            f" | stats count(*) as alerts by {ALERT_LOG_FIELD} | sort alerts desc",
        },
    }


def _flat(dimensions: Mapping[str, str]) -> Iterable[str]:
    return (part for pair in dimensions.items() for part in pair)


def _placed(widgets: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    for index, widget in enumerate(widgets):
        row, column = divmod(index, COLUMNS)
        yield {"x": column * WIDTH, "y": row * HEIGHT, "width": WIDTH, "height": HEIGHT, **widget}
