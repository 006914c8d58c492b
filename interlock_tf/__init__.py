"""Interlock for Python: a safety controller for data pipelines, as a CDKTF construct.

    from interlock_tf import App, InterlockStack

    app = App()
    InterlockStack(app, "interlock", environment="dev", pipelines_path="pipelines")
    app.synth()

Everything public is in ``__all__``; whatever else the package holds may change at any time.
Nothing is loaded before it is used, since CDKTF takes seconds to load and much needs none of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from interlock_runtime import __version__

if TYPE_CHECKING:
    from interlock_runtime.core.errors import ConfigError, InterlockError
    from interlock_tf._cdk import App
    from interlock_tf.interlock import Interlock
    from interlock_tf.notices import InterlockWarning
    from interlock_tf.settings import Concurrency, VpcConfig
    from interlock_tf.stack import InterlockStack

__all__ = [
    "App",
    "Concurrency",
    "ConfigError",
    "Interlock",
    "InterlockError",
    "InterlockStack",
    "InterlockWarning",
    "VpcConfig",
    "__version__",
]

_HOMES = {
    "App": "interlock_tf._cdk",
    "Concurrency": "interlock_tf.settings",
    "ConfigError": "interlock_runtime.core.errors",
    "Interlock": "interlock_tf.interlock",
    "InterlockError": "interlock_runtime.core.errors",
    "InterlockStack": "interlock_tf.stack",
    "InterlockWarning": "interlock_tf.notices",
    "VpcConfig": "interlock_tf.settings",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
