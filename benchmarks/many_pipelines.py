"""The rows of an installation with thousands of pipelines, as they stand on a morning at six."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import Any

from interlock_runtime.control.runs import execution_input
from interlock_runtime.core import rows
from interlock_runtime.core.config_rows import read_config
from interlock_runtime.core.instants import epoch_seconds, rfc3339
from interlock_runtime.core.names import execution_arn, execution_name
from interlock_runtime.core.rows import KIND, Kind
from tests.fakes.gold import gold

MORNING = datetime(2026, 3, 3, 6, tzinfo=UTC)
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:dev-interlock-pipeline"

Document = dict[str, Any]
Row = dict[str, Any]

_TRIGGER = {**gold()["schedule"]["trigger"], "deadline": "09:00"}
_DAILY_SLA = {"deadline": "08:00", "expectedDuration": "45m", "critical": True}

#: Of ten pipelines, four run daily by cron, three daily on data, two hourly, one on listed dates.
_SORTS: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    *(({"cron": "30 5 * * *"}, _DAILY_SLA),) * 4,
    *(({"trigger": _TRIGGER}, _DAILY_SLA | {"maxDuration": "2h"}),) * 3,
    *(({"cron": "15 * * * *"}, {"deadline": ":50", "expectedDuration": "10m"}),) * 2,
    ({"include": {"dates": ["2026-03-02", "2026-03-03", "2026-03-31"]}, "time": "05:00"}, _DAILY_SLA),
)


def documents(number: int) -> list[Document]:
    """So many pipelines."""
    return [_document(each, *sort) for each, sort in enumerate(islice(cycle(_SORTS), number))]


def config_row(document: Document) -> Row:
    """A pipeline's row, as Terraform writes it."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return {"PK": _pk(document), "SK": rows.CONFIG, "config": text, KIND: str(Kind.CONFIG)}


def recent_runs(found: list[Document], *, running: int, until: datetime = MORNING) -> Iterator[Row]:
    """The runs of the last day, of which the first ``running`` of the last hour go on, and the sensors of data."""
    for document in found:
        for date, at in _started(document, until):
            goes_on = running > 0 and at > until - timedelta(hours=1)
            running -= goes_on
            row = run_row(document, date, at, goes_on=goes_on)
            yield row
            if not goes_on:
                yield _verdict(row, at)
        if "trigger" in document["schedule"]:
            yield from _data(document, until)


def finished_runs(found: list[Document], number: int) -> Iterator[Row]:
    """Runs of former weeks, with what was remembered of them; they stand on no index."""
    days = -(-number // len(found))
    dates = [MORNING - timedelta(days=10 + day) for day in range(days)]
    pairs = ((document, at) for at in dates for document in found)
    for document, at in islice(pairs, number):
        row = run_row(document, f"{at:%Y-%m-%d}", at, goes_on=False)
        yield from (row, _verdict(row, at))


def run_row(document: Document, date: str, at: datetime, *, goes_on: bool) -> Row:
    """A trigger row, launched, that goes on or has completed half an hour later."""
    config = read_config(config_row(document))
    pipeline = config.pipeline
    row = {
        "PK": _pk(document),
        "SK": rows.trigger(pipeline.schedule_id, date),
        "status": "RUNNING" if goes_on else "COMPLETED",
        "attempt": 0,
        "startedAt": rfc3339(at),
        "input": execution_input(config, date, attempt=0, arrival=None, now=at),
        "cause": f"tick:{rfc3339(at)}",
        "staleAt": rfc3339(at + timedelta(hours=4, minutes=30)),
        "executionArn": execution_arn(MACHINE, execution_name(pipeline.id, pipeline.schedule_id, date, 0, at)),
    }
    if goes_on:
        return row | {KIND: str(Kind.RUNNING)}
    end = at + timedelta(minutes=30)
    return row | {"completedAt": rfc3339(end), "ttl": epoch_seconds(end + timedelta(days=400))}


def _verdict(row: Row, at: datetime) -> Row:
    """That a finished run met its deadline, and that this was told."""
    schedule_id, date = row["SK"].split("#")[1:]
    data = {"event": "SLA_MET", "message": "in time", "detail": {}, "toldAt": rfc3339(at)}
    return {"PK": row["PK"], "SK": rows.verdict_marker("sla", schedule_id, date), "data": data, "ttl": row["ttl"]}


def _document(number: int, schedule: dict[str, Any], sla: dict[str, Any]) -> Document:
    identity = {"id": f"team-{number % 40}-pipeline-{number:05}", "owner": f"team-{number % 40}"}
    evaluation = {"evaluation": {"window": "1h", "interval": "5m"}}
    return gold(pipeline=identity, sla=sla) | {"schedule": schedule | evaluation}


def _started(document: Document, until: datetime) -> Iterator[tuple[str, datetime]]:
    """The dates that were started within the last day, and when."""
    schedule = document["schedule"]
    if schedule.get("cron") == "15 * * * *":
        for hours in range(1, 26):
            at = (until - timedelta(hours=hours)).replace(minute=15)
            yield f"{at:%Y-%m-%dT%H}", at
        return
    days = (0, 1) if "trigger" not in schedule else (1,)
    for at in (until.replace(hour=5, minute=30) - timedelta(days=day) for day in days):
        yield f"{at:%Y-%m-%d}", at


def _data(document: Document, until: datetime) -> Iterator[Row]:
    """Yesterday's sensor."""
    at = until - timedelta(days=1)
    fields = {"state": "ready", "count": 12345, "date": f"{at:%Y-%m-%d}", "updatedAt": rfc3339(at)}
    yield {"PK": _pk(document), "SK": rows.sensor("orders"), "data": fields}


def _pk(document: Document) -> str:
    return rows.pk(document["pipeline"]["id"])
