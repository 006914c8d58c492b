"""Lives through random days with faults, and looks at what is left: of one, of many, of the least that goes wrong.

A day is lived with the code that is deployed, on tables and clients that are quicker than moto's and
botocore's. The same seed gives the same day, to the byte.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from interlock_tf.local.actions import Actions
from interlock_tf.local.agenda import Agenda
from interlock_tf.local.injection import Happened, Injector
from interlock_tf.local.invariants import INVARIANTS
from interlock_tf.local.promises import PROMISES
from interlock_tf.local.random_days import Day, random_day
from interlock_tf.local.recorder import Recorder
from interlock_tf.local.simulation import play
from interlock_tf.local.terraform_json import Configuration
from interlock_tf.local.timeline import Entry, Kind
from interlock_tf.local.witness import Witness
from interlock_tf.local.world import World

#: Everything that is looked at.
CHECKS = (*INVARIANTS, *PROMISES)

#: Variables of a stack that is soaked: with them, alerts are posted, to a channel of the simulation.
CHANNEL = {"slack_channel_id": "C0SIMULATED"}
#: Its Terraform variables.
TOKEN = {"slack_bot_token": "xoxb-simulated"}


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a day: what is wrong, by check, what happened, and which faults, by kind."""

    day: Day
    wrong: tuple[tuple[str, str], ...]
    faults: Mapping[str, int]
    entries: Sequence[Entry] = ()
    runs: int = 0
    jobs: int = 0
    events: int = 0

    @property
    def checks(self) -> frozenset[str]:
        """The names of the checks that found something wrong."""
        return frozenset(check for check, _ in self.wrong)


def live(configuration: Configuration, day: Day) -> Result:
    """Live through a day, and check what is left of it."""
    with lived(configuration, day) as witness:
        world, happened = witness.world, witness.injector.happened
        wrong = [(check.__name__, each) for check in CHECKS for each in check(witness)]
        return Result(
            day=day,
            wrong=tuple(wrong),
            faults=Counter(str(each.fault.kind) for each in happened),
            entries=tuple(sorted([*witness.entries, *map(_entry, happened)], key=lambda entry: entry.at)),
            runs=len(world.executions.by_arn),
            jobs=len(world.jobs.all),
            events=len(witness.published),
        )


@contextmanager
def lived(configuration: Configuration, day: Day, *, quick: bool = True) -> Iterator[Witness]:
    """A world at the end of a day, as it was seen; unless ``quick``, with moto's tables and botocore's clients."""
    injector = Injector(day.faults, until=day.until)
    stack = configuration.only(day.pipeline_ids)
    world = World(stack, agenda=Agenda(day.start), seed=day.seed, disturbances=injector, quick=quick)
    try:
        recorder = Recorder(world)
        witness = Witness(world, day, injector, recorder.entries)
        actions = Actions(world)
        for line in day.lines:
            world.run_until(line.at)
            play(actions, line)
        world.run_until(day.end)
        yield witness
    finally:
        world.close()


def _entry(happened: Happened) -> Entry:
    fault = happened.fault
    what = f"{fault.kind} {fault.where}" + (f" {fault.seconds:g} s" if fault.seconds else "")
    return Entry(at=happened.at, kind=Kind.FAILURE, what=what, why=f"on purpose: {happened.what}")


def of_seed(configuration: Configuration, seed: int) -> Result:
    """Live through the day of a seed; without the timeline, which is long."""
    return replace(live(configuration, random_day(seed, configuration.pipelines())), entries=())


def soak(folder: Path, seeds: Iterable[int], *, processes: int) -> Iterator[Result]:
    """Live through the days of many seeds, some at a time; their results in the order of the seeds."""
    context = get_context("spawn")
    with context.Pool(processes, initializer=_read, initargs=(folder,)) as pool:
        yield from pool.imap(_of_seed, seeds)


_stack: list[Configuration] = []


def _read(folder: Path) -> None:
    _stack.append(Configuration.read(folder, variables=TOKEN))


def _of_seed(seed: int) -> Result:
    return of_seed(_stack[-1], seed)


def least(configuration: Configuration, result: Result, *, tries: int = 400) -> Result:
    """The least day that goes wrong in the same way: one from which nothing can be left out.

    First halves of it are left out, then quarters, down to single lines and faults, as long as one
    of the same checks finds something wrong, in no more than so many ``tries``.
    """
    attempt = partial(_attempt, configuration, result.checks)
    for name in ("faults", "lines", "pipeline_ids", "faults"):
        result, tries = _fewer(result, name, attempt, tries)
    return result


def _fewer(result: Result, name: str, attempt: Callable[[Day], Result | None], tries: int) -> tuple[Result, int]:
    size = max(1, len(getattr(result.day, name)) // 2)
    while True:
        position, found = 0, False
        while position < len(parts := getattr(result.day, name)) and tries > 0:
            left = parts[:position] + parts[position + size :]
            tries -= 1
            shorter = attempt(replace(result.day, **{name: left})) if left or name != "pipeline_ids" else None
            if shorter is None:
                position += size
            else:
                result, found = shorter, True
        if tries <= 0 or (size == 1 and not found):
            return result, tries
        size = max(1, size // 2)


def _attempt(configuration: Configuration, checks: frozenset[str], day: Day) -> Result | None:
    kept = tuple(line for line in day.lines if line.pipeline_id in day.pipeline_ids)
    result = live(configuration, replace(day, lines=kept))
    return result if result.checks & checks else None
