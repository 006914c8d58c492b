"""What came of a simulation, in numbers: for each pipeline, and for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from interlock_runtime.core.events import EVENT_TYPES, Severity
from interlock_tf.local.moments import Tone
from interlock_tf.local.timeline import Entry, Kind

_REFUSED = frozenset({"RERUN_REJECTED", "DRY_RUN_RERUN_REJECTED", "PIPELINE_EXCLUDED"})
_MET = frozenset({"SLA_MET"})
_BREACHED = frozenset({"SLA_BREACH", "RELATIVE_SLA_BREACH"})
_MISSED = frozenset({"SCHEDULE_MISSED", "IRREGULAR_SCHEDULE_MISSED", "SENSOR_DEADLINE_EXPIRED"})


@dataclass(kw_only=True)
class Tally:
    """Numbers of one pipeline, or of many.

    Attributes:
        runs: runs that were started.
        repeated: those of them that were a retry or another rerun.
        jobs: jobs that were started.
        failed: those of them that failed.
        held: runs whose job started only when the data was there, later than the run.
        prevented: runs whose job was not started at all, because the rules never held.
        refused: requests and starts that were refused.
        missed: dates that were not started in time, and somebody was told.
        met: deadlines that were met.
        breached: deadlines that were not.
        warnings: events of that severity.
        criticals: events of that severity.
        rehearsed: jobs that a dry run would have started.
    """

    runs: int = 0
    repeated: int = 0
    jobs: int = 0
    failed: int = 0
    held: int = 0
    prevented: int = 0
    refused: int = 0
    missed: int = 0
    met: int = 0
    breached: int = 0
    warnings: int = 0
    criticals: int = 0
    rehearsed: int = 0

    def __add__(self, other: Tally) -> Tally:
        names = [each.name for each in fields(self)]
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in names})

    def _count_event(self, what: str) -> None:
        kind = EVENT_TYPES.get(what)
        self.refused += what in _REFUSED
        self.missed += what in _MISSED
        self.met += what in _MET
        self.breached += what in _BREACHED
        self.rehearsed += what == "DRY_RUN_WOULD_TRIGGER"
        self.warnings += kind is not None and kind.severity is Severity.WARNING
        self.criticals += kind is not None and kind.severity is Severity.CRITICAL


def tallies(entries: Iterable[Entry], pipeline_ids: Iterable[str]) -> Mapping[str, Tally]:
    """The numbers of each pipeline, in the order of the ids; entries about no pipeline count for none."""
    found = {pipeline_id: Tally() for pipeline_id in pipeline_ids}
    waiting: set[tuple[str | None, str | None, object]] = set()
    for entry in entries:
        tally = found.get(entry.pipeline_id or "")
        if tally is None:
            continue
        run = (entry.pipeline_id, entry.date, entry.detail.get("attempt"))
        match entry.kind, entry.what:
            case Kind.RUN, "starts":
                tally.runs += 1
                tally.repeated += entry.why != "attempt 0"
            case Kind.EVALUATION, "not ready":
                waiting.add(run)
            case Kind.EVALUATION, "passed":
                tally.held += run in waiting
            case Kind.EVALUATION, "exhausted":
                tally.prevented += 1
            case Kind.JOB, "starts":
                tally.jobs += 1
            case Kind.JOB, what:
                tally.failed += what.startswith("fail")
            case Kind.EVENT, what:
                tally._count_event(what)
    return found


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number to put in front: what it counts, what more there is to say, and how to take it."""

    number: str
    what: str
    more: str
    tone: Tone


def figures(total: Tally) -> list[Figure]:
    """What stands above everything else."""
    deadlines = total.met + total.breached
    rehearsed = f"; {total.rehearsed} more in dry runs" if total.rehearsed else ""
    return [
        Figure(
            number=str(total.held),
            what=f"{_noun(total.held, 'start')} held back",
            more="until the data was there",
            tone=Tone.NOTICE,
        ),
        Figure(
            number=str(total.prevented + total.refused),
            what="prevented",
            more=f"{_count(total.prevented, 'run')} without its data, {_count(total.refused, 'request')} refused",
            tone=Tone.NOTICE,
        ),
        Figure(
            number=str(total.runs),
            what=_noun(total.runs, "run"),
            more=f"{total.repeated} of them retries and reruns",
            tone=Tone.PLAIN,
        ),
        Figure(
            number=str(total.jobs),
            what=_noun(total.jobs, "job"),
            more=f"{total.failed} failed{rehearsed}",
            tone=Tone.PLAIN,
        ),
        Figure(
            number=f"{total.met}/{deadlines}",
            what=f"{_noun(deadlines, 'deadline')} met",
            more=f"{total.breached} breached",
            tone=Tone.WARNING if total.breached else Tone.GOOD,
        ),
        Figure(
            number=str(total.warnings + total.criticals),
            what=_noun(total.warnings + total.criticals, "alert"),
            more=f"{total.criticals} critical, {_count(total.warnings, 'warning')}",
            tone=Tone.CRITICAL if total.criticals else Tone.WARNING if total.warnings else Tone.GOOD,
        ),
    ]


def sentence(tally: Tally) -> str:
    """The numbers that are not zero, in words."""
    parts = [
        _count(tally.runs, "run") if tally.runs else "",
        _count(tally.jobs, "job") + (f", {tally.failed} failed" if tally.failed else "") if tally.jobs else "",
        f"{tally.held} held back" if tally.held else "",
        f"{tally.prevented} never started" if tally.prevented else "",
        f"{tally.refused} refused" if tally.refused else "",
        f"{tally.rehearsed} in a dry run" if tally.rehearsed else "",
        f"{tally.missed} missed" if tally.missed else "",
        f"{_count(tally.met, 'deadline')} met" if tally.met else "",
        f"{tally.breached} breached" if tally.breached else "",
    ]
    return " · ".join(filter(None, parts)) or "nothing happened"


def _noun(number: int, noun: str) -> str:
    return noun if number == 1 else f"{noun}s"


def _count(number: int, noun: str) -> str:
    return f"{number} {_noun(number, noun)}"
