"""The two stacks that most tests look at; each is synthesised once."""

from __future__ import annotations

import pytest

from tests.fakes.stacks import MAXIMAL, MINIMAL, Synthesised, synthesised


@pytest.fixture(scope="session")
def minimal(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    """Nothing but what is required; two pipelines."""
    return synthesised(tmp_path_factory.mktemp("minimal"), MINIMAL)


@pytest.fixture(scope="session")
def maximal(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    """Every option on, every variable given, every job type."""
    return synthesised(tmp_path_factory.mktemp("maximal"), MAXIMAL)
