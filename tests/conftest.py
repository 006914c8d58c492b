"""Settings of the whole test suite."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests.fakes import call_judge

# Machines that run tests are shared, so that the time of one example says nothing.
settings.register_profile("interlock", deadline=None)
settings.register_profile("fast", deadline=None, max_examples=20)  # for make test-fast
settings.load_profile("interlock")

call_judge.listen()

# A shell that runs the tests in the background has them ignore Ctrl-C, and what they start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

#: Markers of tests that need more than Python packages, and are skipped where that is not there.
NEEDY = frozenset({"terraform", "cdktf", "wheel", "linter", "browser"})


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fail a skipped test whose needs are all named in ``INTERLOCK_REQUIRED_TESTS``, as CI does."""
    report = yield
    needs = NEEDY & {marker.name for marker in item.iter_markers()}
    required = os.environ.get("INTERLOCK_REQUIRED_TESTS", "").split()
    if report.skipped and needs and needs <= set(required):
        report.outcome = "failed"
        report.longrepr = f"required here, but skipped: {report.longrepr[2]}"
    return report


@pytest.fixture(autouse=True)
def _least_privilege(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which a function made a call that its role does not allow, whatever the test itself is about."""
    call_judge.refused.clear()
    yield
    if request.node.get_closest_marker("refusals") is None:
        assert not call_judge.refused, "\n".join(dict.fromkeys(call_judge.refused))
