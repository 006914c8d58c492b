"""What a page shows of each pipeline: items on four tracks, what happened in words, and the numbers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from enum import StrEnum

from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.events import EVENT_TYPES, Severity
from interlock_runtime.core.timestamps import parse_timestamp
from interlock_tf.local.moments import Moment, folded, moments, words
from interlock_tf.local.tally import Tally, tallies
from interlock_tf.local.timeline import Entry, Kind

#: The lane of what is about no pipeline: the installation's own alarms and failures.
INSTALLATION = "Interlock itself"

#: A track with more marks than this has words beside those only that are no good news; with more of these, none.
_MOST_LABELS = 12


class Track(StrEnum):
    """The tracks of a lane, from top to bottom."""

    DATA = "data"
    RUNS = "runs"
    DEADLINES = "deadlines"
    ALERTS = "alerts"


class Look(StrEnum):
    """What an item looks like; also its class in the style sheet."""

    SENSOR = "sensor"
    REQUEST = "request"
    TICK = "tick"
    WAITING = "waiting"
    SUCCESS = "success"
    FAIL = "fail"
    RUNNING = "running"
    REHEARSED = "rehearsed"
    DUE = "due"
    MET = "met"
    WARNED = "warned"
    BREACHED = "breached"
    NOTICE = "notice"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing to draw. ``until`` makes it a bar; ``label`` stands in the bar or beside the mark.

    ``looks`` are the times at which a waiting run looked, with whether the rules held.
    """

    track: Track
    look: Look
    at: datetime
    title: str
    until: datetime | None = None
    label: str = ""
    looks: tuple[tuple[datetime, bool], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One pipeline; ``pipeline`` is None for the installation's own lane."""

    name: str
    pipeline: Pipeline | None
    items: Sequence[Item]
    moments: Sequence[Moment]
    tally: Tally


_SEVERITIES: Mapping[Severity, Look] = {
    Severity.INFO: Look.NOTICE,
    Severity.NOTICE: Look.NOTICE,
    Severity.WARNING: Look.WARNING,
    Severity.CRITICAL: Look.CRITICAL,
}
#: Events that the bars show already, or that say only that everything is as it should be.
_SHOWN = frozenset(
    {
        "VALIDATION_PASSED",
        "JOB_TRIGGERED",
        "JOB_COMPLETED",
        "POST_RUN_BASELINE_CAPTURED",
        "POST_RUN_PASSED",
        "DRY_RUN_SLA_PROJECTION",
        "DRY_RUN_COMPLETED",
    }
)
_CALM = frozenset({Look.MET, Look.NOTICE, Look.DUE})
_FLAGS: Mapping[str, Look] = {"MET": Look.MET, "WARNING": Look.WARNED, "BREACH": Look.BREACHED}


def lanes(
    entries: Sequence[Entry], pipelines: Mapping[str, Pipeline], *, start: datetime, end: datetime, zone: tzinfo
) -> list[Lane]:
    """A lane for each pipeline, by id; one more when something is about none of them."""
    mine: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        mine[_lane_of(entry.pipeline_id, pipelines)].append(entry)
    told: defaultdict[str, list[Moment]] = defaultdict(list)
    for moment in folded(moments(entries, pipelines, zone), pipelines):
        told[_lane_of(moment.pipeline_id, pipelines)].append(moment)
    numbers = tallies(entries, pipelines)
    found = [
        Lane(
            name=name,
            pipeline=pipeline,
            items=_items(mine[name], start=start, end=end),
            moments=told[name],
            tally=numbers[name],
        )
        for name, pipeline in pipelines.items()
    ]
    if others := mine[INSTALLATION]:
        items = _items(others, start=start, end=end)
        found.append(Lane(name=INSTALLATION, pipeline=None, items=items, moments=told[INSTALLATION], tally=Tally()))
    return found


def _lane_of(pipeline_id: str | None, pipelines: Mapping[str, Pipeline]) -> str:
    return pipeline_id if pipeline_id is not None and pipeline_id in pipelines else INSTALLATION


def _items(entries: Sequence[Entry], *, start: datetime, end: datetime) -> list[Item]:
    drawn = _Drawing(end)
    for entry in entries:
        drawn.add(entry)
    within = [item for item in drawn.items() if start <= item.at <= end]
    return sorted(_labelled(within), key=lambda item: (list(Track).index(item.track), item.at))


def _labelled(items: Iterable[Item]) -> Iterator[Item]:
    """Take away the words beside marks where there are too many of them."""
    items = list(items)
    marks = Counter(item.track for item in items if item.until is None)
    loud = Counter(item.track for item in items if item.until is None and item.look not in _CALM)
    for item in items:
        among = marks if item.look in _CALM else loud
        too_many = item.until is None and among[item.track] > _MOST_LABELS
        yield replace(item, label="") if too_many else item


@dataclass
class _Drawing:
    """Makes items of the entries of one lane; what is still open is so until ``end``."""

    end: datetime
    _done: list[Item] = field(default_factory=list)
    _waiting: dict[tuple[str | None, object], list[Entry]] = field(default_factory=dict)
    _jobs: dict[tuple[str | None, object], Entry] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Take an entry, each later than the one before."""
        match entry.kind:
            case Kind.SENSOR:
                self._mark(entry, Track.DATA, Look.SENSOR, f"sensor {entry.what}: {entry.why}")
            case Kind.REQUEST:
                self._mark(entry, Track.DATA, Look.REQUEST, f"somebody asks for a {entry.what}: {entry.why}")
            case Kind.TICK:
                self._mark(entry, Track.DATA, Look.TICK, entry.why)
            case Kind.EVALUATION:
                self._evaluation(entry)
            case Kind.JOB:
                self._job(entry)
            case Kind.EVENT:
                self._event(entry)
            case Kind.RUN if entry.what not in ("starts", "ends"):
                self._mark(entry, Track.ALERTS, Look.CRITICAL, f"run {entry.what}: {entry.why}", entry.what)
            case Kind.ALARM if not entry.what.startswith("OK "):
                self._mark(entry, Track.ALERTS, Look.CRITICAL, f"alarm {entry.what}: {entry.why}", "alarm")
            case Kind.FAILURE:
                self._mark(entry, Track.ALERTS, Look.CRITICAL, f"{entry.what}: {entry.why}", "failure")

    def items(self) -> Iterator[Item]:
        """Everything, with what has not ended."""
        yield from self._done
        for each in self._waiting.values():
            yield self._band(each, self.end)
        for entry in self._jobs.values():
            yield self._bar(entry, self.end, Look.RUNNING, "is running")

    def _mark(self, entry: Entry, track: Track, look: Look, title: str, label: str = "") -> None:
        about = f" ({entry.date})" if entry.date else ""
        self._done.append(Item(track=track, look=look, at=entry.at, title=title + about, label=label))

    def _evaluation(self, entry: Entry) -> None:
        run = (entry.date, entry.detail.get("attempt"))
        if entry.what == "not ready":
            self._waiting.setdefault(run, []).append(entry)
        elif waited := self._waiting.pop(run, None):
            self._done.append(self._band([*waited, entry], entry.at))

    def _band(self, looked: Sequence[Entry], until: datetime) -> Item:
        *_, last = looked
        outcome = {"passed": "then every rule that must hold holds", "exhausted": "and then gave up"}
        title = f"waits ({looked[0].date}): {looked[0].why}; {outcome.get(last.what, 'and still does')}"
        looks = tuple((each.at, each.what == "passed") for each in looked)
        return Item(track=Track.RUNS, look=Look.WAITING, at=looked[0].at, until=until, title=title, looks=looks)

    def _job(self, entry: Entry) -> None:
        run = (entry.date, entry.detail.get("attempt"))
        if entry.what == "starts":
            self._jobs[run] = entry
        elif started := self._jobs.pop(run, None):
            look = Look.FAIL if entry.what.startswith("fail") else Look.SUCCESS
            self._done.append(self._bar(started, entry.at, look, f"ends: {entry.what}"))

    def _bar(self, started: Entry, until: datetime, look: Look, how: str) -> Item:
        attempt = started.detail.get("attempt")
        title = f"job {started.why} ({started.date}), attempt {attempt}, {how}"
        label = str(attempt) if attempt is not None else ""
        return Item(track=Track.RUNS, look=look, at=started.at, until=until, title=title, label=label)

    def _event(self, entry: Entry) -> None:
        if entry.what.startswith(("SLA_", "RELATIVE_SLA_")):
            self._deadline(entry)
        elif entry.what not in _SHOWN:
            kind = EVENT_TYPES.get(entry.what)
            look = _SEVERITIES[kind.severity] if kind else Look.NOTICE
            label = words(entry.what).removeprefix("dry run ")
            self._mark(entry, Track.ALERTS, look, f"{entry.what}: {entry.why}", label)
        if entry.what == "DRY_RUN_SLA_PROJECTION":
            until = parse_timestamp(entry.detail.get("estimatedCompletion"))
            title = f"a dry run: the job would run ({entry.date}); {entry.why}"
            bar = Item(track=Track.RUNS, look=Look.REHEARSED, at=entry.at, until=until, title=title, label="dry run")
            self._done.append(bar)

    def _deadline(self, entry: Entry) -> None:
        look = _FLAGS[entry.what.rpartition("_")[2]]
        self._mark(entry, Track.DEADLINES, look, f"{entry.what}: {entry.why}", words(entry.what))
        due = parse_timestamp(entry.detail.get("breachAt"))
        known = [item for item in self._done if item.look is Look.DUE and item.at == due]
        if look is Look.BREACHED:
            self._done = [item for item in self._done if item not in known]  # its flag stands there
        elif due is not None and not known:
            title = f"due ({entry.date}): {entry.detail.get('deadline')}"
            self._done.append(Item(track=Track.DEADLINES, look=Look.DUE, at=due, title=title))
