"""sla-monitor: reads its settings, and refuses every event until its work is built in."""

from __future__ import annotations

import os
from typing import Any

from interlock_runtime import settings
from interlock_runtime.core.errors import PermanentError


def handler(event: Any, context: Any) -> Any:
    """Refuse the event.

    Raises:
        ConfigError: the function's environment is incomplete.
        PermanentError: always, otherwise.
    """
    settings.read(settings.SlaMonitor, os.environ)
    raise PermanentError("sla-monitor is not part of this version of Interlock; nothing was done")
