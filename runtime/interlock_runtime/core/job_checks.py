"""What a document says about its job, checked: the limits of a run, the keys by type, the templates."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from interlock_runtime.core.dates import Granularity, granularity
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.findings import Finding, Path
from interlock_runtime.core.http_rules import header_refusal, read_url
from interlock_runtime.core.job_documents import (
    AirflowConfig,
    CommandConfig,
    DatabricksConfig,
    EmrServerlessConfig,
    HttpConfig,
    StepFunctionConfig,
)
from interlock_runtime.core.job_values import number_of, words_of
from interlock_runtime.core.scalars import format_duration
from interlock_runtime.core.templates import (
    ENVIRONMENT_PREFIX,
    RUN_VARIABLES,
    Template,
    filled,
    is_run_time,
    templates,
    texts,
)
from interlock_runtime.core.wording import shown

#: A Standard execution ends at 25,000 history events; the rest is for what is not a loop.
MAX_LOOP_EVENTS = 24_000
EVENTS_PER_LOOP = 10
MIN_POLL_WINDOW_SECONDS = 60

_SCHEME = re.compile(r"https?://", re.IGNORECASE)
#: What goes beyond the address of a service, to which the path of its API is added.
_BEYOND = re.compile(r"[?#]|(?<!/)/api(?:/v?\d[\d.]*)?/*\s*$")
#: What a template in a URL may stand for: a label or a port, or an address within brackets.
_SAMPLES = ("1", "::1")
#: Stands for a template where nothing is known of its value.
_UNKNOWN = "\0"
#: The parts of an ARN between its colons: how each begins, and the pattern of the whole of it.
_MACHINE = (
    ("arn", ""),
    ("aws", r"[a-z-]*"),
    ("states", ""),
    ("", r"[a-z0-9-]+"),
    ("", r"\d{12}"),
    ("stateMachine", ""),
    ("", r"[^\s:*?]+(?::[^\s:*?]+)?"),
)
_ROLE = (("arn", ""), ("aws", r"[a-z-]*"), ("iam", ""), ("", ""), ("", r"\d{12}"), ("role/", r"[\w+=,.@/-]+"))
_CONFIG: Path = ("job", "config")
#: What makes a pipeline hourly.
_GRANULARITY: tuple[Path, ...] = (("schedule", "cron"), ("schedule", "trigger", "deadline"), ("sla", "deadline"))


def check_job(pipeline: Pipeline, *, sfn_timeout_seconds: int, foreign: Collection[str]) -> Iterator[Finding]:
    """Everything about ``job`` that cannot work; the arguments are those of ``checks.check``."""
    yield from _limits(pipeline, sfn_timeout_seconds)
    yield from _by_type(pipeline, foreign)
    hourly = granularity(pipeline) is Granularity.HOURLY
    for path, text in texts(pipeline.job.config, _CONFIG):
        for template in templates(text):
            complaint = None if template.name in foreign else _complaint(template, hourly=hourly)
            if complaint:
                yield Finding(path=path, message=complaint, rests_on=_GRANULARITY if template.name == "HOUR" else ())


def _limits(pipeline: Pipeline, sfn_timeout_seconds: int) -> Iterator[Finding]:
    job, evaluation = pipeline.job, pipeline.schedule.evaluation
    if 0 < job.job_poll_window_seconds < MIN_POLL_WINDOW_SECONDS:
        yield Finding(
            path=("job", "jobPollWindowSeconds"),
            message=f"{job.job_poll_window_seconds} is less than {MIN_POLL_WINDOW_SECONDS} seconds; 0 is the default, "
            "an hour",
        )
    together = evaluation.window + job.poll_window
    if together > timedelta(seconds=sfn_timeout_seconds):
        yield Finding(
            path=("job", "jobPollWindowSeconds"),
            message=f"the evaluation window ({format_duration(evaluation.window)}) and the poll window "
            f"({format_duration(job.poll_window)}) are {format_duration(together)} together, but an execution ends "
            f"after sfn_timeout_seconds, {format_duration(timedelta(seconds=sfn_timeout_seconds))}: shorten one of "
            "them or raise that",
            rests_on=(("schedule", "evaluation", "window"),),
        )
    if not evaluation.interval or not job.check_interval:
        return
    loops = evaluation.window / evaluation.interval + job.poll_window / job.check_interval
    if loops * EVENTS_PER_LOOP > MAX_LOOP_EVENTS:
        yield Finding(
            path=("job", "jobCheckIntervalSeconds"),
            message=f"evaluations every {format_duration(evaluation.interval)} and polls every "
            f"{format_duration(job.check_interval)} are {loops:,.0f} loops in one execution, which can hold "
            f"{MAX_LOOP_EVENTS // EVENTS_PER_LOOP:,}: lengthen an interval or shorten a window",
            rests_on=(("schedule", "evaluation"), ("job", "jobPollWindowSeconds")),
        )


def _by_type(pipeline: Pipeline, foreign: Collection[str]) -> Iterator[Finding]:
    match pipeline.job.config:
        case CommandConfig(command=command):
            yield from _command(command, foreign)
        case DatabricksConfig(workspace_url=url) as config:
            yield from _service("workspaceUrl", url)
            yield from _headers(config.headers)
            yield from _one_of({"jobId": config.job_id, "body": config.body})
            if isinstance(config.job_id, str):
                for finding in _read("jobId", number_of, _with("1", config.job_id)):
                    yield replace(finding, message=f"{shown(config.job_id)} {finding.message}")
        case EmrServerlessConfig() as config:
            expected = "a role's ARN, arn:aws:iam::<account>:role/<name>"
            yield from _arn("executionRoleArn", config.execution_role_arn, _ROLE, expected)
            yield from _one_of({"jobDriver": config.job_driver, "jobName": config.job_name})
            if config.arguments and config.job_driver is not None:
                yield Finding(
                    path=(*_CONFIG, "arguments"), message="goes with jobName; give it within jobDriver instead"
                )
        case StepFunctionConfig() as config:
            expected = "a state machine's ARN, arn:aws:states:<region>:<account>:stateMachine:<name>"
            yield from _arn("stateMachineArn", config.state_machine_arn, _MACHINE, expected)
            yield from _one_of({"input": config.input, "arguments": config.arguments}, required=False)
        case HttpConfig(url=url, headers=headers):
            yield from _url("url", url)
            yield from _headers(headers)
        case AirflowConfig(url=url, headers=headers):
            yield from _service("url", url)
            yield from _headers(headers)


def _one_of(given: dict[str, Any], *, required: bool = True) -> Iterator[Finding]:
    """Of several keys of ``job.config`` exactly one is given (at most one unless ``required``)."""
    present = [key for key, value in given.items() if value is not None]
    names = " or ".join(given)
    if len(present) > 1:
        yield Finding(path=(*_CONFIG, present[-1]), message=f"cannot stand beside {present[0]}: give either {names}")
    if required and not present:
        yield Finding(
            path=_CONFIG,
            message=f"needs {names}",
            rests_on=tuple((*_CONFIG, key) for key in given),
        )


def _url(key: str, url: str) -> Iterator[Finding]:
    """A URL that begins with a template cannot be judged before it is filled in; else a template is a part of one."""
    if url.startswith("${"):
        return
    if not _SCHEME.match(url.strip()):
        yield Finding(path=(*_CONFIG, key), message=f"{shown(url)} is not a URL that begins with https:// or http://")
        return
    told = [list(_read(key, read_url, _with(sample, url))) for sample in _SAMPLES]
    if all(told):
        yield from told[0]


def _service(key: str, url: str) -> Iterator[Finding]:
    """A URL to which the path of an API is added."""
    told = list(_url(key, url))
    if not told and _BEYOND.search(_with(_UNKNOWN, url)):
        message = f"{shown(url)} goes too far: give the address up to and without /api; the rest is added"
        told = [Finding(path=(*_CONFIG, key), message=message)]
    yield from told


def _headers(headers: Mapping[str, str]) -> Iterator[Finding]:
    for name, value in headers.items():
        if reason := header_refusal(name, _with("", value)):
            yield Finding(path=(*_CONFIG, "headers", name), message=reason)


def _command(command: str, foreign: Collection[str]) -> Iterator[Finding]:
    """A command is split before a run fills its templates in, but after Terraform has."""
    for name in foreign:
        command = command.replace(f"${{{name}}}", "1")
    try:
        words = words_of(command)
    except ValueError as error:
        yield Finding(path=(*_CONFIG, "command"), message=str(error))
        return
    for word in words if _all_closed(command) else ():
        if not _all_closed(word):
            message = f"{shown(word)} is cut off within a template: put quotes around a template that holds a space"
            yield Finding(path=(*_CONFIG, "command"), message=message)


def _arn(key: str, arn: str, parts: Sequence[tuple[str, str]], expected: str) -> Iterator[Finding]:
    """An ARN is judged up to its first template, which may stand for any number of parts."""
    literal, unknown, _ = _with(_UNKNOWN, arn).partition(_UNKNOWN)
    given = literal.split(":", len(parts) - 1)
    if unknown:
        begun = given.pop()
        start, _ = parts[len(given)]
        fits = begun.startswith(start) or start.startswith(begun)
    else:
        fits = len(given) == len(parts)
    for (start, pattern), part in zip(parts, given, strict=False):
        fits = fits and bool(re.fullmatch(re.escape(start) + pattern, part, re.ASCII))
    if not fits:
        yield Finding(path=(*_CONFIG, key), message=f"{shown(arn)} is not valid; expected {expected}")


def _with(sample: str, text: str) -> str:
    """``text`` with the same in the place of each template."""
    return filled(text, lambda _: sample)


def _all_closed(text: str) -> bool:
    return all(template.closed for template in templates(text))


def _read(key: str, reader: Callable[[str], object], text: str) -> Iterator[Finding]:
    try:
        reader(text)
    except ValueError as error:
        yield Finding(path=(*_CONFIG, key), message=str(error))


def _complaint(template: Template, *, hourly: bool) -> str | None:
    """What is wrong with a template in ``job.config``, or None."""
    name = template.name
    if not template.closed:
        return f"{shown('${' + name)} has no closing brace; write $${{ for a literal ${{"
    written = shown(f"${{{name}}}")
    if template.secret:
        return None if template.secret.name else f"{written} names no secret"
    if name == "HOUR" and not hourly:
        return "${HOUR} has no value here: the execution dates of this pipeline are days"
    if is_run_time(name):
        return None
    return (
        f"{written} is not a run-time variable; there are {', '.join(RUN_VARIABLES)}, names that "
        f"begin with {ENVIRONMENT_PREFIX}, and secret:<name>"
    )
