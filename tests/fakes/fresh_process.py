"""Runs in a process of its own: a handler's import and invocations, measured, as Lambda would see them.

Reads ``{"module": …, "invocations": [{"event": …, "request_id": …}]}`` from standard input. What the
function prints goes to standard output; the last line there is the measurement.
"""

from __future__ import annotations

import json
import re
import sys
import time
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace


def main() -> None:
    told = json.load(sys.stdin)
    wall, cpu = time.perf_counter(), time.process_time()
    handler = import_module(told["module"]).handler
    imported = sorted(sys.modules)
    answers = []
    after_first = None
    for invocation in told["invocations"]:
        context = SimpleNamespace(aws_request_id=invocation["request_id"], get_remaining_time_in_millis=lambda: 120_000)
        answers.append(handler(invocation["event"], context))
        after_first = after_first or (time.perf_counter() - wall, time.process_time() - cpu)
    wall_first, cpu_first = after_first or (time.perf_counter() - wall, time.process_time() - cpu)
    measured = {
        "answers": answers,
        "imported": imported,
        "first_event_wall_seconds": wall_first,
        "first_event_cpu_seconds": cpu_first,
        "peak_megabytes": peak_megabytes(),
    }
    print(json.dumps(measured))


def peak_megabytes() -> float:
    """The most memory that this process held; Linux counts it anew for a new program, unlike ``getrusage``."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)[1]) / 1024


if __name__ == "__main__":
    main()
