"""How many stream records a second the router handles.

    python -m benchmarks.router            in memory: what our own code costs
    python -m benchmarks.router --moto     against a simulated AWS in this process

Records come in batches of ten, as the stream mappings give them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from interlock_runtime.control.ports import StartPorts
from interlock_runtime.core.attributes import encode_item
from interlock_runtime.handlers import stream_router
from tests.fakes.aws import simulated_aws
from tests.fakes.deployed import deploy, start_ports, store
from tests.fakes.gold import gold
from tests.fakes.world import World

BATCH = 10
NOW = datetime(2026, 3, 3, 6, tzinfo=UTC)
FIRST_DATE = date(2000, 1, 1)


@dataclass(frozen=True)
class Rate:
    """How many records of a kind were handled, and in how many seconds of wall time and of CPU time."""

    kind: str
    records: int
    seconds: float
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        """Records a second of wall time."""
        return self.records / self.seconds

    @property
    def per_cpu_second(self) -> float:
        """Records a second of CPU time: the same on a machine that is busy with other things."""
        return self.records / self.cpu_seconds


def record(number: int, key: str, **fields: Any) -> dict[str, Any]:
    """A stream record of a sensor."""
    row = {"PK": "PIPELINE#gold", "SK": f"SENSOR#{key}", "data": fields}
    return {
        "eventID": f"e{number}",
        "eventName": "MODIFY",
        "dynamodb": {
            "ApproximateCreationDateTime": int(NOW.timestamp()),
            "Keys": encode_item({"PK": row["PK"], "SK": row["SK"]}),
            "NewImage": encode_item(row),
            "SequenceNumber": str(number),
        },
    }


def irrelevant(number: int) -> dict[str, Any]:
    """A record that matters to nobody."""
    return record(number, f"other-{number}", count=number, updatedAt="2026-03-03T06:00:00Z")


def starting(number: int) -> dict[str, Any]:
    """A record that starts the run of a date of its own."""
    day = FIRST_DATE + timedelta(days=number % 30_000)
    return record(number, "orders", state="ready", count=1000, date=str(day))


def measure(ports: StartPorts, kind: str, make: Callable[[int], dict[str, Any]], *, records: int) -> Rate:
    """Handle ``records`` records, which are made beforehand."""
    made = [make(number) for number in range(records)]
    batches = [{"Records": made[start : start + BATCH]} for start in range(0, records, BATCH)]
    wall, cpu = time.perf_counter(), time.process_time()
    for batch in batches:
        answer = stream_router.handle(batch, ports, clock=lambda: NOW)
        if answer["batchItemFailures"]:
            raise RuntimeError(f"records failed: {answer}")
    return Rate(kind, records, time.perf_counter() - wall, time.process_time() - cpu)


def in_memory(*, irrelevant_records: int = 20_000, starts: int = 2_000) -> list[Rate]:
    """The rates of our own code, with tables in memory."""
    world = World(NOW)
    world.pipeline(gold())
    return [
        measure(world.ports, "irrelevant", irrelevant, records=irrelevant_records),
        measure(world.ports, "starts", starting, records=starts),
    ]


def on_moto(*, irrelevant_records: int = 20_000, starts: int = 200) -> list[Rate]:
    """The rates against moto in this process."""
    with simulated_aws() as clients:
        ports = start_ports(clients, deploy(clients))
        store(ports, gold())
        return [
            measure(ports, "irrelevant", irrelevant, records=irrelevant_records),
            measure(ports, "starts", starting, records=starts),
        ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moto", action="store_true", help="use a simulated AWS in place of tables in memory")
    rates = on_moto() if parser.parse_args().moto else in_memory()
    print("| records | number | per second | per second of CPU |")
    print("| --- | ---: | ---: | ---: |")
    for rate in rates:
        print(f"| {rate.kind} | {rate.records} | {rate.per_second:,.0f} | {rate.per_cpu_second:,.0f} |")


if __name__ == "__main__":
    main()
