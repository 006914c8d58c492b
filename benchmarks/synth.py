"""How long a synthesis takes, and how much memory: 2 to 10,000 pipelines, beside a plain import of the bindings.

    python benchmarks/synth.py [SIZE ...]

Each measurement is a process of its own, from its start to its end, as ``python main.py`` is. The
first run, which unpacks the engine's files into its cache, is not counted. Memory is the peak of the
Python process and of the JavaScript engine that CDKTF runs beside it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
SIZES = (2, 100, 1_000, 10_000)
#: How many Glue jobs the pipelines share. A role can hold the names of a few dozen.
JOBS = 20

CRON = """\
pipeline: {{id: daily-{number}, owner: team-{team}}}
schedule:
  cron: "{minute} {hour} * * *"
  timezone: Europe/Berlin
  evaluation: {{window: 2h, interval: 5m}}
sla: {{deadline: "10:30", expectedDuration: 30m}}
validation:
  rules:
    - {{key: orders-loaded, check: equals, field: status, value: complete}}
    - {{key: orders-loaded, check: gte, field: row_count, value: 1000}}
    - {{key: refunds-loaded, check: age_lt, field: updatedAt, value: 6h}}
job:
  type: glue
  config: {{jobName: "job-{job}", arguments: {{--run_date: "${{DATE}}"}}}}
  maxRetries: 2
"""
SENSOR = """\
pipeline: {{id: arrival-{number}, owner: team-{team}}}
schedule:
  trigger: {{key: landed, check: exists}}
validation:
  rules: [{{key: landed, check: gt, field: row_count, value: 0}}]
job:
  type: http
  config: {{url: "https://jobs.example.com/{number}", body: {{date: "${{DATE}}"}}}}
postRun:
  rules: [{{key: landed, check: exists}}]
"""
APP = """\
import resource
from interlock_tf import App, InterlockStack
app = App()
InterlockStack(app, "interlock", environment="bench", pipelines_path="pipelines",
               sns_alarm_topic_arn="arn:aws:sns:eu-west-1:123456789012:on-call")
app.synth()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


class Measured(NamedTuple):
    """Seconds on the clock and of work in both processes, and megabytes of either process."""

    seconds: float
    cpu: float
    python: float
    engine: float


def main() -> None:
    """Measure and print."""
    sizes = [int(size) for size in sys.argv[1:]] or list(SIZES)
    with tempfile.TemporaryDirectory() as folder:
        projects = {size: project(Path(folder) / str(size), size) for size in sizes}
        measure(projects[sizes[0]])
        print(f"{'pipelines':>9}  {'bindings':<9} {'seconds':>8} {'CPU s':>7} {'Python MB':>10} {'engine MB':>10}")
        for size in sizes:
            tell(size, "lazy", measure(projects[size]))
        tell(sizes[0], "as usual", measure(projects[sizes[0]], INTERLOCK_EAGER_BINDINGS="1"))


def tell(size: int, bindings: str, measured: Measured) -> None:
    """Print one line of the table."""
    seconds, cpu, python, engine = measured
    print(f"{size:>9,}  {bindings:<9} {seconds:>8.1f} {cpu:>7.1f} {python:>10.0f} {engine:>10.0f}", flush=True)


def project(folder: Path, size: int) -> Path:
    """Write an app with this many pipelines."""
    (folder / "pipelines").mkdir(parents=True)
    (folder / "main.py").write_text(APP)
    for number in range(size):
        template = CRON if number % 2 else SENSOR
        text = template.format(number=number, team=number % 50, minute=number % 60, hour=number % 24, job=number % JOBS)
        (folder / "pipelines" / f"{number}.yaml").write_text(text)
    return folder


def measure(folder: Path, **environment: str) -> Measured:
    """Run the app once."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "runtime")])
    before = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "main.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - before
    if status:
        sys.exit(f"the app in {folder} failed")
    # Of the process and its own child, the engine, this is the larger one's.
    return Measured(seconds, usage.ru_utime + usage.ru_stime, int(output) / 1024, usage.ru_maxrss / 1024)


if __name__ == "__main__":
    main()
