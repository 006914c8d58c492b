"""``status`` as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.table import Table
from rich.text import Text

from interlock_tf.installation.due import Due
from interlock_tf.installation.overview import Overview, PipelineStatus
from interlock_tf.installation.screen import clean
from interlock_tf.installation.standings import Standing, State
from interlock_tf.installation.times import distance, rough

STYLES: Mapping[State, str] = {
    State.NO_RUN: "faint",
    State.EXCLUDED: "faint",
    State.EXPIRED: "bad",
    State.STARTING: "busy",
    State.WAITING: "warn",
    State.JOB: "busy",
    State.COMPLETED: "good",
    State.FAILED: "bad",
    State.OBSERVED: "good",
    State.UNREADABLE: "bad",
}

#: From this width on, a cell has its parts beside each other.
_WIDE = 140

#: How many reasons a cell holds.
_REASONS = 3


def status_parts(found: Overview, *, width: int) -> Iterator[Table | Text]:
    """The table, for a screen of this width, and what does not fit into it."""
    gap = "  " if width >= _WIDE else "\n"
    if found.pipelines:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="head")
        for title in ("PIPELINE", "LAST RUN", "WAITS FOR", "NEXT DEADLINE"):
            table.add_column(title, overflow="fold")
        for each in found.pipelines:
            for standing in each.others:
                cells = (_name(each, gap), _run(standing, gap), _waits(standing.waits_for))
                table.add_row(*cells, _due(standing, standing.next_due, gap))
            coming = each.next_due
            cells = (_name(each, gap), _run(each.last, gap), _waits(tuple(_main_waits(each))))
            table.add_row(*cells, _due(*coming, gap) if coming else Text("-", "faint"))
        yield table
    else:
        yield Text("no pipelines")
    for broken in found.unreadable:
        yield Text(f"{clean(broken.id)}: its row cannot be read: {clean(broken.problem)}", "bad")


def _name(status: PipelineStatus, gap: str) -> Text:
    text = Text(status.pipeline.id, "bad" if status.is_failing else "head")
    if status.pipeline.dry_run:
        text.append(f"{gap}dry run", "warn")
    if status.excluded is not None:
        text.append(f"{gap}excluded today", "faint")
    return text


def _run(standing: Standing | None, gap: str) -> Text:
    if standing is None:
        return Text("none", "faint")
    run = standing.facts.run
    text = Text(standing.facts.key.date)
    state = str(standing.state)
    if standing.state is State.FAILED and run is not None and run.reason:
        state = f"{state}: {run.reason}"
    text.append(f"{gap}{clean(state)}", STYLES[standing.state])
    if run is not None and run.attempt > 0:
        text.append(f", attempt {run.attempt}")
    if standing.since is not None:
        passed = rough(standing.now - standing.since)
        text.append(gap + (f"for {passed}" if standing.is_open else f"{passed} ago"), "faint")
    return text


def _main_waits(status: PipelineStatus) -> Iterator[str]:
    """What the last run waits for, and what the next one does, with its date."""
    last, opening = status.last, status.opening
    shown = [] if last is None else list(last.waits_for)
    yield from shown
    if opening is not None and not (last is not None and last.is_open):
        since = "" if opening.since is None else f" (for {rough(opening.now - opening.since)})"
        yield from (f"{opening.facts.key.date}{since}: {each}" for each in opening.waits_for)
    elif not shown:
        yield from status.waits_for


def _waits(waits: tuple[str, ...]) -> Text:
    more = f"\nand {len(waits) - _REASONS} more" if len(waits) > _REASONS else ""
    return Text("\n".join(map(clean, waits[:_REASONS])) + more if waits else "-", "" if waits else "faint")


def _due(standing: Standing, due: Due | None, gap: str) -> Text:
    if due is None:
        return Text("-", "faint")
    there = due.at.astimezone(due.zone)
    what = "start by" if due.what == "trigger" else due.what
    day = "" if there.date() == standing.now.astimezone(due.zone).date() else f"{there:%m-%d} "
    text = Text(f"{what} {day}{there:%H:%M} {there.tzname()}", "warn" if due.outcome == "warned" else "")
    return text.append(f"{gap}{distance(due.at, standing.now)}", "faint")
