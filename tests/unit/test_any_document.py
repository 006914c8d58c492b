"""Whatever the bytes of a file, the loader answers with a document or with problems, and in good time."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.reader import read
from interlock_tf.documents.calendars import Calendars
from interlock_tf.documents.placeholders import Variables, terraform_text
from interlock_tf.documents.yaml_text import LOADER, read_yaml
from interlock_tf.pipelines import Report, read_pipelines
from tests.fakes.documents import TODAY, document

pytestmark = pytest.mark.slow

SAMPLES = [path.read_bytes() for path in sorted(Path(__file__).resolve().parents[2].glob("pipelines/*.yaml"))]

VARIABLES = Variables({"environment": "dev", "arn": "${TfToken[TOKEN.1]}", "n": 5})

#: Texts that mean something to some part of the loader.
KEYS = (
    "pipeline schedule validation job type config rules key check field value cron trigger dryRun sla deadline "
    "calendar holidays exclude include dates x-a"
)
WRITTEN = "glue http exists equals gt age_lt 10:00 :45 2026-12-24 1h30m 0 -1 1e400 .inf ~ true yes"
TEMPLATES = "${environment} ${arn} ${n} ${nope} ${DATE} ${secret:} ${ $${ %{"
SYNTAX = "* &a *a << !!str !x | > - ? : # , [ ] { } ' \" \\"
WORDS = st.sampled_from([*KEYS.split(), *WRITTEN.split(), *TEMPLATES.split(), *SYNTAX.split(), "\t"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


def report(raw: bytes, root: Path) -> Report:
    file = root / "a.yaml"
    file.write_bytes(raw)
    return read_pipelines(
        [str(file)],
        calendars=Calendars({}, "calendars"),
        variables=VARIABLES,
        sfn_timeout_seconds=14400,
        today=TODAY,
    )


def judge(raw: bytes, root: Path) -> None:
    """A document that the runtime can read, or problems that say where and what."""
    found = report(raw, root)
    assert bool(found.stored) != bool(found.problems)
    lines = raw.count(b"\n") + raw.count(b"\r") + raw.count("\u2028".encode()) + raw.count(b"\xc2\x85") + 2
    for problem in (*found.problems, *found.warnings):
        assert problem.message
        assert problem.line is not None
        assert problem.column is not None
        assert 1 <= problem.line <= lines
        assert problem.column >= 1
        assert "\n" not in str(problem)
    for each in found.stored:
        assert read(Pipeline, json.loads(each.config)) == each.pipeline
        assert terraform_text(each.config, VARIABLES) == each.template


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path of a value but its root."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, each in entries for found in ((*path, key), *paths(each, (*path, key)))]


FULL = document(
    schedule={
        "cron": "0 6 * * *",
        "timezone": "Europe/Berlin",
        "trigger": {"key": "landed", "check": "gt", "field": "n", "value": 1, "deadline": "10:00"},
        "exclude": {"weekends": True, "days": ["friday"], "dates": ["2026-12-24"]},
        "evaluation": {"window": "1h", "interval": "1m"},
    },
    sla={"deadline": "09:00", "expectedDuration": "10m", "maxDuration": "2h"},
    job={"type": "http", "config": {"url": "https://a", "headers": {"A": "${DATE}"}, "timeout": 30}, "maxRetries": 1},
    postRun={"rules": [{"key": "a", "check": "age_lt", "field": "t", "value": "1h"}], "driftThreshold": 5},
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(data=st.data())
def test_a_good_document_with_anything_in_it(data: st.DataObject, tmp_path: Path) -> None:
    written = json.loads(json.dumps(FULL))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(paths(written)))
        here: Any = written
        for step in path[:-1]:
            here = here[step]
        if data.draw(st.booleans()):
            here[path[-1]] = data.draw(VALUES)
        elif isinstance(here, dict):
            here[data.draw(WORDS | st.text(max_size=5))] = here.pop(path[-1])
        else:
            del here[path[-1]]
        if not paths(written):
            break
    judge(yaml.safe_dump(written, allow_unicode=True).encode("utf-8", "surrogatepass"), tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(words=st.lists(WORDS | st.sampled_from(["\n", "\n  ", "\n- ", ": ", " "]) | st.text(max_size=3), max_size=40))
def test_any_text(words: list[str], tmp_path: Path) -> None:
    judge("".join(words).encode("utf-8", "surrogatepass"), tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(raw=st.binary(max_size=200))
def test_any_bytes(raw: bytes, tmp_path: Path) -> None:
    judge(raw, tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    sample=st.sampled_from(SAMPLES),
    cuts=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 30), st.binary(max_size=3) | WORDS.map(str.encode)), max_size=4
    ),
)
def test_a_sample_with_pieces_cut_out_and_put_in(
    sample: bytes, cuts: list[tuple[float, int, bytes]], tmp_path: Path
) -> None:
    for place, length, piece in cuts:
        start = int(place * len(sample))
        sample = sample[:start] + piece + sample[start + length :]
    judge(sample, tmp_path)


@settings(max_examples=200)
@given(words=st.lists(WORDS | st.text(max_size=3), max_size=30))
def test_both_parsers_of_pyyaml_agree_on_what_is_a_document(words: list[str]) -> None:
    raw = " ".join(words).encode("utf-8", "surrogatepass")
    nodes = [read_yaml(raw, "a.yaml", loader=loader) for loader in (LOADER, yaml.Loader)]
    values = [json.dumps(node.value) for node, problems in nodes if node is not None and not problems]
    assert len(set(values)) <= 1


def doubling(levels: int) -> bytes:
    """Aliases that double the document ``levels`` times, in a private key and in the job's payload."""
    lines = ["x-0: &x0 [a]", *(f"x-{n}: &x{n} [*x{n - 1}, *x{n - 1}]" for n in range(1, levels + 1))]
    rest = "pipeline: {id: gold}\nschedule: {cron: 0 6 * * *}\nvalidation: {rules: []}\n"
    return (
        "\n".join(lines) + f"\n{rest}job: {{type: lambda, config: {{functionName: f, payload: *x{levels}}}}}"
    ).encode()


@pytest.mark.parametrize("levels", [30, 90])
def test_an_alias_bomb_takes_no_longer_than_its_text(levels: int, tmp_path: Path) -> None:
    started = time.perf_counter()
    (problem,) = report(doubling(levels), tmp_path).problems
    assert "aliases expand to more than" in problem.message
    # Expanded, the smaller one alone would take minutes.
    assert time.perf_counter() - started < 5


def test_aliases_that_fit_are_expanded(tmp_path: Path) -> None:
    found = report(doubling(8), tmp_path)
    assert found.problems == ()
    assert found.stored[0].config.count('"a"') == 256
