"""Fills in the templates of ``job.config`` when a job starts or is polled.

Values are inserted once and never read as templates themselves. What came from the secret store
is remembered for the one call that asked for it, so that it can be taken out of every text that
leaves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast
from urllib.parse import quote, quote_plus

from interlock_runtime.core.errors import InterlockError, PermanentError
from interlock_runtime.core.reader import camel
from interlock_runtime.core.templates import ENVIRONMENT_PREFIX, Secret, Template, filled, templates, texts
from interlock_runtime.jobs.contract import RunContext, Services

T = TypeVar("T")

_HIDDEN = "***"
#: Shorter values (a port, a digit) are no secrets, and hiding them would spoil every text.
_LEAST_HIDDEN = 4


class Templates:
    """Fills in the templates of one run's ``job.config``."""

    def __init__(self, run: RunContext, services: Services) -> None:
        self._services = services
        self._secrets: set[str] = set()
        self._variables: Mapping[str, str | None] = {
            "DATE": run.date.day.isoformat(),
            "HOUR": None if run.date.hour is None else f"{run.date.hour:02}",
            "EXECUTION_DATE": str(run.date),
            "PAR_DAY": f"{run.date.day:%Y%m%d}",
            "PIPELINE": run.pipeline_id,
            "SCHEDULE": run.schedule_id,
            "ATTEMPT": str(run.attempt),
            "RUN_ID": run.token,
        }

    def resolve(self, value: T, path: str = "job.config") -> T:
        """``value`` with the templates of every string in it filled in; keys of maps stay as they are.

        Raises:
            PermanentError: a variable or secret cannot be resolved; the message names it and its place.
            TransientError: the secret store did not answer.
        """
        return cast(T, self._resolve(value, path))

    def learn(self, value: Any) -> bool:
        """Come to know every secret that the strings of ``value`` name; whether all could be had."""
        found = (template.secret for _, text in texts(value) for template in templates(text))
        try:
            for secret in filter(None, found):
                self._secret(secret, secret.name)
        except InterlockError:
            return False
        return True

    def redact(self, text: str) -> str:
        """``text`` without the secrets that were filled in or learnt, however a service may have spelled them."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, _HIDDEN)
        return text

    def _resolve(self, value: Any, path: str) -> Any:
        if isinstance(value, str):
            return filled(value, lambda template: self._value(template, path))
        if isinstance(value, Mapping):
            return {key: self._resolve(each, f"{path}.{key}") for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self._resolve(each, f"{path}[{index}]") for index, each in enumerate(value))
        if is_dataclass(value) and not isinstance(value, type):
            names = [field.name for field in fields(value)]
            return replace(
                value, **{each: self._resolve(getattr(value, each), f"{path}.{camel(each)}") for each in names}
            )
        return value

    def _value(self, template: Template, path: str) -> str:
        name = template.name
        place = f"{path}: ${{{name}}}"
        if not template.closed:
            raise PermanentError(f"{path}: ${{{name} has no closing brace; write $${{ for a literal ${{")
        if template.secret:
            return self._secret(template.secret, place)
        if name in self._variables:
            value = self._variables[name]
            if value is None:
                raise PermanentError(f"{place} has no value: the run's execution date is a day without an hour")
            return value
        if not name.startswith(ENVIRONMENT_PREFIX):
            known = ", ".join(self._variables)
            raise PermanentError(
                f"{place} is not a run-time variable; there are {known}, names that begin with {ENVIRONMENT_PREFIX}"
                " and are in the orchestrator's environment, and secret:<name>"
            )
        if name not in self._services.environment:
            raise PermanentError(f"{place} is not set in the orchestrator's environment")
        return self._services.environment[name]

    def _secret(self, secret: Secret, place: str) -> str:
        if not secret.name:
            raise PermanentError(f"{place} names no secret")
        try:
            value = self._services.secret(secret.name, secret.key)
        except InterlockError as error:
            raise type(error)(f"{place}: {error}") from None
        if len(value) >= _LEAST_HIDDEN:
            self._secrets |= _spellings(value)
        return value


def _spellings(value: str) -> set[str]:
    """How a text may look when a service repeats it: in JSON, URLs, Python, and after wrong decoding."""
    return {
        value,
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        quote(value),
        quote_plus(value),
        value.encode().decode("latin-1"),
        value.encode("latin-1", "replace").decode("utf-8", "replace"),
    }
