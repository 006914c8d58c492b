"""Pipeline files become rows: read, validated, calendars and placeholders resolved.

    files ──Source──> stored form ──calendar merged──> typed ──checks──> StoredPipeline

All problems of all files are collected before anything is raised.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from interlock_runtime.core.checks import check
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.errors import ConfigError, Problem
from interlock_runtime.core.findings import Finding
from interlock_runtime.core.wording import shown
from interlock_tf.documents.calendars import Calendars, load_calendars, merged
from interlock_tf.documents.placeholders import Scalar, Variables, terraform_text
from interlock_tf.documents.schema import validator
from interlock_tf.documents.source import Source, yaml_files
from interlock_tf.settings import DEFAULT_SFN_TIMEOUT_SECONDS

#: A DynamoDB item holds 400 KB, keys and attribute names included.
MAX_CONFIG_BYTES = 400 * 1024 - 1024


@dataclass(frozen=True, kw_only=True)
class StoredPipeline:
    """A pipeline as it will be stored.

    ``config`` is the row's JSON: compact, keys sorted, Terraform expressions in it as CDKTF hands
    them out. ``template`` is the same as a Terraform string must be written to evaluate to it:
    it goes into the row.
    """

    id: str
    file: str
    pipeline: Pipeline
    config: str
    template: str

    def problem(self, path: Sequence[str | int], message: str) -> Problem:
        """A problem with this pipeline that only others can find, placed in its file."""
        return Source(Pipeline, self.file, Variables({})).problem(tuple(path), message)


@dataclass(frozen=True, kw_only=True)
class Pipelines:
    """What a directory of pipelines holds, in the order of their ids; and what looked odd in it."""

    stored: tuple[StoredPipeline, ...]
    warnings: tuple[Problem, ...] = ()

    def __iter__(self) -> Iterator[StoredPipeline]:
        return iter(self.stored)

    def __len__(self) -> int:
        return len(self.stored)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was found in files of pipelines: those that can be stored, and everything wrong or odd, by place."""

    stored: tuple[StoredPipeline, ...]
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def load_pipelines(
    *,
    pipelines_path: str | Path,
    calendars_path: str | Path | None = None,
    environment: str,
    pipeline_variables: Mapping[str, Scalar] | None = None,
    sfn_timeout_seconds: int = DEFAULT_SFN_TIMEOUT_SECONDS,
    today: date,
) -> Pipelines:
    """Read every pipeline of a directory.

    ``environment`` and ``pipeline_variables`` are what placeholders stand for; ``today`` decides
    about warnings only.

    Raises:
        ConfigError: everything that is wrong with any of the files, or that a directory is missing.
    """
    variables = Variables({**(pipeline_variables or {}), "environment": environment})
    files = yaml_files(pipelines_path)
    report = read_pipelines(
        files,
        calendars=load_calendars(calendars_path, variables),
        variables=variables,
        sfn_timeout_seconds=sfn_timeout_seconds,
        today=today,
    )
    if report.problems:
        raise ConfigError(report.problems)
    warnings = report.warnings if files else (no_pipelines(pipelines_path),)
    return Pipelines(stored=report.stored, warnings=warnings)


def read_pipelines(
    files: Iterable[str], *, calendars: Calendars, variables: Variables, sfn_timeout_seconds: int, today: date
) -> Report:
    """Read files that hold a pipeline each; nothing is raised, all is in the report."""
    stored: list[StoredPipeline] = []
    problems, warnings = list(calendars.problems), []
    first_files: dict[str, str] = {}
    for file in files:
        source = Source(Pipeline, file, variables)
        if source.document is not None:
            first = first_files.setdefault(source.document.id, file)
            if first != file:
                message = f"{shown(source.document.id)} is also the id of {first}; ids are unique"
                source.complain(Finding(path=("pipeline", "id"), message=message))
            document, data = _with_calendar(source, source.document, calendars)
            for finding in check(
                document, today=today, sfn_timeout_seconds=sfn_timeout_seconds, foreign=variables.foreign
            ):
                source.complain(finding)
            config = _config(source, data)
            if not source.problems:
                template = terraform_text(config, variables)
                stored.append(
                    StoredPipeline(id=document.id, file=file, pipeline=document, config=config, template=template)
                )
        problems += source.problems
        warnings += source.warnings
    return Report(
        stored=tuple(sorted(stored, key=lambda pipeline: pipeline.id)),
        problems=tuple(sorted(problems, key=place)),
        warnings=tuple(sorted(warnings, key=place)),
    )


def no_pipelines(directory: str | Path) -> Problem:
    """The warning about a directory without pipelines."""
    return Problem(str(directory), message="holds no pipelines (*.yaml, *.yml)")


def place(problem: Problem) -> tuple[str, int, int, str, str]:
    """What problems are sorted by; those of a whole file come first."""
    return (problem.file or "", problem.line or 0, problem.column or 0, problem.path, problem.message)


def _with_calendar(
    source: Source[Pipeline], document: Pipeline, calendars: Calendars
) -> tuple[Pipeline, dict[str, Any]]:
    name = document.schedule.exclude.calendar
    if name is None:
        return document, source.data
    if why := calendars.missing(name):
        source.complain(Finding(path=("schedule", "exclude", "calendar"), message=why))
    if name not in calendars.by_name:
        return document, source.data
    data = merged(source.data, calendars.by_name[name])
    return validator(Pipeline).validate_json(json.dumps(data), strict=True), data


def _config(source: Source[Pipeline], data: dict[str, Any]) -> str:
    config = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if (size := len(config.encode())) > MAX_CONFIG_BYTES:
        source.complain(
            Finding(path=(), message=f"is {size:,} bytes as JSON, but a row of DynamoDB holds {MAX_CONFIG_BYTES:,}")
        )
    return config
