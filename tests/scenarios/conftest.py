"""The sample pipelines, in a stack that is synthesised once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from interlock_tf.local import soak
from interlock_tf.local.synthesis import stack_of_pipelines
from interlock_tf.local.terraform_json import Configuration
from interlock_tf.testing import Scenario

ROOT = Path(__file__).resolve().parents[2]

Begin = Callable[[str, str], Scenario]


@pytest.fixture(scope="session")
def begin() -> Begin:
    """Begin a story about a sample pipeline, at a date or date and time in its time zone."""

    def scenario(pipeline: str, start: str) -> Scenario:
        return Scenario.of_pipelines(ROOT / "pipelines", calendars=ROOT / "calendars", pipeline=pipeline, start=start)

    return scenario


@pytest.fixture(scope="session")
def soaked_folder() -> Path:
    """The folder of the samples' stack, with a Slack channel."""
    return stack_of_pipelines([ROOT / "pipelines"], calendars=ROOT / "calendars", **soak.CHANNEL)


@pytest.fixture(scope="session")
def soaked(soaked_folder: Path) -> Configuration:
    """The samples' stack, as a soak runs it."""
    return Configuration.read(soaked_folder, variables=soak.TOKEN)
