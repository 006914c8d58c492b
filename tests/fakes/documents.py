"""Documents as text for tests: a pipeline that nothing is wrong with, and folders of files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from interlock_runtime.core.errors import ConfigError
from interlock_tf.pipelines import Pipelines, load_pipelines

TODAY = date(2026, 11, 24)


def document(**sections: Any) -> dict[str, Any]:
    """A pipeline as a person's YAML has it; ``sections`` are its top-level keys and replace the defaults."""
    found: dict[str, Any] = {
        "pipeline": {"id": "gold"},
        "schedule": {"trigger": {"key": "landed", "check": "exists"}},
        "validation": {"rules": [{"key": "landed", "check": "exists"}]},
        "job": {"type": "glue", "config": {"jobName": "gold-etl"}},
    }
    return {key: value for key, value in {**found, **sections}.items() if value is not None}


def folder(root: Path, files: Mapping[str, Any]) -> Path:
    """Write files into a new folder below ``root``: text and bytes as they are, anything else as YAML."""
    made = root / f"folder-{len(list(root.iterdir()))}"
    made.mkdir()
    for name, content in files.items():
        if isinstance(content, bytes):
            made.joinpath(name).write_bytes(content)
        else:
            # JSON is YAML; one key a line, so that a line number means something.
            text = content if isinstance(content, str) else json.dumps(content, indent=1)
            made.joinpath(name).write_text(text, encoding="utf-8")
    return made


def load(pipelines: Path, calendars: Path | None = None, **options: Any) -> Pipelines:
    """Read the pipelines of a folder, in the environment ``dev`` and on :data:`TODAY` unless told otherwise."""
    given = {"environment": "dev", "today": TODAY, "pipelines_path": pipelines, "calendars_path": calendars}
    return load_pipelines(**{**given, **options})


def problems(pipelines: Path, calendars: Path | None = None, **options: Any) -> list[str]:
    """The problems of a folder as a person reads them, files by their names alone; empty when there are none."""
    try:
        load(pipelines, calendars, **options)
    except ConfigError as error:
        return [str(problem).removeprefix(f"{Path(problem.file or '').parent}/") for problem in error.problems]
    return []
