"""The nine job types by name, and the two operations that each of them has.

A type's module is imported when a job of that type comes along, so that a function that starts
Glue jobs never loads what another type needs. Nothing secret leaves this module: what a job
type answers or raises passes through the redaction of the run's templates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any, TypeVar, cast

from interlock_runtime.core.errors import InterlockError, PermanentError, TransientError
from interlock_runtime.core.job_documents import Job
from interlock_runtime.jobs.contract import Call, Failed, Outcome, RunContext, Running, Services, Started
from interlock_runtime.jobs.excerpts import excerpt
from interlock_runtime.jobs.templates import Templates

#: ``job.type`` and the module of this package that starts and polls it. Each has
#: ``start(call: Call[…]) -> Started``, which tries once. A type whose jobs can outlive their start and be
#: asked about has ``status(call: Call[…], metadata) -> Outcome``, and ``ADDRESS``: the fields of the
#: configuration by which a run is found again. Their values, as the document has them, are kept in the run's
#: metadata, so that a deployment in the middle of a run does not lose the job.
MODULES: Mapping[str, str] = {
    "http": "http",
    "command": "command",
    "lambda": "aws_lambda",
    "glue": "glue",
    "emr": "emr",
    "emr-serverless": "emr_serverless",
    "step-function": "step_function",
    "airflow": "airflow",
    "databricks": "databricks",
}

T = TypeVar("T")

_MESSAGE_LENGTH = 2048


def start(job: Job, run: RunContext, services: Services) -> Started:
    """Start the job of a run.

    Raises:
        TransientError: nothing was started, or nobody knows; the same token may be tried again.
        PermanentError: nothing was started, and it never can be.
    """
    kind = _module(job.type)
    call = Call(config=job.config, templates=Templates(run, services), run=run, services=services)
    started: Started = _guarded(lambda: kind.start(call), call.templates)
    address = {name: getattr(job.config, name) for name in getattr(kind, "ADDRESS", ())}
    return replace(
        started,
        metadata={"type": job.type, "address": address, **started.metadata},
        run_id=started.run_id and call.templates.redact(started.run_id),
        ended=_redacted(started.ended, call.templates),
    )


def status(job: Job, metadata: Mapping[str, Any], run: RunContext, services: Services) -> Outcome:
    """Ask how a started job is doing; ``metadata`` is what :func:`start` returned.

    A job that cannot be asked about is running until the job log says otherwise.

    Raises:
        TransientError: the job service did not answer, or not sensibly; the job may be well.
        PermanentError: the job service refuses the question; the job may be well nevertheless.
    """
    if metadata.get("type") != job.type:
        raise PermanentError(
            f"the job was started as type {metadata.get('type')!r}, and the pipeline now has job.type {job.type!r}"
        )
    kind = _module(job.type)
    if not hasattr(kind, "status"):
        return Running()
    config = replace(cast(Any, job.config), **metadata.get("address", {}))
    call = Call(config=config, templates=Templates(run, services), run=run, services=services)
    outcome: Outcome = _guarded(lambda: kind.status(call, metadata), call.templates)
    return _redacted(outcome, call.templates)


def _module(name: str) -> Any:
    return import_module(f"{__package__}.{MODULES[name]}")


def _guarded(operation: Callable[[], T], templates: Templates) -> T:
    """Run ``operation``; whatever it raises leaves as one of our errors, without a secret in it."""
    try:
        return operation()
    except Exception as error:  # noqa: BLE001 - an unforeseen error's text may hold a secret, too
        kind = PermanentError if isinstance(error, PermanentError) else TransientError
        text = str(error) if isinstance(error, InterlockError) else f"{type(error).__name__}: {error}"
        trace = error.__traceback__
    # Raised out here, so that the new error does not carry the old one as its context.
    raise kind(excerpt(templates.redact(text), _MESSAGE_LENGTH)).with_traceback(trace)


def _redacted(outcome: T, templates: Templates) -> T:
    if isinstance(outcome, Failed):
        return cast(T, replace(outcome, message=templates.redact(outcome.message)))
    return outcome
