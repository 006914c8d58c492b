"""The documentation keeps in step with the code: tables, snippets, links, commands, names."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import re
import shlex
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import Field, fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from interlock_runtime.aws.telemetry import HANDLER_DURATION
from interlock_runtime.control import sla_alerts
from interlock_runtime.control.ports import Metric
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.events import ALERT_EVENTS, EVENT_TYPES
from interlock_runtime.core.sla_deadlines import absolute
from interlock_tf.cli import COMMANDS
from interlock_tf.documents.calendars import load_calendars
from interlock_tf.documents.placeholders import Variables
from interlock_tf.local.simulation import read_lines
from interlock_tf.pipelines import load_pipelines, read_pipelines
from interlock_tf.settings import PROVIDER_SINCE, Settings
from tests.fakes.world import World

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = sorted((ROOT / "docs/examples").glob("*.py"))


class Snippet(NamedTuple):
    """A fenced block of a page."""

    page: str
    line: int
    language: str
    text: str


def snippets(*languages: str) -> list[Any]:
    """The fenced blocks in these languages, as parameters of a test."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
            if block[1] in languages:
                line = text.count("\n", 0, block.start()) + 1
                found.append(pytest.param(Snippet(page.name, line, block[1], block[2]), id=f"{page.name}:{line}"))
    return found


def load(path: Path) -> ModuleType:
    """A Python file outside every package, as a module."""
    spec = importlib.util.spec_from_file_location(f"docs_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


tables = load(ROOT / "docs/tables.py")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_generated_tables_are_what_the_code_says(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert tables.refreshed(text, tables.TABLES) == text, "run: make docs"


@pytest.mark.parametrize("variable", fields(Settings), ids=lambda item: item.name)
def test_the_docstring_of_a_variable_tells_its_default(variable: Field[Any]) -> None:
    assert tables.variable_docs()[variable.name].default == tables.python_default(variable).strip("`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_generated_table_has_an_empty_cell(page: Path) -> None:
    for block in re.finditer(r"<!-- table: \S+ -->\n(.*?)<!-- end of table -->", page.read_text("utf-8"), re.DOTALL):
        assert not [line for line in block[1].splitlines() if re.search(r"\|\s*\|", line)]


def test_a_generated_table_keeps_what_was_written_by_hand() -> None:
    page = (
        "<!-- table: rule-fields -->\n"
        "| field | meaning |\n| --- | --- |\n| `key` | by hand |\n| `gone` | forgotten |\n"
        "<!-- end of table -->\n"
    )
    written = tables.refreshed(page, tables.TABLES)
    assert "| `key` | 1 to 200 characters | required | by hand |" in written
    assert "`gone`" not in written
    assert tables.refreshed(written, tables.TABLES) == written


@pytest.mark.parametrize("snippet", snippets("python"))
def test_every_python_snippet_is_part_of_an_example(snippet: Snippet) -> None:
    lines = snippet.text.splitlines()
    assert any(_contains(example.read_text("utf-8").splitlines(), lines) for example in EXAMPLES)


def _contains(whole: list[str], part: list[str]) -> bool:
    return any(
        textwrap.dedent("\n".join(whole[start : start + len(part)])).splitlines() == part
        for start in range(len(whole) - len(part) + 1)
    )


#: What a snippet that shows some keys of a pipeline is completed with, to be a whole document.
SKELETON = """
pipeline: {id: snippet}
schedule: {trigger: {key: landed, check: exists}}
validation: {rules: [{key: landed, check: exists}]}
job: {type: http, config: {url: "https://jobs.example.com"}}
"""


@pytest.mark.parametrize("snippet", snippets("yaml"))
def test_every_yaml_snippet_is_valid(snippet: Snippet, tmp_path: Path) -> None:
    shown = set(re.findall(r"^(\w+):", snippet.text, re.MULTILINE))
    missing = [line for line in SKELETON.split("\n") if line.partition(":")[0] not in shown]
    file = tmp_path / "snippet.yaml"
    file.write_text("\n".join([snippet.text, *missing]), encoding="utf-8")
    variables = Variables({"environment": "dev"})
    report = read_pipelines(
        [str(file)],
        calendars=load_calendars(str(ROOT / "calendars"), variables),
        variables=variables,
        sfn_timeout_seconds=14400,
        today=date(2026, 11, 24),
    )
    assert not report.problems
    assert not report.warnings


@pytest.mark.parametrize("snippet", snippets("sh"))
def test_every_command_exists_and_its_arguments_are_valid(snippet: Snippet) -> None:
    for words in _commands(snippet.text):
        match words:
            case ["aws", service, operation, *arguments]:
                _check_aws(service, operation, arguments)
            case ["make", *targets]:
                makefile = (ROOT / "Makefile").read_text("utf-8")
                assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
            case ["interlock-tf", command, *_]:
                assert command in COMMANDS
            case _:
                assert words[0] in ("pip", "python", "terraform", "cdktf"), words


def test_the_lines_of_a_simulated_day_are_such_lines(tmp_path: Path) -> None:
    page = (ROOT / "docs/simulator.md").read_text("utf-8")
    block = re.search(r"^```json\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert block
    file = tmp_path / "day.jsonl"
    file.write_text(block[1], encoding="utf-8")
    start = datetime(2026, 12, 10, tzinfo=UTC)
    lines = read_lines(file, after=start, until=start + timedelta(days=1), pipeline_ids=["gold-revenue"])
    assert [sorted(line.told) for line in lines] == [["data", "key"], ["category", "job"], ["rerun"]]


def _commands(text: str) -> Iterator[list[str]]:
    """The commands in their words; one that ends within quotes goes on in the next line."""
    command = ""
    for line in text.replace("\\\n", " ").splitlines():
        command += line + "\n"
        with contextlib.suppress(ValueError):
            yield shlex.split(command, comments=True)
            command = ""
    assert not command


def _check_aws(service: str, operation: str, arguments: list[str]) -> None:
    """Take the arguments as the AWS command line does, and hold them against the service's model."""
    model = ServiceModel(Loader().load_service_model(service, "service-2"), service)
    shape = model.operation_model(_pascal(operation)).input_shape
    assert shape is not None
    given: dict[str, Any] = {}
    words = iter(arguments)
    for word in words:
        if word == "--cli-binary-format":
            assert next(words) == "raw-in-base64-out"
            continue
        if (service, operation) == ("lambda", "invoke") and not word.startswith("--"):
            assert next(words, None) is None, "the file for the answer comes last"
            break
        assert word.startswith("--"), word
        name = _pascal(word[2:])
        if name not in shape.members and name.startswith("No"):
            given[name[2:]] = False
            continue
        value = next(words)
        kind = shape.members[name].type_name
        given[name] = json.loads(value) if kind in ("structure", "map", "list", "integer") else value
    report = ParamValidator().validate(given, shape)
    assert not report.has_errors(), report.generate_report()


def _pascal(words: str) -> str:
    return "".join(word.title() for word in words.split("-"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)]+)\)", text):
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        if anchor:
            assert anchor in _anchors(linked), target


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_event_shown_is_the_one_that_is_published() -> None:
    page = (ROOT / "docs/events.md").read_text("utf-8")
    block = re.search(r"^```json\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert block
    loaded = load_pipelines(
        pipelines_path=ROOT / "pipelines",
        calendars_path=ROOT / "calendars",
        environment="dev",
        today=date(2026, 11, 24),
    )
    pipeline = next(each.pipeline for each in loaded if each.id == "gold-revenue")
    world = World(datetime(2026, 11, 24, 15, 30, tzinfo=UTC))
    deadline = absolute(pipeline, ExecutionDate(date(2026, 11, 24)))
    assert deadline
    sla_alerts.breach(world.ports, deadline, None, now=world.now)
    assert world.bus.the("SLA_BREACH").payload(world.now) == json.loads(block[1])


def test_the_runbook_says_what_to_do_about_every_alert() -> None:
    page = (ROOT / "docs/operations.md").read_text("utf-8")
    cells = re.findall(r"^\| (`[A-Z][^|]*) \|", page, re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`([A-Z_]+)`", cell)}
    assert named == {*ALERT_EVENTS, "INFRA_ALARM"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_names_an_event_that_does_not_exist(page: Path) -> None:
    heads = {name.split("_")[0] for name in EVENT_TYPES}
    names = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", page.read_text("utf-8")))
    events = {name for name in names if name.split("_")[0] in heads}
    assert events <= EVENT_TYPES.keys() | KNOWN_NAMES


#: Names in capitals that begin like an event and are none.
KNOWN_NAMES = {"RUN_ID", "JOB_NAME"}


@pytest.mark.parametrize(("evaluations", "polls"), [(7, 25), (2, 10)])
def test_a_run_takes_as_many_transitions_as_its_cost_is_reckoned_with(evaluations: int, polls: int) -> None:
    page = (ROOT / "docs/cost.md").read_text("utf-8")
    assert f"3 × {evaluations + polls} + 8 = {_transitions(evaluations, polls)}" in page


def _transitions(evaluations: int, polls: int) -> int:
    """How many states a run with an SLA enters whose constraints and job are asked for so often."""
    states = json.loads((ROOT / "asl/pipeline.asl.json").read_text("utf-8"))["States"]
    choices = iter(
        ["ScheduleSLA"]
        + ["WaitForSensors"] * (evaluations - 1)
        + ["Trigger", "WaitForJob"]
        + ["WaitForJob"] * (polls - 1)
        + ["SetOutcomeFromCheck", "CancelSLA"]
    )
    state, entered = "HasSLA", 1
    while states[state]["Type"] != "Succeed":
        following = {choice["Next"] for choice in states[state].get("Choices", ())} | {states[state].get("Default")}
        chosen = next(choices) if states[state]["Type"] == "Choice" else states[state]["Next"]
        assert states[state]["Type"] != "Choice" or chosen in following
        state, entered = chosen, entered + 1
    return entered


def test_the_provider_versions_named_are_those_that_are_asked_for() -> None:
    page = (ROOT / "README.md").read_text("utf-8")
    assert f"AWS provider {PROVIDER_SINCE['python3.13']} or later ({PROVIDER_SINCE['python3.12']} with" in page


def test_every_metric_is_documented() -> None:
    section = (ROOT / "docs/operations.md").read_text(encoding="utf-8").split("## Metrics\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)`", section, re.MULTILINE) == [*Metric, HANDLER_DURATION]
