"""The templates in ``job.config``: which names they may hold, and where they stand.

    ${DATE}  ${INTERLOCK_REGION}  ${secret:warehouse/etl#token}  $${literal}

They are filled in when the job starts. At synth they are only found, so that a name that could
never be filled in is refused, and the right to read exactly the secrets named is granted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.findings import Path
from interlock_runtime.core.reader import camel

#: What a run fills in by itself; ``HOUR`` only where execution dates are hours.
RUN_VARIABLES = ("DATE", "HOUR", "EXECUTION_DATE", "PAR_DAY", "PIPELINE", "SCHEDULE", "ATTEMPT", "RUN_ID")

#: The only environment variables that a document can read start with this.
ENVIRONMENT_PREFIX = "INTERLOCK_"

_FROM_STORE = "secret:"
# A secret's name may hold one more pair of braces: an ARN that only Terraform knows.
_TEMPLATE = re.compile(r"\$\$\{|\$\{(?P<name>(?:\$\{[^{}]*\}|[^{}])*)(?P<end>\})?")


@dataclass(frozen=True)
class Secret:
    """A secret by name or ARN, or with ``key`` one entry of it when it is a JSON object."""

    name: str
    key: str | None = None


@dataclass(frozen=True)
class Template:
    """One ``${name}`` in a text; ``closed`` tells whether the brace at its end is there."""

    name: str
    closed: bool = True

    @property
    def secret(self) -> Secret | None:
        """The secret that it stands for, if it is one; its name may be empty."""
        if not self.name.startswith(_FROM_STORE):
            return None
        name, _, key = self.name.removeprefix(_FROM_STORE).partition("#")
        return Secret(name, key or None)


def is_run_time(name: str) -> bool:
    """Whether ``${name}`` is filled in when a job starts, as far as the name tells."""
    return name in RUN_VARIABLES or name.startswith((ENVIRONMENT_PREFIX, _FROM_STORE))


def templates(text: str) -> Iterator[Template]:
    """The templates of a text from left to right, without the literal ones (``$${…}``)."""
    for match in _TEMPLATE.finditer(text):
        if (name := match["name"]) is not None:
            yield Template(name, match["end"] is not None)


def filled(text: str, value: Callable[[Template], str]) -> str:
    """``text`` with the value of each template in its place, and ``${`` for each literal ``$${``."""

    def replacement(match: re.Match[str]) -> str:
        name = match["name"]
        return "${" if name is None else value(Template(name, match["end"] is not None))

    return _TEMPLATE.sub(replacement, text)


def texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every string in a value of a document, with its path; keys of maps are not among them."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from texts(each, (*path, key))
    elif isinstance(value, (list, tuple)):
        for index, each in enumerate(value):
            yield from texts(each, (*path, index))
    elif is_dataclass(value):
        for each in fields(value):
            yield from texts(getattr(value, each.name), (*path, camel(each.name)))


def named_secrets(pipeline: Pipeline) -> tuple[Secret, ...]:
    """The secrets that a pipeline's job reads, sorted, each once."""
    found = (template.secret for _, text in texts(pipeline.job.config) for template in templates(text))
    return tuple(sorted({secret for secret in found if secret}, key=lambda secret: (secret.name, secret.key or "")))
