"""Log lines and metrics of one function: JSON lines, and CloudWatch's embedded format."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aws_lambda_powertools as powertools
from aws_lambda_powertools.metrics import EphemeralMetrics

#: The namespace of every metric.
NAMESPACE = "Interlock"

#: The dimension of every metric; its value is the function's physical name, which begins with the environment's.
DIMENSION = "function"

#: The metric that every invocation leaves, in milliseconds.
HANDLER_DURATION = "HandlerDuration"


class Log:
    """One JSON object per line; every keyword becomes a field."""

    def __init__(self, function: str) -> None:
        # The location would always be a line of this class.
        self._logger = powertools.Logger(service=function, utc=True, use_rfc3339=True, location=None)
        self._invocation: dict[str, Any] = {"function": function, "request_id": None}
        self.about()

    def begin(self, request_id: str | None) -> None:
        """An invocation begins; what earlier ones were about is forgotten."""
        self._invocation["request_id"] = request_id
        self.about()

    def about(self, **fields: Any) -> None:
        """What the lines that follow are about, in place of what earlier ones were about."""
        self._logger.clear_state()
        self._logger.remove_keys(["service"])
        self._logger.append_keys(**self._invocation, **fields)

    def also(self, **fields: Any) -> None:
        """What the lines that follow are about besides."""
        self._logger.append_keys(**fields)

    def debug(self, message: str, **fields: Any) -> None:
        """For whoever is looking for something."""
        self._logger.debug(message, **fields)

    def info(self, message: str, **fields: Any) -> None:
        """What was done."""
        self._logger.info(message, **fields)

    def warning(self, message: str, **fields: Any) -> None:
        """What was passed over, and why."""
        self._logger.warning(message, **fields)

    def error(self, message: str, **fields: Any) -> None:
        """What went wrong; inside an exception handler, with its traceback."""
        self._logger.error(message, exc_info=sys.exc_info()[0] is not None, **fields)


class Metrics:
    """Counters of one invocation, written as one line when it ends. Threads may count at the same time."""

    def __init__(self, function: str) -> None:
        # Not Metrics, whose objects share their dimensions: on one machine, one process runs all functions.
        self._metrics = EphemeralMetrics(namespace=NAMESPACE)
        self._metrics.set_default_dimensions(**{DIMENSION: function})
        self._counts: dict[str, float] = {}
        self._lock = threading.Lock()

    def count(self, metric: str, number: float = 1) -> None:
        """Add to a counter."""
        with self._lock:
            self._counts[str(metric)] = self._counts.get(str(metric), 0) + number

    def flush(self) -> None:
        """Write the counters, and begin anew."""
        for name, number in self._counts.items():
            unit = "Milliseconds" if name == HANDLER_DURATION else "Count"
            self._metrics.add_metric(name, unit, number)
        self._counts.clear()
        self._metrics.flush_metrics()


class Telemetry:
    """What one function says about itself. ``function`` is its physical name."""

    def __init__(self, function: str) -> None:
        self.log = Log(function)
        self.metrics = Metrics(function)

    @contextmanager
    def invocation(self, context: Any) -> Iterator[None]:
        """One invocation, from the context that Lambda gives to its end, which leaves one line of metrics."""
        self.log.begin(getattr(context, "aws_request_id", None))
        started = time.perf_counter()
        try:
            yield
        finally:
            self.metrics.count(HANDLER_DURATION, (time.perf_counter() - started) * 1000)
            self.metrics.flush()
