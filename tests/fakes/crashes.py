"""Killed after any AWS call and replayed, a handler leaves what it would have left undisturbed.

A story is told once undisturbed; then, for every AWS call that its last step makes, it is told
again and killed right after that call. Whatever invoked the function then invokes it again: at
once, later, or after the streams have been handled meanwhile. The rows, the executions, the jobs,
the bells and the set of event keys must be the same every time.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.fakes.calls import Killed
from tests.fakes.world import World

Step = Callable[[], Any]
#: Sets the scene, and gives the step that is killed and replayed.
Story = Callable[[World], Step]

#: Attributes that tell a time, or follow from one.
TIMES = frozenset(
    {"startedAt", "staleAt", "completedAt", "ttl", "input", "executionArn", "at", "triggeredAt", "capturedAt", "sentAt"}
    | {"requestedAt", "noticedAt", "token", "durationMs", "duration", "timestamp", "decidedAt", "toldAt"}
    | {"since", "slaSince", "checkedUntil", "changedAt"}
)


@dataclass(frozen=True)
class Replay:
    """What happens between the kill and the replay."""

    name: str
    minutes: int
    pump: bool

    def __str__(self) -> str:
        return self.name


REPLAYS = (
    Replay("at once", minutes=0, pump=False),
    Replay("later", minutes=3, pump=False),
    Replay("after the streams", minutes=0, pump=True),
)


def kill_and_replay(story: Story, replay: Replay, *, exact: bool = True) -> None:
    """Tell a story as often as its step makes calls, killed after each in turn, and compare how it ends.

    Replayed at the same time, it ends with the same times in everything; unless ``exact``, for a step that takes time.
    """
    exact = exact and replay.minutes == 0
    undisturbed, answer, calls = _told(story, pump=replay.pump)
    assert calls > 0
    for number in range(1, calls + 1):
        what = f"killed after call {number} of {calls}"
        world = World()
        step = story(world)
        world.calls.reset()
        world.calls.kill_after = number
        assert _is_killed(step), what
        world.calls.reset()
        if replay.pump:
            world.pump()
        world.advance(minutes=replay.minutes)
        again = step()
        if replay.pump:
            world.pump()
        assert _end_state(world, exact=exact) == undisturbed(exact=exact), what
        assert _answers_alike(again, answer), what


def handle_twice(story: Story, *, exact: bool = True) -> None:
    """Do a story's step again and again, and compare how it ends with having done it once."""
    undisturbed, answer, _ = _told(story, pump=True)
    world = World()
    step = story(world)
    step()
    again = step()
    world.pump()
    step()
    world.pump()
    assert _end_state(world, exact=exact) == undisturbed(exact=exact)
    assert _answers_alike(again, answer)


def _is_killed(step: Step) -> bool:
    try:
        step()
    except Killed:
        return True
    return False


def _told(story: Story, *, pump: bool) -> tuple[Callable[..., Any], Any, int]:
    """Tell a story undisturbed: its end state, the step's answer, and how many calls the step made."""
    world = World()
    step = story(world)
    world.calls.reset()
    answer = step()
    calls = len(world.calls.made)
    if pump:
        world.pump()
    return lambda exact: _end_state(world, exact=exact), answer, calls


def _answers_alike(one: Any, other: Any) -> bool:
    """Whether two answers lead the state machine the same way; one that was overtaken may say so."""
    if _status(one) == "superseded":
        return True
    return json.dumps(one, default=str) == json.dumps(other, default=str) or _status(one) == _status(other)


def _status(answer: Any) -> Any:
    return answer.get("status") if isinstance(answer, dict) else answer


def _end_state(world: World, *, exact: bool) -> dict[str, Any]:
    """Everything that a story leaves behind; unless ``exact``, without the times in it."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: plain(each) for name, each in value.items() if exact or name not in TIMES}
        return value

    def key(sort_key: str) -> str:
        parts = sort_key.split("#")
        return "#".join(parts[:3]) if parts[0] == "JOB" and not exact else sort_key

    def rows(table: Any) -> list[Any]:
        found = [(pk, key(sk), plain({**row, "SK": key(sk)})) for (pk, sk), row in table.rows().items()]
        return sorted(found, key=lambda row: json.dumps(row, default=str, sort_keys=True))

    return {
        "control": rows(world.control),
        "joblog": rows(world.joblog),
        "rerun": rows(world.rerun),
        "executions": world.executions.inputs if exact else len(world.executions.inputs),
        "jobs": [plain(job.get("Arguments", {}).get("--par_day")) for job in world.jobs.jobs],
        "bells": {entry.name: entry.at for entry in world.schedules.entries.values()},
        "events": world.bus.keys,
    }
