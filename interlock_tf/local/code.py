"""The code of a function, run from its zip, apart from everything else that this process has loaded.

Each function has modules of its own, as it has a process of its own in Lambda: while it runs, the
packages of its zip stand in ``sys.modules`` instead of those of this process. Packages that
belong to Lambda's runtime (botocore) are shared. One thread at a time may run functions.
"""

from __future__ import annotations

import base64
import hashlib
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any
from zipfile import BadZipFile, ZipFile

from interlock_tf.local.terraform_json import StackError

#: The package in the zips that is loaded anew for every simulated deployment, since it remembers
#: clients and settings; third-party packages are kept.
_OURS = "interlock_runtime"


class _Output(io.TextIOBase):
    """What stands in for the standard output of all functions; loggers keep it for as long as they live."""

    def __init__(self) -> None:
        self.receive: Callable[[str], None] = lambda _: None

    def write(self, text: str) -> int:
        self.receive(text)
        return len(text)


_OUTPUT = _Output()


@contextmanager
def output_to(receive: Callable[[str], None]) -> Iterator[None]:
    """Have what functions print received, piece by piece."""
    before, _OUTPUT.receive = _OUTPUT.receive, receive
    try:
        with redirect_stdout(_OUTPUT):
            yield
    finally:
        _OUTPUT.receive = before


@dataclass
class _Modules:
    """The modules of a zip's packages; while not active, ``kept`` holds those that were loaded.

    ``shared`` are third-party modules that the same function has loaded before, in this process.
    """

    folder: Path
    packages: frozenset[str]
    shared: dict[str, ModuleType]
    kept: dict[str, ModuleType] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.kept.update(self.shared)
        for name in [each for each in self.shared if each.partition(".")[0] == _OURS]:
            del self.shared[name]  # released by another world; two must not have the same

    @contextmanager
    def active(self) -> Iterator[None]:
        outside = self._taken()
        sys.modules.update(self.kept)
        sys.path.insert(0, str(self.folder))
        size = len(sys.modules)
        try:
            yield
        finally:
            sys.path.remove(str(self.folder))
            if len(sys.modules) == size:
                for name in self.kept:
                    del sys.modules[name]
            else:
                self.kept = self._taken()
                self.shared.update({name: each for name, each in self.kept.items() if name.partition(".")[0] != _OURS})
            sys.modules.update(outside)

    def _taken(self) -> dict[str, ModuleType]:
        names = [name for name in sys.modules if name.partition(".")[0] in self.packages]
        return {name: sys.modules.pop(name) for name in names}


class Code:
    """The code of one function, ready to be imported from.

    Raises:
        StackError: the zip is missing or is not the one that was synthesised.
    """

    def __init__(self, path: Path, *, function: str, sha256_base64: str | None) -> None:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise StackError(f"{function}: {path}: {error.strerror}") from error
        digest = hashlib.sha256(content).digest()
        if sha256_base64 not in (None, base64.b64encode(digest).decode()):
            raise StackError(f"{function}: {path.name} is not the zip that source_code_hash tells of")
        folder = _unpacked(path, digest)
        packages = frozenset(
            each.name.removesuffix(".py") for each in folder.iterdir() if not each.name.endswith("-info")
        )
        self._modules = _Modules(folder, packages, _third_party(digest, function))

    @contextmanager
    def active(self) -> Iterator[None]:
        """Stand where the function's code is, and not ours, to be imported."""
        with self._modules.active():
            yield

    def forget(self) -> None:
        """Forget what the code has remembered, as when its process ends: it keeps that in caches, and nowhere else."""
        for name, module in self._modules.kept.items():
            if name.partition(".")[0] == _OURS:
                for each in list(vars(module).values()):
                    if (clear := getattr(each, "cache_clear", None)) is not None:
                        clear()

    def release(self) -> None:
        """Whoever loads the same function next may have its modules; nothing may be called here any more."""
        self.forget()
        self._modules.shared.update(self._modules.kept)

    def load(self, handler: str) -> Callable[[Any, Any], Any]:
        """What ``handler`` names, as Lambda finds it. To be called within :meth:`active`.

        Raises:
            StackError: there is no such module, it cannot be imported, or there is nothing to call in it.
        """
        module, _, name = handler.rpartition(".")
        try:
            found = getattr(import_module(module), name, None)
        except ImportError as error:
            raise StackError(f"the handler {handler} cannot be imported: {error}") from error
        if not callable(found):
            raise StackError(f"the handler {handler} cannot be found: {module} has no function {name!r}")
        return found  # type: ignore[no-any-return]


@cache
def _third_party(digest: bytes, function: str) -> dict[str, ModuleType]:
    """The third-party modules of a function; kept for as long as the process lives, for loading them takes a while."""
    return {}


@cache
def _unpacked(path: Path, digest: bytes) -> Path:
    folder = _scratch() / digest.hex()[:16]
    try:
        with ZipFile(path) as archive:
            archive.extractall(folder)
    except BadZipFile as error:
        raise StackError(f"{path}: this is not a zip") from error
    return folder


@cache
def _scratch() -> Path:
    _SCRATCH.append(TemporaryDirectory(prefix="interlock-local-"))
    return Path(_SCRATCH[0].name)


#: Removed when the process ends.
_SCRATCH: list[TemporaryDirectory[str]] = []
