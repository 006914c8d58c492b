"""Check 8, relative SLA: dates whose first sensor has arrived, and that may take too long."""

from __future__ import annotations

from datetime import datetime

from interlock_runtime.control import arrivals, sla
from interlock_runtime.control.looks import Look
from interlock_runtime.control.ports import WatchdogPorts
from interlock_runtime.control.watchdog.candidates import config_of, is_passed_over
from interlock_runtime.core import arrival_rows, rows
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.rows import Row
from interlock_runtime.core.sla_deadlines import relative


def look(ports: WatchdogPorts, row: Row, now: datetime) -> Look[None]:
    """Bring the relative deadline of an arrival up to date; the arrival is settled when its verdict stands."""
    pipeline_id, date = rows.pipeline_of(row["PK"]), rows.arrival_date(row["SK"])
    if pipeline_id is None or date is None:
        return
    config = yield from config_of(pipeline_id)
    if config is None or is_passed_over(config, date):
        arrivals.settle(ports, pipeline_id, date)
        return
    deadline = relative(config.pipeline, ExecutionDate.parse(date), arrival_rows.of_row(row))
    found = yield deadline.keys if deadline else ()
    if deadline is None or sla.attend(ports, deadline, found, now=now):
        arrivals.settle(ports, pipeline_id, date)
