"""The page about jobs keeps in step with the job types: keys, spellings, examples, states."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import yaml

from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.job_documents import Job
from interlock_runtime.core.reader import annotated_fields
from interlock_runtime.core.scalars import Spelled
from interlock_runtime.core.templates import RUN_VARIABLES
from interlock_runtime.jobs.registry import MODULES
from interlock_tf.documents.validation import judge

PAGE = (Path(__file__).resolve().parents[2] / "docs/jobs.md").read_text("utf-8")
CONFIGS = {get_args(get_type_hints(kind)["type"])[0]: get_type_hints(kind)["config"] for kind in get_args(Job)}


def section(kind: str) -> str:
    """The part of the page about a job type."""
    found = re.search(rf"^## {kind}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found, kind
    return found[1]


def examples() -> list[Any]:
    blocks = [(kind, block) for kind in CONFIGS for block in re.findall(r"```yaml\n(.*?)```", section(kind), re.DOTALL)]
    return [pytest.param(kind, block, id=f"{kind}-{number}") for number, (kind, block) in enumerate(blocks)]


def test_every_type_has_a_section_a_row_and_an_example() -> None:
    assert list(CONFIGS) == list(MODULES)
    assert re.findall(r"^\| \[`([a-z-]+)`\]", PAGE, re.MULTILINE) == list(MODULES)
    assert {example.values[0] for example in examples()} == set(MODULES)
    for kind in MODULES:
        assert "**Permissions:**" in section(kind)
        assert "**On failure:**" in section(kind)


@pytest.mark.parametrize("kind", CONFIGS)
def test_every_key_of_a_type_is_told_with_its_spellings_and_no_other(kind: str) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|", section(kind), re.MULTILINE)
    fields = annotated_fields(CONFIGS[kind])
    assert [key for key, _, _ in rows] == [key for _, key, _, _ in fields]
    for (_, value, default), (_, _, annotation, required) in zip(rows, fields, strict=True):
        assert (default == "required") == required
        spellings = [other for note in _notes(annotation) if isinstance(note, Spelled) for other in note.others]
        assert all(f"`{other}`" in value for other in spellings)


def _notes(annotation: Any) -> list[Any]:
    """The notes of a type and of those within it."""
    return [*getattr(annotation, "__metadata__", ()), *(note for arg in get_args(annotation) for note in _notes(arg))]


@pytest.mark.parametrize(("kind", "text"), examples())
def test_every_example_is_a_valid_job(kind: str, text: str) -> None:
    job = yaml.safe_load(text)["job"]
    judged = judge(Pipeline, {"pipeline": {"id": "gold"}, "validation": {"rules": []}, "job": job})
    assert not judged.faults
    assert judged.document.job.type == kind


def test_every_run_variable_is_told() -> None:
    told = re.findall(r"^\| `\$\{([A-Z_]+)\}` \|", PAGE, re.MULTILINE)
    assert tuple(told) == RUN_VARIABLES
