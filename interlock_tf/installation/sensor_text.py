"""``sensor`` as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from interlock_runtime.core.sensors import told_date, updated_at
from interlock_runtime.core.wording import shown
from interlock_tf.installation.explain_text import condition
from interlock_tf.installation.screen import clean
from interlock_tf.installation.sensor_rows import SensorRow
from interlock_tf.installation.times import distance


def put_parts(found: SensorRow, *, table: str) -> Iterator[Text | Padding]:
    """What was written, which date it is for, and what each rule that reads it says now."""
    yield Text(f"Wrote sensor {clean(found.key)} of {found.pipeline.id} to {table}: {_fields(found)}")
    for ignored in found.ignored:
        yield Text(f"ignored: {clean(ignored)}", "warn")
    if not found.readings:
        yield Text("No rule reads it.", "warn")
        return
    yield Text(f"It is for {found.date}. It is read by:")
    grid = Table.grid(padding=(0, 2, 0, 0))
    for each in found.readings:
        verdict = Text("holds", "good") if each.result.passed else Text("fails", "bad")
        grid.add_row(each.path, condition(each.result.rule), verdict)
    yield Padding(grid, (0, 0, 0, 2))


def list_parts(found: Sequence[SensorRow], *, now: datetime) -> Iterator[Text | Table]:
    """The sensors of a pipeline as a table."""
    if not found:
        yield Text("no sensors")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="head")
    for title in ("SENSOR", "DATE", "UPDATED", "FIELDS", "READ BY"):
        table.add_column(title, overflow="fold")
    for each in found:
        updated = updated_at(each.sensor)
        readers = Text("\n".join(reading.path for reading in each.readings) or "no rule")
        fields = Text(f"it {clean(each.sensor.problem)}", "bad") if each.sensor.problem else Text(_fields(each))
        told = _date(each)
        table.add_row(clean(each.key), told, "-" if updated is None else distance(updated, now), fields, readers)
    yield table


def _date(found: SensorRow) -> str:
    """The date that it says itself to be for."""
    rule_key = found.readings[0].result.rule.key if found.readings else found.key
    told = told_date(found.pipeline, rule_key, found.sensor)
    return "-" if told is None else str(told)


def _fields(found: SensorRow) -> str:
    return ", ".join(f"{clean(name)}={shown(value)}" for name, value in found.sensor.fields.items()) or "no fields"
