"""Writes the page: headline figures, a legend, and a lane for each pipeline with what happened below it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from html import escape
from importlib.resources import files
from operator import add
from zoneinfo import ZoneInfo

from interlock_runtime import __version__
from interlock_runtime.core.documents import Pipeline
from interlock_tf.local.moments import Moment, Tone
from interlock_tf.local.page.drawing import axis, lane, sample
from interlock_tf.local.page.lanes import Lane, Look, lanes
from interlock_tf.local.page.packing import NARROW, WALL, WIDE, Format, Scale
from interlock_tf.local.tally import Tally, figures, sentence
from interlock_tf.local.timeline import Entry

_LEGEND: Sequence[tuple[Look, str]] = (
    (Look.SENSOR, "sensor written"),
    (Look.TICK, "cron fires"),
    (Look.REQUEST, "a person asks"),
    (Look.WAITING, "waits for its data; a dot where the verdict changed"),
    (Look.SUCCESS, "job succeeded; the number is the attempt, from 0"),
    (Look.FAIL, "job failed"),
    (Look.RUNNING, "job still running"),
    (Look.REHEARSED, "dry run: would run"),
    (Look.DUE, "due"),
    (Look.MET, "deadline met"),
    (Look.WARNED, "deadline near"),
    (Look.BREACHED, "deadline breached"),
    (Look.NOTICE, "notice"),
    (Look.WARNING, "warning"),
    (Look.CRITICAL, "critical"),
)

_SIGNS = {Tone.PLAIN: "·", Tone.GOOD: "✓", Tone.NOTICE: "○", Tone.WARNING: "▲", Tone.CRITICAL: "◆"}


@dataclass(frozen=True, kw_only=True)
class _Page:
    lanes: Sequence[Lane]
    start: datetime
    end: datetime
    zone: ZoneInfo


def page(
    entries: Sequence[Entry], pipelines: Mapping[str, Pipeline], *, start: datetime, end: datetime, zone: ZoneInfo
) -> str:
    """The HTML document about a time, with its instants in ``zone``."""
    drawn = lanes(entries, pipelines, start=start, end=end, zone=zone)
    return _written(_Page(lanes=drawn, start=start, end=end, zone=zone))


def _written(told: _Page) -> str:
    title = _title(told)
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    total = reduce(add, (each.tally for each in told.lanes), Tally())
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f'<meta name="generator" content="interlock-tf {escape(__version__)}">',
            f"<title>{escape(title)} – Interlock</title>",
            f"<style>\n{style}</style>",
            "</head>",
            "<body>",
            _HATCH,
            *_head(told, title, total),
            *_main(told),
            "</body>",
            "</html>",
            "",
        ]
    )


#: The pattern that marks what failed and what waits, besides the colour.
_HATCH = (
    '<svg class="patterns" width="0" height="0" aria-hidden="true"><defs>'
    '<pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<line x1="0" y1="0" x2="0" y2="5" class="stripe"></line></pattern></defs></svg>'
)


def _head(told: _Page, title: str, total: Tally) -> Iterator[str]:
    count = sum(each.pipeline is not None for each in told.lanes)
    yield "<header><div>"
    yield f"<h1>{escape(title)}</h1>"
    pipelines = f"{count} pipeline" if count == 1 else f"{count} pipelines"
    zone = f"<strong>{escape(told.zone.key)}</strong>"
    yield f'<p class="about">What Interlock did with {pipelines}: the synthesised stack, run in virtual time.'
    yield f"All times are {zone}, unless they say otherwise.</p>"
    yield "</div>"
    yield '<ul class="figures">'
    for figure in figures(total):
        yield (
            f'<li class="{figure.tone}"><strong>{escape(figure.number)}</strong> '
            f"<span>{escape(figure.what)}</span> <small>{escape(figure.more)}</small></li>"
        )
    yield "</ul>"
    yield "</header>"


def _main(told: _Page) -> Iterator[str]:
    yield "<main>"
    times = "".join(axis(_scale(told, form), told.zone) for form in (WIDE, WALL))
    yield f'<div class="axis"><span>{escape(told.zone.key)}</span><div>{times}</div></div>'
    for each in told.lanes:
        yield from _lane(told, each)
    yield "</main>"
    yield '<section class="legend" aria-label="Legend">'
    yield "<h2>How to read it</h2>"
    yield "<ul>"
    for look, meaning in _LEGEND:
        yield f"<li>{sample(look)} {escape(meaning)}</li>"
    yield "</ul>"
    yield "</section>"


def _scale(told: _Page, form: Format) -> Scale:
    return Scale(start=told.start, end=told.end, format=form)


def _lane(told: _Page, each: Lane) -> Iterator[str]:
    said = sentence(each.tally) if each.pipeline else "alarms and failures of the installation"
    yield f'<section class="lane {_worst(each)}">'
    yield '<div class="name">'
    yield f"<h2>{escape(each.name)}</h2>"
    if each.pipeline is not None:
        if each.pipeline.pipeline.description:
            yield f'<p class="description">{escape(each.pipeline.pipeline.description)}</p>'
        yield f'<p class="facts">{escape(_facts(each.pipeline))}</p>'
    yield f'<p class="verdict">{escape(said)}</p>'
    yield "</div>"
    yield "<figure>"
    if each.items:
        label = f"{each.name}: {said}"
        yield from (lane(each, _scale(told, form), told.zone, label=label) for form in (WIDE, WALL, NARROW))
    else:
        yield '<p class="nothing">Nothing happened.</p>'
    yield "</figure>"
    if each.moments:
        yield "<details>"
        yield f"<summary>What happened, and why <small>({len(each.moments)})</small></summary>"
        yield "<ol>"
        for moment in each.moments:
            yield _moment(told, each, moment)
        yield "</ol>"
        yield "</details>"
    yield "</section>"


def _moment(told: _Page, each: Lane, moment: Moment) -> str:
    local = moment.at.astimezone(told.zone)
    times = f"{local:%H:%M}" if (told.end - told.start).days <= 1 else f"{local:%d %b %H:%M}"
    if moment.until is not None:
        times += f"–{moment.until.astimezone(told.zone):%H:%M}"
    own = ""
    if each.pipeline is not None and moment.until is None:
        there = moment.at.astimezone(each.pipeline.schedule.timezone)
        if there.utcoffset() != local.utcoffset():
            own = f"<small>{there:%H:%M} {escape(there.tzname() or '')}</small>"
    date = "" if moment.date is None else moment.date.removeprefix(str(local.date()))
    about = f" <small>{escape(date)}</small>" if date else ""
    name = f' title="{escape(moment.name)}"' if moment.name else ""
    return (
        f'<li class="{moment.tone}"><time datetime="{moment.at.isoformat()}">{times}{own}</time>'
        f'<b{name}><i aria-hidden="true">{_SIGNS[moment.tone]}</i>{escape(moment.what)}{about}</b>'
        f"<span>{escape(moment.why)}</span></li>"
    )


def _facts(pipeline: Pipeline) -> str:
    """When it runs, as what, and by when it must be done."""
    schedule, sla = pipeline.schedule, pipeline.sla
    facts = []
    if schedule.cron:
        facts.append(f"cron {schedule.cron.expression}")
    if schedule.include:
        count = len(schedule.include.dates)
        facts.append(f"expected on {count} date{'s' if count != 1 else ''}")
    if schedule.trigger:
        facts.append(f"starts with {schedule.trigger.key}")
    facts.append(f"{pipeline.job.type} job")
    if sla and sla.deadline:
        facts.append(f"due {sla.deadline}")
    facts.append(str(schedule.timezone))
    return " · ".join(facts)


def _worst(each: Lane) -> Tone:
    tones = {moment.tone for moment in each.moments}
    return next((tone for tone in (Tone.CRITICAL, Tone.WARNING) if tone in tones), Tone.GOOD)


def _title(told: _Page) -> str:
    first, last = told.start.astimezone(told.zone), told.end.astimezone(told.zone)
    if first.hour == first.minute == last.hour == last.minute == 0 and (last.date() - first.date()).days == 1:
        return f"{first:%A} {first.day} {first:%B %Y}"
    end = f"{last:%H:%M}" if first.date() == last.date() else f"{last.day} {last:%B %Y %H:%M}"
    return f"{first.day} {first:%B %Y %H:%M} to {end}"
