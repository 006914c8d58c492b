"""The AWS bindings for CDKTF, loaded piece by piece.

``cdktf_cdktf_provider_aws`` imports its 2,200 submodules when any one of them is imported,
which takes three times as long as everything else that a synthesis does. :func:`install`
puts a package in ``sys.modules`` that has the same path and loads a submodule when somebody
asks for it. Every form of import works as before, ours and a user's alike, because the
submodules themselves are the installed ones; where the user imported the bindings first,
nothing is changed.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import MutableMapping
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGE = "cdktf_cdktf_provider_aws"

#: Set to anything but 0 to have the whole package imported at once, as it is without Interlock.
EAGER = "INTERLOCK_EAGER_BINDINGS"


def install(environment: MutableMapping[str, str] = os.environ) -> None:
    """Make the bindings lazy, unless they are loaded already or ``INTERLOCK_EAGER_BINDINGS`` is set."""
    if PACKAGE in sys.modules or environment.get(EAGER, "0") not in ("", "0"):
        return
    spec = find_spec(PACKAGE)
    if spec is not None and spec.submodule_search_locations:
        package = module_from_spec(spec)
        vars(package).update(__getattr__=_load, __dir__=_names, __doc__="The AWS bindings, each loaded on first use.")
        sys.modules[PACKAGE] = package


def quiet(environment: MutableMapping[str, str] = os.environ) -> None:
    """Keep the JavaScript engine behind CDKTF from printing a banner about the version of Node.

    It warns of versions that nothing here depends on. A value that the user has set stays.
    """
    environment.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "18,20,22,24")
    environment.setdefault("JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION", "1")
    environment.setdefault("JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION", "1")


def _load(name: str) -> ModuleType | list[str]:
    if name == "__all__":
        return _names()
    if name.startswith("__") or name not in _names():
        raise AttributeError(f"module {PACKAGE!r} has no attribute {name!r}")
    return importlib.import_module(f"{PACKAGE}.{name}")


def _names() -> list[str]:
    package: Any = sys.modules[PACKAGE]
    return sorted(
        entry.name
        for folder in package.__path__
        for entry in Path(folder).iterdir()
        if (entry / "__init__.py").is_file() and entry.name.isidentifier()
    )
