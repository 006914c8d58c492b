"""The six Lambda zips: the runtime and its third-party code, the same bytes on every machine.

A zip holds ``interlock_runtime`` and the locked wheels, unpacked. Only the alert dispatcher carries
the Slack SDK. Tests, type stubs and web assets that nothing in Lambda reads are left out; licences
stay in. boto3 comes with Lambda.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import interlock_runtime
from interlock_runtime.core.errors import ConfigError, Problem
from interlock_runtime.settings import VARIABLES
from interlock_tf.packaging.archive import Entry, entries_of, zip_bytes
from interlock_tf.packaging.locked_wheels import WheelsError, locked_wheels
from interlock_tf.shipped import shipped

#: The names of the zips, without their suffix.
FUNCTIONS = tuple(VARIABLES)

_ONLY_FOR: Mapping[str, str] = {"slack_sdk": "alert-dispatcher"}

_LEFT_OUT = (
    "*.pyi",
    "*/py.typed",
    "*/tests/*",
    "*.data/*",  # command-line scripts
    "*.dist-info/RECORD",
    "*.dist-info/WHEEL",
    "*.dist-info/entry_points.txt",
    "*.dist-info/top_level.txt",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*",
    "slack/*",  # the former name of slack_sdk
)


@dataclass(frozen=True)
class Zip:
    """One function's package: where it lies, and its SHA-256 in base64, as Lambda tells it."""

    path: Path
    sha256_base64: str


def build_zips(out: Path) -> Mapping[str, Zip]:
    """Write ``<function>.zip`` for all six functions into ``out``, and return them by function.

    ``out`` is made when it is missing. A zip that is there already with the same bytes is left
    alone. Raises ConfigError when the third-party wheels are not those that the lock names.
    """
    out.mkdir(parents=True, exist_ok=True)
    return {function: _written(out / f"{function}.zip", _content(_third_party_of(function))) for function in FUNCTIONS}


def _written(path: Path, content: bytes) -> Zip:
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    if not path.exists() or path.read_bytes() != content:
        path.write_bytes(content)
    return Zip(path, digest)


def _third_party_of(function: str) -> frozenset[str]:
    return frozenset(name for name in _wheels() if _ONLY_FOR.get(name, function) == function)


@cache
def _wheels() -> Mapping[str, bytes]:
    try:
        return locked_wheels(shipped("runtime/requirements.lock"), Path(__file__).parents[1] / "third_party")
    except WheelsError as error:
        raise ConfigError(Problem(path="installation", message=str(error))) from error


@cache
def _content(third_party: frozenset[str]) -> bytes:
    wheels = (_wheels()[name] for name in sorted(third_party))
    runtime = runtime_entries(Path(interlock_runtime.__file__).parent)
    return zip_bytes([*runtime, *(entry for wheel in wheels for entry in entries_of(wheel, _is_needed))])


def runtime_entries(package: Path) -> Iterator[Entry]:
    """Yield the modules below ``package``, named from its parent folder, in a fixed order."""
    for path in sorted(package.rglob("*.py")):
        if "__pycache__" not in path.parts:
            yield Entry.stored(path.relative_to(package.parent).as_posix(), path.read_bytes())


def _is_needed(name: str) -> bool:
    return not any(fnmatchcase(name, pattern) for pattern in _LEFT_OUT)
