"""What a pass of the watchdog costs at 10,000 pipelines: AWS calls, rows read, time, memory.

    python -m benchmarks.watchdog                    the first pass, a usual one, one after a bad morning
    python -m benchmarks.watchdog --history 100000   with finished runs in the table: what is read stays the same
    python -m benchmarks.watchdog --memory           peak memory, in a run of its own: measuring it takes time

Every AWS call takes 5 ms, behind real botocore clients, so that requests are built and signed and
answers are parsed. CPU time is that of our side alone, on this machine; what it would be on Lambda
follows from the 0.29 of a CPU that a function with 512 MB gets there.
"""

from __future__ import annotations

import argparse
import os
import time
import tracemalloc
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from benchmarks.many_pipelines import MACHINE, MORNING, config_row, documents, finished_runs, recent_runs
from interlock_runtime import settings
from interlock_runtime.control.ports import WatchdogPorts
from interlock_runtime.handlers import watchdog
from interlock_runtime.handlers.assembly import Function
from tests.fakes.aws import CREDENTIALS
from tests.fakes.slow_aws import SlowAws

LATENCY = 0.005
PIPELINES = 10_000
RUNNING = 2_000

#: What Lambda gives a function with 512 MB, of one CPU.
CPU_SHARE = 512 / 1769

_ENVIRONMENT = {
    "CONTROL_TABLE": "control",
    "JOBLOG_TABLE": "joblog",
    "RERUN_TABLE": "rerun",
    "EVENT_BUS_NAME": "events",
    "STATE_MACHINE_ARN": MACHINE,
    "SFN_TIMEOUT_SECONDS": "14400",
    "SLA_MONITOR_ARN": "arn:aws:lambda:eu-west-1:123456789012:function:dev-interlock-sla-monitor",
    "SCHEDULER_ROLE_ARN": "arn:aws:iam::123456789012:role/dev-interlock-scheduler-sla",
    "SCHEDULER_GROUP_NAME": "dev-interlock-sla",
    "EVENTS_DLQ_ARN": "arn:aws:sqs:eu-west-1:123456789012:dev-interlock-events-dlq",
    "TRIGGER_RETENTION_DAYS": "400",
}


@dataclass(frozen=True)
class Cost:
    """What one pass took. ``cpu_seconds`` are those of our side; ``peak_bytes`` what it held at most, if measured."""

    name: str
    calls: Counter[str]
    read: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int | None


class Installation:
    """Many pipelines on a slow AWS, and the watchdog that looks at them.

    The first ``running`` runs of the morning go on; ``history`` runs of former days are finished.
    """

    def __init__(self, *, pipelines: int, running: int, history: int, latency: float = LATENCY) -> None:
        os.environ.update(CREDENTIALS)
        self.aws = SlowAws(latency=latency)
        self.now = MORNING
        found = documents(pipelines)
        self.aws.put("control", map(config_row, found))
        self.aws.put("control", recent_runs(found, running=running))
        self.aws.put("control", finished_runs(found, history))
        self._ports = self._watchdog()

    def watch(self, name: str, *, memory: bool = False) -> Cost:
        """Make a pass, and measure it."""
        self.aws.forget_calls()
        if memory:
            tracemalloc.start()
        began, cpu_began = time.perf_counter(), time.process_time()

        def clock() -> datetime:
            return self.now + timedelta(seconds=time.perf_counter() - began)

        watchdog.handle(self._ports, clock=clock, sleep=lambda _: None, time_left=timedelta(seconds=300))
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
        peak = tracemalloc.get_traced_memory()[1] if memory else None
        tracemalloc.stop()
        calls = Counter(self.aws.calls)
        return Cost(name, calls, self.aws.read, seconds, cpu_seconds - self.aws.cpu_seconds, peak)

    def _watchdog(self) -> WatchdogPorts:
        made = Function.of("watchdog", {})
        redirected = Function(self.aws.clients(), made.telemetry)
        return redirected.watchdog_ports(settings.read(settings.Watchdog, _ENVIRONMENT))


def passes(installation: Installation, *, memory: bool = False) -> list[Cost]:
    """The first pass after a deployment, the first of a day, a usual one, and one after all has stood still."""
    moments = {
        "first": MORNING - timedelta(hours=26),
        "first of a day": MORNING,
        "usual": MORNING + timedelta(minutes=5),
        "after six hours in which nothing was started or ended": MORNING + timedelta(hours=6),
    }
    found = []
    for name, at in moments.items():
        installation.now = at
        found.append(installation.watch(name, memory=memory))
    return found


def main() -> None:
    """Print what the passes cost."""
    parser = argparse.ArgumentParser(description="What a pass of the watchdog costs.")
    parser.add_argument("--pipelines", type=int, default=PIPELINES)
    parser.add_argument("--running", type=int, default=RUNNING)
    parser.add_argument("--history", type=int, default=10)
    parser.add_argument("--memory", action="store_true")
    asked = parser.parse_args()
    installation = Installation(pipelines=asked.pipelines, running=asked.running, history=asked.history)
    print("| pass | calls | rows read | wall, s | CPU, s | CPU on Lambda, s | peak memory, MB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    found = passes(installation, memory=asked.memory)
    for cost in found:
        peak = "not measured" if cost.peak_bytes is None else f"{cost.peak_bytes / 1e6:.0f}"
        times = f"{cost.seconds:.1f} | {cost.cpu_seconds:.1f} | {cost.cpu_seconds / CPU_SHARE:.0f}"
        print(f"| {cost.name} | {cost.calls.total()} | {cost.read} | {times} | {peak} |")
    for cost in found:
        print(f"{cost.name}:", ", ".join(f"{count} {name}" for name, count in sorted(cost.calls.items())))


if __name__ == "__main__":
    main()
