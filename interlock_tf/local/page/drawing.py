"""Draws a lane, and the axis above, as SVG. All text goes through the XML library, which escapes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from xml.etree import ElementTree

from interlock_tf.local.page.lanes import Lane, Look
from interlock_tf.local.page.packing import SLENDER, Format, Placed, Scale, packed, ticks

_BETWEEN = 5.0
_LOOK_ROOM = 3.1
_BARS = frozenset({Look.WAITING, Look.SUCCESS, Look.FAIL, Look.RUNNING, Look.REHEARSED})


class _Svg:
    """One drawing. ``height`` is known at the end."""

    def __init__(self, form: Format, **attributes: str) -> None:
        self.root = ElementTree.Element("svg", {"class": form.name, **attributes})
        self._form = form

    def add(self, tag: str, look: str = "", *, into: ElementTree.Element | None = None, **values: object) -> None:
        attributes = {"class": look} if look else {}
        attributes |= {name.replace("_", "-"): _number(value) for name, value in values.items()}
        ElementTree.SubElement(self.root if into is None else into, tag, attributes)

    def group(self, look: str, title: str) -> ElementTree.Element:
        made = ElementTree.SubElement(self.root, "g", {"class": look})
        ElementTree.SubElement(made, "title").text = title
        return made

    def text(self, content: str, x: float, y: float, look: str, *, into: ElementTree.Element | None = None) -> None:
        attributes = {"class": look, "x": _number(x), "y": _number(y), "font-size": _number(self._form.text)}
        ElementTree.SubElement(self.root if into is None else into, "text", attributes).text = content

    def finished(self, height: float) -> str:
        self.root.set("viewBox", f"0 0 {_number(self._form.width)} {_number(height)}")
        return ElementTree.tostring(self.root, encoding="unicode")


def lane(drawn: Lane, scale: Scale, zone: tzinfo, *, label: str) -> str:
    """The tracks of a lane, one below the other; ``label`` says what is seen for those who do not see."""
    form = scale.format
    svg = _Svg(form, role="img", **{"aria-label": label})
    tracks = packed(drawn.items, scale)
    height = sum(len(rows) * form.row + _BETWEEN for rows in tracks.values()) + _BETWEEN
    for x, local in ticks(scale, zone, room=_room(form)):
        look = "grid day" if local.hour == local.minute == 0 else "grid"
        svg.add("line", look, x1=x, x2=x, y1=0, y2=height)
    y = _BETWEEN
    for track, rows in tracks.items():
        if form.words:
            svg.text(str(track), 0, y + form.row / 2 + form.text * 0.35, "track")
        for number, row in enumerate(rows):
            for placed in row:
                _draw(svg, placed, scale, y + (number + 0.5) * form.row)
        y += len(rows) * form.row + _BETWEEN
    if form.words:
        return svg.finished(height)
    _times(svg, scale, zone, height + form.text)
    return svg.finished(height + form.text * 1.6)


def axis(scale: Scale, zone: tzinfo) -> str:
    """The times above the lanes."""
    svg = _Svg(scale.format, **{"aria-hidden": "true"})
    _times(svg, scale, zone, scale.format.text * 1.2)
    return svg.finished(scale.format.text * 1.7)


def sample(look: Look) -> str:
    """A mark or a bar by itself, for the legend."""
    root = _Svg(Format(name="sample", width=22, left=0, right=0, mark=13, row=16, text=11, words=True))
    root.root.set("aria-hidden", "true")
    group = root.group(str(look), str(look))
    if look in _BARS:
        _bar(root, group, look, 1, 21, 8, 12)
    else:
        _MARKS[look](root, group, 6 if look in (Look.MET, Look.WARNED, Look.BREACHED) else 11, 8, 13)
    return root.finished(16)


def _room(form: Format) -> float:
    return form.text * (5.2 if form.words else 4.4)


def _times(svg: _Svg, scale: Scale, zone: tzinfo, y: float) -> None:
    form = scale.format
    for x, local in ticks(scale, zone, room=_room(form)):
        midnight = local.hour == local.minute == 0
        days = (scale.end - scale.start).days > 1
        text = f"{local:%d %b}" if midnight and days else f"{local:%H:%M}"
        length = form.length(text)
        svg.text(text, min(max(x - length / 2, 0), form.width - length), y, "time")


def _draw(svg: _Svg, placed: Placed, scale: Scale, y: float) -> None:
    item, form = placed.item, scale.format
    group = svg.group(str(item.look), item.title)
    if item.until is None:
        _MARKS[item.look](svg, group, placed.x, y, form.mark)
    else:
        _bar(svg, group, item.look, placed.x, placed.right, y, form.row - 3)
        _looks(svg, group, placed, scale, y)
    if placed.inside:
        svg.text(placed.label, (placed.x + placed.right) / 2, y + form.text * 0.35, "inside", into=group)
    elif placed.label:
        look = "beside before" if placed.before else "beside"
        svg.text(placed.label, placed.label_x, y + form.text * 0.36, look, into=group)


def _bar(svg: _Svg, group: ElementTree.Element, look: Look, x: float, right: float, y: float, height: float) -> None:
    svg.add("rect", "bar", into=group, x=x, y=y - height / 2, width=right - x, height=height, rx=2)
    if look in (Look.FAIL, Look.WAITING):
        svg.add("rect", "hatch", into=group, x=x, y=y - height / 2, width=right - x, height=height, rx=2)


def _looks(svg: _Svg, group: ElementTree.Element, placed: Placed, scale: Scale, y: float) -> None:
    """The times at which a waiting run looked, as far as there is room; the last one always."""
    before = float("-inf")
    for at, passed in placed.item.looks:
        x = scale.x(at)
        if passed:
            svg.add("circle", "passed", into=group, cx=x, cy=y, r=3.2)
        elif x - before >= _LOOK_ROOM:
            svg.add("circle", "look", into=group, cx=x, cy=y, r=1.4)
            before = x


def _sensor(svg: _Svg, group: ElementTree.Element, x: float, y: float, size: float) -> None:
    half, wide = size / 2, size * SLENDER / 2
    head = ("M", x - wide, y - half, "H", x + wide, "L", x + 1.1, y - half * 0.1, "V", y + half)
    svg.add("path", into=group, d=_path(*head, "H", x - 1.1, "V", y - half * 0.1, "Z"))


def _request(svg: _Svg, group: ElementTree.Element, x: float, y: float, size: float) -> None:
    half = size / 2
    svg.add("circle", into=group, cx=x, cy=y - half * 0.5, r=half * 0.45)
    body = ("M", x - half * 0.9, y + half, "A", half * 0.9, half * 0.9, 0, 0, 1, x + half * 0.9, y + half, "Z")
    svg.add("path", into=group, d=_path(*body))


def _tick(svg: _Svg, group: ElementTree.Element, x: float, y: float, size: float) -> None:
    half = size / 2 - 0.7
    svg.add("circle", "open", into=group, cx=x, cy=y, r=half)
    svg.add("path", "open", into=group, d=_path("M", x, y - half * 0.6, "V", y, "H", x + half * 0.5))


def _due(svg: _Svg, group: ElementTree.Element, x: float, y: float, size: float) -> None:
    svg.add("line", "pole", into=group, x1=x, x2=x, y1=y - size * 0.65, y2=y + size * 0.65)


def _flag(svg: _Svg, group: ElementTree.Element, x: float, y: float, size: float) -> None:
    """A flag at the right of its pole; its class says whether it is filled."""
    top, low = y - size / 2, y + size * 0.12
    svg.add("line", "pole", into=group, x1=x, x2=x, y1=top - 0.5, y2=y + size / 2 + 0.5)
    svg.add("path", "cloth", into=group, d=_path("M", x, top, "H", x + size * 0.9, "V", low, "H", x, "Z"))


def _met(svg: _Svg, group: ElementTree.Element, x: float, y: float, size: float) -> None:
    _flag(svg, group, x, y, size)
    down = ("M", x + size * 0.2, y - size * 0.2, "L", x + size * 0.38, y - size * 0.03)
    svg.add("path", "sign", into=group, d=_path(*down, "L", x + size * 0.72, y - size * 0.37))


def _warned(svg: _Svg, group: ElementTree.Element, x: float, y: float, size: float) -> None:
    top, low = y - size / 2, y + size * 0.12
    svg.add("line", "pole", into=group, x1=x, x2=x, y1=top - 0.5, y2=y + size / 2 + 0.5)
    tip = ("M", x, top, "L", x + size * 0.95, (top + low) / 2, "L", x, low, "Z")
    svg.add("path", "cloth", into=group, d=_path(*tip))


def _breached(svg: _Svg, group: ElementTree.Element, x: float, y: float, size: float) -> None:
    _flag(svg, group, x, y, size)
    a, b, top, low = x + size * 0.3, x + size * 0.6, y - size * 0.34, y - size * 0.04
    svg.add("path", "sign", into=group, d=_path("M", a, top, "L", b, low, "M", b, top, "L", a, low))


def _notice(svg: _Svg, group: ElementTree.Element, x: float, y: float, size: float) -> None:
    svg.add("circle", "open", into=group, cx=x, cy=y, r=size * 0.36)


def _warning(svg: _Svg, group: ElementTree.Element, x: float, y: float, size: float) -> None:
    half = size / 2
    svg.add("path", into=group, d=_path("M", x, y - half, "L", x + half, y + half * 0.8, "H", x - half, "Z"))


def _critical(svg: _Svg, group: ElementTree.Element, x: float, y: float, size: float) -> None:
    half = size / 2
    diamond = ("M", x, y - half, "L", x + half, y, "L", x, y + half, "L", x - half, y, "Z")
    svg.add("path", into=group, d=_path(*diamond))
    svg.add(
        "path",
        "sign",
        into=group,
        d=_path("M", x, y - half * 0.5, "V", y + half * 0.1, "M", x, y + half * 0.35, "V", y + half * 0.5),
    )


_Mark = Callable[[_Svg, ElementTree.Element, float, float, float], None]
_MARKS: Mapping[Look, _Mark] = {
    Look.SENSOR: _sensor,
    Look.REQUEST: _request,
    Look.TICK: _tick,
    Look.DUE: _due,
    Look.MET: _met,
    Look.WARNED: _warned,
    Look.BREACHED: _breached,
    Look.NOTICE: _notice,
    Look.WARNING: _warning,
    Look.CRITICAL: _critical,
}


def _path(*parts: str | float) -> str:
    return " ".join(part if isinstance(part, str) else _number(part) for part in parts)


def _number(value: object) -> str:
    """Numbers short and the same everywhere; whatever else, as text."""
    if isinstance(value, float | int):
        return f"{value:.1f}".removesuffix(".0")
    return str(value)
