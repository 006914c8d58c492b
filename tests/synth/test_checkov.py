"""checkov, a linter of Terraform, on the output: every finding has an answer in ``checkov.toml``."""

from __future__ import annotations

import json
import subprocess
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.stacks import Synthesised

pytestmark = [pytest.mark.slow, pytest.mark.linter]

ROOT = Path(__file__).parents[2]
ANSWERS = Path(__file__).with_name("checkov.toml")

Findings = Mapping[str, set[str]]


@pytest.fixture(scope="module")
def checkov() -> Path:
    program = ROOT / ".cache" / "checkov" / "bin" / "checkov"
    if not program.exists():
        pytest.skip("checkov is missing: make setup installs it")
    return program


@pytest.fixture(scope="module")
def findings(
    checkov: Path, minimal: Synthesised, maximal: Synthesised, tmp_path_factory: pytest.TempPathFactory
) -> Findings:
    """Return the resources, of both stacks, that each check complains about."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name, stack in (("minimal", minimal), ("maximal", maximal)):
        for finding in _report(checkov, stack, tmp_path_factory.mktemp(name))["results"]["failed_checks"]:
            found[finding["check_id"]].add(finding["resource"].removeprefix("resource."))
    return found


def _report(checkov: Path, stack: Synthesised, folder: Path) -> Mapping[str, Any]:
    # checkov cannot parse a file with required_version, leaves it out, and reports success.
    settings = {key: value for key, value in stack.json["terraform"].items() if key != "required_version"}
    (folder / "cdk.tf.json").write_text(json.dumps({**stack.json, "terraform": settings}))
    options = ["--framework", "terraform_json", "--skip-download", "--output", "json", "--compact", "--soft-fail"]
    done = subprocess.run(
        [checkov, "--directory", folder, *options], capture_output=True, text=True, check=True, cwd=folder
    )
    report: Mapping[str, Any] = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 200, "it has not seen the resources"
    return report


@pytest.fixture(scope="module")
def answers() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads(ANSWERS.read_text(encoding="utf-8"))


def test_every_finding_has_an_answer(findings: Findings, answers: Mapping[str, Mapping[str, Any]]) -> None:
    unanswered = {
        f"{check}: {resource}"
        for check, resources in findings.items()
        for resource in resources
        if not any(fnmatchcase(resource, pattern) for pattern in answers.get(check, {}).get("resources", ()))
    }
    assert not unanswered


def test_every_answer_is_to_a_finding(findings: Findings, answers: Mapping[str, Mapping[str, Any]]) -> None:
    assert {check for check, answer in answers.items() if not answer["reason"].strip()} == set()
    assert answers.keys() - findings.keys() == set()
