"""Where items stand: instants become positions, and what would overlap goes one row further down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo

from interlock_tf.local.page.lanes import Item, Look, Track

#: A character is about this much of the text's size wide; broader than most fonts are.
_CHARACTER = 0.6
_SHORTEST_BAR = 4.0
_GAP = 1.5
#: A sensor is a tick, this much of a mark's size wide: there are many.
SLENDER = 0.55
#: With more bars than this, a number that does not fit into its bar is left out.
_MOST_NUMBERS = 12

_MINUTES = (5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1440, 2880, 10080, 40320)


@dataclass(frozen=True, kw_only=True)
class Format:
    """One size of drawing, in units that scale with the width of the screen.

    ``left`` and ``right`` are margins, ``mark`` is the size of a mark, ``text`` that of letters, and
    ``words`` whether there is room for words beside marks.
    """

    name: str
    width: float
    left: float
    right: float
    mark: float
    row: float
    text: float
    words: bool

    def length(self, text: str) -> float:
        """How wide a text is."""
        return len(text) * self.text * _CHARACTER


WIDE = Format(name="wide", width=1000, left=76, right=16, mark=11, row=17, text=12.5, words=True)
WALL = Format(name="wall", width=1500, left=84, right=18, mark=11.5, row=15.5, text=13, words=True)
NARROW = Format(name="narrow", width=360, left=8, right=11, mark=9, row=15, text=12, words=False)


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Where in a drawing an instant is."""

    start: datetime
    end: datetime
    format: Format

    def x(self, instant: datetime) -> float:
        """The position of an instant; what is outside is at the margin."""
        part = (instant - self.start) / (self.end - self.start)
        return self.format.left + min(max(part, 0.0), 1.0) * (self.format.width - self.format.left - self.format.right)


@dataclass(frozen=True, kw_only=True)
class Placed:
    """An item with its place: its instant is at ``x``, and it reaches from ``left`` to ``right``.

    ``label`` is what is written from ``label_x`` on, or up to there when it stands ``before`` the
    mark; empty when there is no room.
    """

    item: Item
    x: float
    left: float
    right: float
    label: str = ""
    label_x: float = 0
    inside: bool = False
    before: bool = False


def packed(items: Sequence[Item], scale: Scale) -> dict[Track, list[list[Placed]]]:
    """The rows of each track that has any, each row from left to right and without overlap."""
    bars = sum(item.until is not None and item.look is not Look.WAITING for item in items)
    tracks: dict[Track, list[list[Placed]]] = {}
    for track in Track:
        rows: list[list[Placed]] = []
        ends: list[float] = []
        boxes = [_box(item, scale, numbers=bars <= _MOST_NUMBERS) for item in items if item.track is track]
        for start, end, placed in sorted(boxes, key=lambda box: (box[0], box[1])):
            row = next((row for row, taken in enumerate(ends) if taken <= start), len(rows))
            if row == len(rows):
                rows.append([])
                ends.append(0)
            ends[row] = end
            rows[row].append(placed)
        if rows:
            tracks[track] = rows
    return tracks


def ticks(scale: Scale, zone: tzinfo, *, room: float) -> Iterator[tuple[float, datetime]]:
    """Round times of the clock in ``zone``, with at least ``room`` between two of them."""
    span = scale.format.width - scale.format.left - scale.format.right
    length = (scale.end - scale.start).total_seconds() / 60
    step = next((each for each in _MINUTES if each / length * span >= room), _MINUTES[-1])
    for instant in _quarters(scale.start, scale.end, timedelta(minutes=min(step, 15))):
        local = instant.astimezone(zone)
        minutes = local.toordinal() * 1440 + local.hour * 60 + local.minute
        if minutes % step == 0:
            yield scale.x(instant), local


def _quarters(start: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    """The multiples of a step, which divides a day, from one instant to another."""
    midnight = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    instant = midnight + -(-(start - midnight) // step) * step
    while instant <= end:
        yield instant
        instant += step


def _box(item: Item, scale: Scale, *, numbers: bool) -> tuple[float, float, Placed]:
    """From where to where an item needs room, and its place."""
    if item.until is not None:
        return _bar(item, scale, numbers=numbers)
    form = scale.format
    x = scale.x(item.at)
    left, right = _outline(item.look, x, form.mark)
    placed = Placed(item=item, x=x, left=left, right=right)
    length = form.length(item.label)
    after, before = right + 2 * _GAP, left - 2 * _GAP
    if form.words and item.label and after + length <= form.width:
        return left - _GAP, after + length + _GAP, replace(placed, label=item.label, label_x=after)
    if form.words and item.label and before - length >= form.left:
        box = before - length - _GAP, right + _GAP
        return *box, replace(placed, label=item.label, label_x=before, before=True)
    return left - _GAP, right + _GAP, placed


def _bar(item: Item, scale: Scale, *, numbers: bool) -> tuple[float, float, Placed]:
    assert item.until is not None
    form = scale.format
    x = scale.x(item.at)
    right = max(scale.x(item.until), x + _SHORTEST_BAR)
    placed = Placed(item=item, x=x, left=x, right=right)
    length = form.length(item.label)
    if item.label and length + 2 * _GAP <= right - x:
        return x, right, replace(placed, label=item.label, label_x=(x + right - length) / 2, inside=True)
    after = right + 2 * _GAP
    if item.label and numbers and after + length <= form.width:
        return x, after + length + _GAP, replace(placed, label=item.label, label_x=after)
    return x, right, placed


def _outline(look: Look, x: float, size: float) -> tuple[float, float]:
    """From where to where a mark reaches: flags stand to the right of their pole."""
    if look is Look.DUE:
        return x - 1, x + 1
    if look in (Look.MET, Look.WARNED, Look.BREACHED):
        return x - 1, x + size
    half = size / 2 * (SLENDER if look is Look.SENSOR else 1)
    return x - half, x + half
