"""``events`` as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from interlock_tf.installation.history import StoredEvent
from interlock_tf.installation.screen import clean
from interlock_tf.installation.times import local

_STYLES = {"info": "", "notice": "busy", "warning": "warn", "critical": "bad"}

#: From this width on, the message stands beside the rest.
_WIDE = 120


def events_parts(found: Sequence[StoredEvent], zone: tzinfo, *, width: int) -> Iterator[Table | Text | Padding]:
    """The events, each on a line, or on a narrow screen on two."""
    if not found:
        yield Text("no events")
        return
    if width < _WIDE:
        for event in found:
            yield Text(f"{_at(event, zone)}  ").append(_type(event)).append(f"  {_subject(event)}")
            yield Padding(Text(clean(event.text("message"))), (0, 0, 0, 4))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="head")
    for title in ("AT", "EVENT", "PIPELINE", "MESSAGE"):
        table.add_column(title, overflow="fold")
    for event in found:
        table.add_row(_at(event, zone), _type(event), _subject(event), clean(event.text("message")))
    yield table


def _at(event: StoredEvent, zone: tzinfo) -> str:
    return local(event.at.replace(microsecond=0), zone)


def _type(event: StoredEvent) -> Text:
    return Text(clean(event.text("eventType")), _STYLES.get(event.severity or "", ""))


def _subject(event: StoredEvent) -> str:
    return clean(" ".join(each for each in (event.text("pipelineId"), event.text("date")) if each))
