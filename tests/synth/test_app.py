"""The example app, run as a user runs it: the same bytes everywhere, and problems without a traceback."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from tests.fakes.processes import ROOT, python

pytestmark = pytest.mark.slow

APP = """
from interlock_tf import App, InterlockStack

app = App()
InterlockStack(app, "interlock", environment={environment!r}, pipelines_path={pipelines!r})
app.synth()
"""


def test_the_output_is_the_same_wherever_and_whenever_it_is_made(tmp_path: Path) -> None:
    outputs = []
    for name, environment in (("one", {"PYTHONHASHSEED": "1"}), ("two", {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo"})):
        project = tmp_path / name
        shutil.copytree(ROOT / "pipelines", project / "pipelines")
        shutil.copytree(ROOT / "calendars", project / "calendars")
        shutil.copy(ROOT / "main.py", project)
        done = python("-W", "ignore", "main.py", folder=project, CDKTF_OUTDIR=str(project / "out"), **environment)
        assert done.returncode == 0, done.stderr
        outputs.append(_digests(project / "out" / "stacks" / "interlock"))
    first, second = outputs
    assert len(first) == 7
    assert first == second


@pytest.mark.parametrize(
    ("environment", "document", "expected"),
    [
        ("dev", "pipeline: {id: x}\nrules: []\n", "one.yaml:2:1: rules: "),
        ("dev_1", "pipeline: {id: x}\n", "environment: 'dev_1' is not valid; expected letters, digits and '-'"),
    ],
)
def test_a_mistake_is_told_in_one_line_without_a_traceback(
    environment: str, document: str, expected: str, tmp_path: Path
) -> None:
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "one.yaml").write_text(document)
    (tmp_path / "main.py").write_text(APP.format(environment=environment, pipelines="pipelines"))
    done = python("main.py", folder=tmp_path)
    assert done.returncode == 1
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.rglob("*.tf.json"))


OWN_STACK = """
from cdktf import App, TerraformStack
from interlock_tf import Interlock

app = App()
stack = TerraformStack(app, "platform")
interlock = Interlock(stack, "interlock", environment={environment!r}, pipelines_path="pipelines")
interlock.{call}
app.synth()
"""


@pytest.mark.parametrize(
    ("environment", "call", "expected"),
    [
        ("dev_1", "grant_rerun('operators')", "environment: 'dev_1' is not valid"),
        ("dev", "grant_rerun(None)", "role: None is not valid"),
        ("dev", "on_event('x', ['SLA_BREECH'], 'arn:aws:sns:eu-west-1:123456789012:x')", "is no event type"),
    ],
)
def test_a_mistake_in_a_stack_of_one_s_own_is_told_without_a_traceback_too(
    environment: str, call: str, expected: str, tmp_path: Path
) -> None:
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "main.py").write_text(OWN_STACK.format(environment=environment, call=call))
    done = python("main.py", folder=tmp_path)
    assert done.returncode == 1
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


def test_the_cdktf_command_tells_a_warning_once(tmp_path: Path) -> None:
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "main.py").write_text(APP.format(environment="dev", pipelines="pipelines"))
    alone = python("main.py", folder=tmp_path)
    assert "InterlockWarning: nobody will be told" in alone.stderr
    # The command sets this, and prints what stands in the manifest.
    under_cdktf = python("main.py", folder=tmp_path, CDKTF_CONTINUE_SYNTH_ON_ERROR_ANNOTATIONS="true")
    assert "InterlockWarning" not in under_cdktf.stderr
    assert "nobody will be told" in (tmp_path / "cdktf.out" / "manifest.json").read_text()


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(APP.format(environment="dev", pipelines="nowhere"))
    done = python("main.py", folder=tmp_path)
    assert done.returncode == 1
    assert "nowhere: there is no such directory" in done.stderr
    assert "Traceback" not in done.stderr


def _digests(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
