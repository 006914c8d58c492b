"""The third-party wheels that go into the Lambda zips, checked against their hash-locked requirements.

Only the standard library is imported here: the build hook loads this file by its path, in an
environment that holds nothing else of ours.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Mapping
from pathlib import Path

_REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:(?P<digest>[0-9a-f]{64})")


class WheelsError(Exception):
    """A locked wheel is absent, or a file is not what the lock says."""


def locked_hashes(lock: Path) -> Mapping[str, frozenset[str]]:
    """Return the SHA-256 digests (hexadecimal) that ``lock`` accepts, by normalised project name."""
    text = lock.read_text(encoding="utf-8")
    starts = list(_REQUIREMENT.finditer(text))
    ends = [match.start() for match in starts[1:]] + [len(text)]
    return {
        _normalised(match["name"]): frozenset(_HASH.findall(text, match.end(), end))
        for match, end in zip(starts, ends, strict=True)
    }


def locked_wheels(lock: Path, folder: Path) -> Mapping[str, bytes]:
    """Return the bytes of the one wheel in ``folder`` for each requirement in ``lock``, by project name.

    Raises WheelsError when one is missing, twice there, or has another hash than the lock's.
    """
    hashes = locked_hashes(lock)
    wheels: dict[str, bytes] = {}
    for path in sorted(folder.glob("*.whl")):
        name = _normalised(path.name.split("-", 1)[0])
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() not in hashes.get(name, frozenset()):
            raise WheelsError(f"{path} is not the wheel that {lock.name} locks: its SHA-256 is another")
        if name in wheels:
            raise WheelsError(f"{folder} holds two wheels of {name}")
        wheels[name] = content
    missing = sorted(hashes.keys() - wheels.keys())
    if missing:
        raise WheelsError(
            f"{folder} lacks the wheel of {', '.join(missing)}; in a checkout, `make setup` or "
            f"`{Path(sys.executable).name} -m pip install -e .` fetches it"
        )
    return wheels


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()
