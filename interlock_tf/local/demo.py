"""``make demo``: the app of this folder, from pipeline documents to a day of its life, and to a stack that exists.

1. validate the pipeline documents;
2. synthesise ``main.py`` into a temporary folder;
3. run the output for a day, in virtual time: a timeline, and a page;
4. start the embedded AWS, and apply the output with Terraform, where that is installed;
5. show what exists now, read back from the AWS;
6. destroy it, and look whether anything is left;
7. say once more what came of the day.

Nothing is written into the folder but the page, and no account but the embedded one is ever reached.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.status import Status
from rich.table import Table

from interlock_runtime.core.errors import InterlockError
from interlock_tf.local.embedded import EmbeddedAws
from interlock_tf.local.inventory import Inventory, Section
from interlock_tf.local.moments import folded, moments
from interlock_tf.local.page import page
from interlock_tf.local.simulation import read_lines, simulate
from interlock_tf.local.tally import tallies
from interlock_tf.local.telling import table, tell
from interlock_tf.local.terraform import Terraform, obstacle
from interlock_tf.local.terraform_json import Configuration
from interlock_tf.local.timeline import Entry

#: The day that is shown, and what happens on it: a meeting of the board, so that each sample has something to do.
DAY = datetime(2026, 12, 10, tzinfo=UTC)
ZONE = ZoneInfo("UTC")
LINES = Path("docs/examples/day.jsonl")
PAGE = Path("build/day.html")

_LENGTH = timedelta(days=1)
_STACKS = "stacks"


class DemoError(InterlockError):
    """A step of the demo failed; the message is what its command printed."""


def main() -> int:
    """Tell the whole story on the terminal; return the exit code."""
    console = Console(highlight=False)
    try:
        with TemporaryDirectory(prefix="interlock-demo-") as folder:
            _tell(console, Path(folder))
    except InterlockError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("[red]Interrupted; the embedded AWS is gone, and nothing else was touched.")
        return 130
    return 0


def _tell(console: Console, folder: Path) -> None:
    with _step(console, "Check the documents") as step:
        program = str(Path(sys.executable).with_name("interlock-tf"))
        step.said.append(_command(program, "validate", "pipelines", "--calendars", "calendars"))
    with _step(console, "Synthesise main.py") as step:
        _command(sys.executable, "main.py", CDKTF_OUTDIR=str(folder))
        (stack,) = (folder / _STACKS).iterdir()
        resources = _resources(stack)
        step.said.append(f"{sum(resources.values())} resources of {len(resources)} types")
    configuration = Configuration.read(stack)
    with _step(console, "Run it for a day") as step:
        entries = _day(configuration, step)
        step.said.append(f"{len(entries)} things happened in 24 h of virtual time")
    pipelines = configuration.pipelines()
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(
        page(entries, pipelines, start=DAY, end=DAY + _LENGTH, zone=ZONE), encoding="utf-8", errors="replace"
    )
    console.print()
    tell(console, folded(moments(entries, pipelines, ZONE), pipelines), ZONE)
    console.print(f"\nThe same as a page: {PAGE.resolve().as_uri()}\n", soft_wrap=True)
    _apply(console, stack, resources)
    console.print("\n[bold]The day in numbers[/]")
    console.print(table(tallies(entries, pipelines)))
    console.print(f"The day as a page: {PAGE.resolve().as_uri()}", soft_wrap=True)
    console.print("A day of your own: interlock-tf simulate, described in docs/simulator.md")


def _day(configuration: Configuration, step: _Step) -> list[Entry]:
    end = DAY + _LENGTH
    lines = read_lines(LINES, after=DAY, until=end, pipeline_ids=configuration.pipeline_ids())
    entries: list[Entry] = []
    for entry in simulate(configuration, lines, start=DAY, end=end):
        entries.append(entry)
        step.status.update(f"{step.title}: it is {entry.at.astimezone(ZONE):%H:%M}")
    return entries


def _apply(console: Console, stack: Path, resources: Mapping[str, int]) -> None:
    if reason := obstacle():
        console.print(f"The stack is not applied: {reason}", style="yellow", markup=False)
        console.print("This is what Terraform would create:\n")
        _print_resources(console, resources)
        return
    with EmbeddedAws() as aws:
        console.print(f"[green]✓[/] The embedded AWS is at {aws.endpoint}, empty")
        terraform = Terraform(folder=stack, environment=aws.environment)
        with _step(console, "Get the AWS provider"):
            terraform.init()
        with _bar(console, "Apply with Terraform", sum(resources.values())) as advance:
            terraform.apply(advance)
        control = str(terraform.outputs()["control_table_name"])
        inventory = Inventory(aws, control.removesuffix("control"))
        console.print(f"\n[bold]What exists now[/] (all names start with {inventory.prefix})\n")
        for section in inventory.sections():
            console.print(_table(section))
        with _bar(console, "Destroy with Terraform", len(terraform.addresses())) as advance:
            terraform.destroy(advance)
        left = [section.title for section in inventory.sections() if section.rows]
        console.print(f"[red]Left behind: {', '.join(left)}" if left else "[green]Nothing is left.")


@dataclass(frozen=True)
class _Step:
    """A step under way: what it says when it is done, and the line that says that it is not."""

    title: str
    status: Status
    said: list[str] = field(default_factory=list)


@contextmanager
def _step(console: Console, title: str) -> Iterator[_Step]:
    start = time.monotonic()
    with console.status(title) as status:
        step = _Step(title, status)
        yield step
    seconds = f"{time.monotonic() - start:.1f} s"
    console.print(f"[green]✓[/] {title:24} [dim]{seconds:>6}[/]  {' '.join(step.said)}".rstrip())


@contextmanager
def _bar(console: Console, title: str, total: int) -> Iterator[Callable[[str], None]]:
    columns = (TextColumn("  {task.description:24}"), MofNCompleteColumn(), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title, total=total)
        yield lambda _: progress.advance(task)


def _command(*command: str, **environment: str) -> str:
    run = subprocess.run(  # noqa: S603
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise DemoError(f"{' '.join(command)} failed:\n{run.stdout}{run.stderr}")
    return run.stdout.strip()


def _resources(stack: Path) -> Mapping[str, int]:
    """Return how many resources of each type the stack's output holds."""
    output = json.loads((stack / "cdk.tf.json").read_text())
    return {kind: len(each) for kind, each in sorted(output["resource"].items())}


def _print_resources(console: Console, resources: Mapping[str, int]) -> None:
    rows = [(kind.removeprefix("aws_").replace("_", " "), str(count)) for kind, count in resources.items()]
    console.print(_table(Section("Resources", ("type", "how many"), rows)))


def _table(section: Section) -> Table:
    made = Table(title=section.title, title_justify="left", title_style="bold cyan", box=box.SIMPLE_HEAD)
    for column in section.columns:
        made.add_column(column, overflow="fold")
    for row in section.rows:
        made.add_row(*row)
    return made


if __name__ == "__main__":
    sys.exit(main())
