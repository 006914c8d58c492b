"""The timeline on a terminal."""

from __future__ import annotations

import io
from datetime import UTC

from rich.console import Console

from interlock_tf.local.moments import moments
from interlock_tf.local.tally import Tally
from interlock_tf.local.telling import table, tell
from interlock_tf.local.timeline import Kind
from tests.fakes.timelines import entry, pipeline, run

ENTRIES = [
    entry("07:00", Kind.SENSOR, "orders", "", rows=3),
    *run("08:00", "08:10"),
    entry(
        "09:00",
        Kind.EVENT,
        "SLA_BREACH",
        "it was due at nine, and " + "nobody had done anything " * 5,
        date="2026-03-02",
    ),
    entry("09:01", Kind.EVENT, "RERUN_ACCEPTED", "[red]not markup[/]", pipeline=None),
]


def shown(width: int, *, terminal: bool = False) -> str:
    file = io.StringIO()
    colours = "standard" if terminal else None
    console = Console(file=file, width=width, highlight=False, force_terminal=terminal, color_system=colours)
    tell(console, moments(ENTRIES, {"gold": pipeline()}, UTC), UTC)
    return file.getvalue()


def test_a_narrow_terminal_has_long_reasons_below_and_nothing_is_wider() -> None:
    lines = shown(60).splitlines()
    assert lines[:3] == [
        "Tuesday 3 March 2026, UTC",
        "  07:00  gold  ▾ sensor orders   rows 3",
        "  08:00  gold  ▶ job starts      attempt 0: glue gold-etl",
    ]
    breach = lines.index("  09:00  gold  ◆ SLA breach")
    assert lines[breach + 1].startswith("         2026-03-02: it was due at nine, and")
    assert max(map(len, lines)) <= 60
    assert not [line for line in lines if line != line.rstrip()]


def test_a_wide_terminal_has_reasons_beside() -> None:
    lines = shown(120).splitlines()
    (breach,) = (line for line in lines if "SLA breach" in line)
    assert "2026-03-02: it was due at nine" in breach
    assert max(map(len, lines)) <= 120
    assert "[red]not markup[/]" in lines[-1]


def test_colours_come_with_signs() -> None:
    plain, coloured = shown(100), shown(100, terminal=True)
    assert "\x1b[" not in plain
    assert "\x1b[1;31m◆ SLA breach" in coloured


def test_the_numbers_fit_into_eighty_columns() -> None:
    file = io.StringIO()
    numbers = Tally(runs=25, jobs=25, failed=2, held=3, prevented=1, met=23, breached=1, warnings=12, criticals=3)
    Console(file=file, width=80).print(table({"clickstream-hourly": numbers, "inventory-snapshot": Tally()}))
    heading, _, first, second, _, total = (line.rstrip() for line in file.getvalue().splitlines())
    assert heading.split() == [
        "pipeline",
        "runs",
        "jobs",
        "failed",
        "held",
        "back",
        "prevented",
        "SLA",
        "met",
        "alerts",
    ]
    assert first.split() == ["clickstream-hourly", "25", "25", "2", "3", "1", "23/24", "12▲", "3◆"]
    assert second.split() == ["inventory-snapshot", *"–––––––"]
    assert total.split() == ["all", *first.split()[1:]]
