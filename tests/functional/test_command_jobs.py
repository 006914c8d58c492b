"""Commands: words without a shell, an end, a time-out, and a token in the environment."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from interlock_runtime.core.errors import PermanentError
from interlock_runtime.jobs import registry
from interlock_runtime.jobs.contract import Category, Failed, Services, Succeeded
from tests.fakes.job_services import TOKEN, job_of, run_context, services

PYTHON = sys.executable


@pytest.fixture
def world() -> Services:
    return services(environment={"PATH": os.environ["PATH"], "INTERLOCK_PLACE": "in the yard"})


def run(world: Services, command: str, *, timeout: float = 60) -> Succeeded | Failed:
    ended = registry.start(job_of("command", command=command, timeout=timeout), run_context(), world).ended
    assert ended is not None
    return ended


def test_a_command_that_ends_with_0_has_succeeded(world: Services) -> None:
    assert run(world, "true") == Succeeded()


def test_a_command_that_ends_otherwise_has_failed_and_the_end_of_its_output_is_told(world: Services) -> None:
    ended = run(world, "sh -c 'echo first; seq 1000 1999; echo last words >&2; exit 3'")
    assert isinstance(ended, Failed)
    assert ended.category is Category.TRANSIENT
    assert ended.message.startswith("the command ended with code 3: ")
    assert ended.message.endswith("1998 1999 last words")
    assert len(ended.message) < 560


def test_a_command_is_split_into_words_and_meets_no_shell(world: Services, tmp_path: Path) -> None:
    script = tmp_path / "words.py"
    script.write_text("import sys; print(sys.argv[1:]); sys.exit(1)")
    ended = run(world, f"{PYTHON} {script} 'a b' $HOME \"c\" ; rm * `id` a\\ b")
    assert isinstance(ended, Failed)
    assert ended.message.endswith("['a b', '$HOME', 'c', ';', 'rm', '*', '`id`', 'a b']")


def test_a_value_filled_in_is_never_split(world: Services, tmp_path: Path) -> None:
    script = tmp_path / "words.py"
    script.write_text("import sys; print(sys.argv[1:]); sys.exit(1)")
    ended = run(world, f"{PYTHON} {script} ${{INTERLOCK_PLACE}} x=${{DATE}}")
    assert isinstance(ended, Failed)
    assert ended.message.endswith("['in the yard', 'x=2026-03-03']")


def test_a_command_knows_its_run(world: Services) -> None:
    assert run(world, f"sh -c 'test \"$INTERLOCK_RUN\" = {TOKEN}'") == Succeeded()


@pytest.mark.slow
def test_a_command_that_does_not_end_is_ended_with_all_that_it_started(world: Services, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    began = time.monotonic()
    ended = run(world, f"sh -c '(sleep 3; touch {mark}) & echo waiting; sleep 30'", timeout=1)
    assert time.monotonic() - began < 3
    assert ended == Failed("the command did not end within 1 s: waiting", Category.TIMEOUT)
    time.sleep(3 - (time.monotonic() - began) + 0.5)
    assert not mark.exists()


def test_endless_output_neither_stops_a_command_nor_fills_the_memory(world: Services) -> None:
    ended = run(world, "sh -c 'yes | head -c 300000000; echo done >&2; exit 1'")
    assert isinstance(ended, Failed)
    assert ended.message.endswith("y y y done")


def test_something_left_running_does_not_hold_the_command(world: Services) -> None:
    began = time.monotonic()
    assert run(world, "sh -c 'sleep 5 & true'") == Succeeded()
    assert time.monotonic() - began < 4


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("no-such-program-anywhere", "'no-such-program-anywhere' cannot be run: .*No such file"),
        ("/etc/passwd", "cannot be run: .*Permission denied"),
        ("sh 'never closed", "cannot be split into words"),
        ("'' x", "cannot be run"),
        ("  ", "holds no word"),
        ("sh ${NOPE}", r"job\.config\.command: \$\{NOPE\} is not a run-time variable"),
    ],
)
def test_a_command_that_cannot_be_run_is_refused_for_good(world: Services, command: str, told: str) -> None:
    with pytest.raises(PermanentError, match=told):
        run(world, command)
