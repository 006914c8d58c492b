"""Random days with faults leave what Interlock promises.

``make soak`` lives through as many days as one likes. Here it is a bounded number, and the seeds
that once found something.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from interlock_tf.local import soak
from interlock_tf.local.faults import Kind
from interlock_tf.local.random_days import random_day, read_day
from interlock_tf.local.terraform_json import Configuration
from interlock_tf.local.timeline import json_lines

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]

#: How many days CI lives through, from which seed on: about a minute's work.
DAYS = range(50)

#: Days that once went wrong, cut down. Files, since the day of a seed changes with whatever makes days.
FOUND = sorted((Path(__file__).parent / "days").glob("*.jsonl"))


def test_random_days_leave_what_is_promised(soaked: Configuration) -> None:
    results = [soak.of_seed(soaked, seed) for seed in DAYS]
    assert [(result.day.seed, result.wrong) for result in results if result.wrong] == []
    # They are worth something: much happened, and everything that can go wrong did.
    assert sum(result.jobs for result in results) > len(DAYS)
    faults: Counter[str] = Counter()
    for result in results:
        faults.update(result.faults)
    assert set(faults) == set(Kind)


@pytest.mark.parametrize("file", FOUND, ids=lambda file: file.stem)
def test_a_day_that_once_went_wrong(soaked: Configuration, file: Path) -> None:
    assert soak.live(soaked, read_day(file, pipeline_ids=soaked.pipeline_ids())).wrong == ()


def told(result: soak.Result) -> str:
    """Everything that can be known of a day, in one word."""
    lines = "\n".join([result.day.text(), *json_lines(result.entries), repr(sorted(result.faults.items()))])
    return hashlib.sha256(lines.encode()).hexdigest()


_TELL = """
import sys
from pathlib import Path
from interlock_tf.local import soak
from interlock_tf.local.random_days import random_day
from interlock_tf.local.terraform_json import Configuration
from tests.scenarios.test_random_days import told

stack = Configuration.read(Path(sys.argv[1]), variables=soak.TOKEN)
print(told(soak.live(stack, random_day(int(sys.argv[2]), stack.pipelines()))))
"""


def test_the_same_seed_gives_the_same_bytes_in_every_process(soaked_folder: Path, soaked: Configuration) -> None:
    def elsewhere(seed: int, hash_seed: str) -> str:
        paths = os.pathsep.join([str(ROOT), str(ROOT / "runtime")])
        run = subprocess.run(
            [sys.executable, "-c", _TELL, str(soaked_folder), str(seed)],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": paths},
            capture_output=True,
            text=True,
            check=True,
        )
        return run.stdout.strip()

    for seed in (3, 33):
        here = told(soak.live(soaked, random_day(seed, soaked.pipelines())))
        assert {here, elsewhere(seed, "1"), elsewhere(seed, "2")} == {here}


def test_the_quick_tables_and_clients_make_no_difference(soaked: Configuration) -> None:
    day = random_day(9, soaked.pipelines())
    assert len(day.faults) > 10
    day = replace(day, end=day.until + timedelta(hours=1))

    def end(quick: bool) -> tuple[object, ...]:
        with soak.lived(soaked, day, quick=quick) as seen:
            tables = [list(seen.rows(f"{name}_table_name")) for name in ("control", "joblog", "rerun", "events")]
            return list(seen.published), tables, list(json_lines(seen.entries)), len(seen.injector.happened)

    for one, other in zip(end(quick=True), end(quick=False), strict=True):
        assert one == other


def test_a_day_is_the_same_after_writing_and_reading(soaked: Configuration, tmp_path: Path) -> None:
    day = random_day(20, soaked.pipelines())
    file = tmp_path / "day.jsonl"
    file.write_text(day.text())
    again = read_day(file, pipeline_ids=soaked.pipeline_ids())
    assert again.text() == day.text()
    assert again.faults == day.faults
    assert told(soak.live(soaked, again)) == told(soak.live(soaked, day))
