"""What ``interlock-tf status`` costs at 1,000 pipelines: AWS calls, rows read, time.

    python -m benchmarks.status
    python -m benchmarks.status --pipelines 10000 --history 100000

Every AWS call takes 20 ms, behind a real botocore client.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from benchmarks.many_pipelines import MORNING, config_row, documents, finished_runs, recent_runs
from interlock_tf.installation.deployed import Installation
from interlock_tf.installation.overview import Overview, overview
from interlock_tf.names import Names
from tests.fakes.aws import credentials
from tests.fakes.slow_aws import SlowAws

LATENCY = 0.02
PIPELINES = 1_000


@dataclass(frozen=True)
class Cost:
    """What one answer took."""

    found: Overview
    calls: Counter[str]
    read: int
    seconds: float


def status(*, pipelines: int, running: int, history: int, latency: float = LATENCY, now: datetime = MORNING) -> Cost:
    """Ask once, of so many pipelines with so many running and finished runs."""
    aws = SlowAws(latency=latency)
    names = Names("dev")
    documented = documents(pipelines)
    aws.put(names("control"), map(config_row, documented))
    aws.put(names("control"), recent_runs(documented, running=running))
    aws.put(names("control"), finished_runs(documented, history))
    with credentials():
        client = aws.clients().repeating("dynamodb")
        began = time.perf_counter()
        found = overview(Installation.through(client, names, now=now))
    return Cost(found, aws.calls, aws.read, time.perf_counter() - began)


def main() -> None:
    """Print what it costs."""
    parser = argparse.ArgumentParser(description="What interlock-tf status costs.")
    parser.add_argument("--pipelines", type=int, default=PIPELINES)
    parser.add_argument("--running", type=int, default=200)
    parser.add_argument("--history", type=int, default=10_000)
    asked = parser.parse_args()
    cost = status(pipelines=asked.pipelines, running=asked.running, history=asked.history)
    calls = ", ".join(f"{count} {name}" for name, count in sorted(cost.calls.items()))
    print(f"{asked.pipelines:,} pipelines: {cost.seconds:.1f} s, {cost.read:,} rows read in {calls}")


if __name__ == "__main__":
    main()
