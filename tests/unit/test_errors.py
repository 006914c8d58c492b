"""Errors say where, what and what would be right; retry policy reads their type."""

from __future__ import annotations

import pytest

from interlock_runtime.core.errors import ConfigError, InterlockError, PermanentError, Problem, TransientError


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("gold.yaml", 3, 5, "sla.deadline", "is late"), "gold.yaml:3:5: sla.deadline: is late"),
        (Problem("gold.yaml", message="is empty"), "gold.yaml: is empty"),
        (Problem(path="prefix", message="is too long"), "prefix: is too long"),
        (Problem(message="is wrong"), "is wrong"),
    ],
)
def test_a_problem_is_told_with_its_place(problem: Problem, text: str) -> None:
    assert str(problem) == text


def test_a_config_error_tells_all_its_problems() -> None:
    problems = [Problem("a.yaml", 1, 1, "x", "is wrong"), Problem("b.yaml", 2, 2, "y", "is wrong too")]
    assert str(ConfigError(problems)) == "a.yaml:1:1: x: is wrong\nb.yaml:2:2: y: is wrong too"
    assert ConfigError(iter(problems)).problems == tuple(problems)
    assert ConfigError(problems[0]).problems == (problems[0],)


@pytest.mark.parametrize("kind", [ConfigError, TransientError, PermanentError])
def test_every_error_has_one_root(kind: type[Exception]) -> None:
    assert issubclass(kind, InterlockError)
    assert not issubclass(kind, ValueError)


def test_the_class_names_that_the_state_machine_knows_do_not_change() -> None:
    assert (TransientError.__name__, PermanentError.__name__) == ("TransientError", "PermanentError")
