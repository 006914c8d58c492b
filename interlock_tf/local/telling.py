"""Tells a simulated time on a terminal: the moments one after the other, and the numbers as a table.

Why stands beside what on a wide terminal; on a narrow one, below it where it is long. Nothing is
told by colour alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, tzinfo
from functools import reduce
from operator import add
from textwrap import wrap

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from interlock_tf.local.moments import Moment, Tone
from interlock_tf.local.tally import Tally
from interlock_tf.local.timeline import Kind

#: At least so many columns must be left for why beside what.
_ROOM = 48
_INDENT = 9

#: A sign and a style for each tone.
_TONES: Mapping[Tone, tuple[str, str]] = {
    Tone.PLAIN: ("·", ""),
    Tone.GOOD: ("✓", "green"),
    Tone.NOTICE: ("○", "blue"),
    Tone.WARNING: ("▲", "yellow"),
    Tone.CRITICAL: ("◆", "bold red"),
}
_KINDS: Mapping[Kind, str] = {Kind.SENSOR: "▾", Kind.TICK: "◷", Kind.EVALUATION: "…", Kind.JOB: "▶", Kind.REQUEST: "☞"}
_PIPELINES = ("cyan", "magenta", "bright_blue", "bright_green", "bright_magenta", "bright_cyan")

#: The columns of the table: a heading, and what stands below it; nothing where there is nothing to count.
_COLUMNS: Mapping[str, Callable[[Tally], str]] = {
    "runs": lambda tally: _number(tally.runs),
    "jobs": lambda tally: _number(tally.jobs),
    "failed": lambda tally: _number(tally.failed),
    "held back": lambda tally: _number(tally.held),
    "prevented": lambda tally: _number(tally.prevented + tally.refused),
    "SLA met": lambda tally: f"{tally.met}/{tally.met + tally.breached}" if tally.met + tally.breached else "",
    "alerts": lambda tally: " ".join(filter(None, (_number(tally.warnings, "▲"), _number(tally.criticals, "◆")))),
}


def tell(console: Console, told: Sequence[Moment], zone: tzinfo) -> None:
    """Print the moments, with a heading for each day."""
    names = sorted({moment.pipeline_id for moment in told if moment.pipeline_id})
    colours = {name: _PIPELINES[number % len(_PIPELINES)] for number, name in enumerate(names)}
    longest = max(map(cell_len, names), default=0)
    widest = max((_what(moment).cell_len for moment in told), default=0)
    day = None
    for moment in told:
        local = moment.at.astimezone(zone)
        today = local.date()
        if today != day:
            day = today
            console.print(Text(f"{today:%A} {today.day} {today:%B %Y}, {local.tzname()}", style="bold"))
        line = Text.assemble((f"  {local:%H:%M}", "dim"), "  ", (moment.pipeline_id or "", _colour(moment, colours)))
        line.pad_right(_INDENT + longest + 2 - line.cell_len)
        line.append_text(_what(moment))
        _print(console, line, _why(moment, today), beside=_INDENT + longest + 2 + widest + 2)


def table(tallies: Mapping[str, Tally]) -> Table:
    """A line of numbers for each pipeline, and one for all."""
    total = reduce(add, tallies.values(), Tally())
    made = Table(
        box=box.SIMPLE_HEAD, show_footer=len(tallies) > 1, footer_style="bold", show_edge=False, padding=(0, 1, 0, 0)
    )
    made.add_column("pipeline", footer="all", no_wrap=True)
    for heading, text in _COLUMNS.items():
        made.add_column(heading, footer=text(total) or "–", justify="right", min_width=max(map(len, heading.split())))
    for pipeline_id, tally in tallies.items():
        made.add_row(pipeline_id, *(text(tally) or "–" for text in _COLUMNS.values()))
    return made


def _print(console: Console, line: Text, why: str, *, beside: int) -> None:
    """Print what happened and why: beside it at a column if there is room, else below."""
    room = console.width - beside
    if room < _ROOM and cell_len(why) > room:
        below = wrap(why, max(console.width - _INDENT, 20))
        indent = _INDENT
    else:
        line.pad_right(beside - line.cell_len)
        first, *below = wrap(why, room) or [""]
        line.append(first)
        indent = beside
    line.rstrip()
    console.print(line, soft_wrap=True)
    for each in below:
        console.print(Text(" " * indent + each, style="dim" if indent == _INDENT else ""), soft_wrap=True)


def _number(number: int, sign: str = "") -> str:
    return f"{number}{sign}" if number else ""


def _colour(moment: Moment, colours: Mapping[str, str]) -> str:
    return colours.get(moment.pipeline_id or "", "")


def _what(moment: Moment) -> Text:
    sign, style = _TONES[moment.tone]
    return Text(f"{_KINDS.get(moment.kind, sign)} {moment.what}", style=style)


def _why(moment: Moment, day: date) -> str:
    """Why, after the execution date where that is not the day itself."""
    of = "" if moment.date is None else moment.date.removeprefix(str(day))
    return f"{of}: {moment.why}" if of else moment.why
