"""The command line: what it prints, where, its exit codes, and what it does not load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from interlock_runtime import __version__
from interlock_tf.cli import COMMANDS, main
from tests.fakes.documents import document, folder

ROOT = Path(__file__).resolve().parents[2]
PATHS = {"PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}"}
MAIN = "import sys; from interlock_tf.cli import main; sys.exit(main())"
SAMPLES = [str(ROOT / "pipelines"), "--calendars", str(ROOT / "calendars")]

#: What takes long to load, and what only other commands need.
HEAVY = ("jsii", "cdktf", "constructs", "boto3", "botocore", "pydantic", "typer", "rich", "moto", "asyncio", "unittest")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process of its own."""
    code = "import sys; from interlock_tf.cli import main; sys.exit(main())"
    path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}", "PATH": ""}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=path, check=False
    )


class TestValidate:
    def test_good_files_are_counted(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["validate", *SAMPLES]) == 0
        assert capsys.readouterr() == ("6 pipeline files checked: no problems\n", "")

    def test_every_problem_is_a_line_on_standard_error(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        made = folder(tmp_path, {"a.yaml": "pipeline: {id: a}\n", "b.yaml": document(validation={"rules": []})})
        assert main(["validate", str(made)]) == 1
        out, err = capsys.readouterr()
        assert out == "2 pipeline files checked: 3 problems, 1 warning\n"
        assert err.splitlines() == [
            f"{made}/a.yaml:1:1: job: is required: a map with the key type",
            f"{made}/a.yaml:1:1: schedule: nothing starts this pipeline: give schedule.cron, schedule.trigger, or "
            "schedule.include.dates with schedule.time",
            f"{made}/a.yaml:1:1: validation: is required: a map with the keys trigger, rules",
            f"{made}/b.yaml:12:3: warning: validation.rules: is empty: the job will start without any check",
        ]

    def test_warnings_alone_are_no_failure(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        made = folder(tmp_path, {})
        assert main(["validate", str(made)]) == 0
        assert capsys.readouterr() == (
            "0 pipeline files checked: no problems, 1 warning\n",
            f"{made}: warning: holds no pipelines (*.yaml, *.yml)\n",
        )

    def test_files_and_directories_can_be_mixed(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        made = folder(tmp_path, {"a.txt": document(), "b.yaml": document(pipeline={"id": "other"})})
        assert main(["validate", str(made / "a.txt"), str(made), str(made / "b.yaml")]) == 0
        assert capsys.readouterr().out == "2 pipeline files checked: no problems\n"

    def test_what_does_not_exist_is_a_problem_among_others(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        made = folder(tmp_path, {"a.yaml": ""})
        arguments = [str(made), str(tmp_path / "nowhere"), "--calendars", str(tmp_path / "none")]
        assert main(["validate", *arguments]) == 1
        assert capsys.readouterr().err.splitlines() == [
            f"{made}/a.yaml:1:1: is empty",
            f"{tmp_path}/none: there is no such directory",
            f"{tmp_path}/nowhere: cannot be read: No such file or directory",
        ]

    def test_placeholders_are_given_as_options(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        job = {"type": "glue", "config": {"jobName": "${environment}-${name}"}, "maxRetries": "${retries}"}
        made = folder(tmp_path, {"a.yaml": document(job=job)})
        options = ["--var", "name=a=b", "--var", "retries=3", "--environment", "prod"]
        assert main(["validate", str(made), *options]) == 0
        assert main(["validate", str(made), "--var", "name=x", "--var", "retries=03"]) == 1
        assert "job.maxRetries: '03' is not valid" in capsys.readouterr().err

    def test_a_name_for_a_placeholder_that_cannot_be_is_refused(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["validate", *SAMPLES, "--var", "Name=x"]) == 1
        assert capsys.readouterr().err.startswith("pipeline_variables.Name: is not a name for a placeholder")

    def test_the_length_of_an_execution_is_an_option(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["validate", *SAMPLES, "--sfn-timeout-seconds", "3600"]) == 1
        assert "sfn_timeout_seconds, 1h" in capsys.readouterr().err

    def test_the_result_can_be_json(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        made = folder(tmp_path, {"a.yaml": document(), "b.yaml": "", "c.yaml": document(pipeline={"id": "c"})})
        assert main(["validate", str(made), "--json"]) == 1
        out, err = capsys.readouterr()
        assert err == ""
        assert json.loads(out) == {
            "pipelines": ["c", "gold"],
            "problems": [{"file": f"{made}/b.yaml", "line": 1, "column": 1, "path": "", "message": "is empty"}],
            "warnings": [],
        }

    def test_it_loads_nothing_heavy(self) -> None:
        code = "import sys; from interlock_tf.cli import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
        command = [sys.executable, "-c", code, "validate", *SAMPLES]
        done = subprocess.run(command, capture_output=True, text=True, env=PATHS, check=True)
        loaded = {name.partition(".")[0] for name in done.stderr.split()}
        assert done.stdout.startswith("6 pipeline files checked")
        assert "pydantic_core" in loaded
        assert loaded.isdisjoint(HEAVY)


class TestSchema:
    @pytest.mark.parametrize(("options", "title"), [([], "Pipeline"), (["--calendar"], "Calendar")])
    def test_it_is_printed(self, options: list[str], title: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["schema", *options]) == 0
        assert json.loads(capsys.readouterr().out)["title"] == title


class TestUsage:
    def test_without_a_command_the_commands_are_listed(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main([]) == 2
        err = capsys.readouterr().err
        assert all(f"  {name}" in err for name in COMMANDS)

    @pytest.mark.parametrize("command", COMMANDS)
    def test_every_command_explains_itself(self, command: str, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as caught:
            main([command, "--help"])
        assert caught.value.code == 0
        assert f"usage: interlock-tf {command}" in capsys.readouterr().out

    def test_a_command_that_does_not_exist_is_refused(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as caught:
            main(["valdate"])
        assert caught.value.code == 2
        assert "valdate" in capsys.readouterr().err

    @pytest.mark.parametrize(("command", "missing"), [("status", "boto3"), ("events", "rich"), ("rerun", "rich")])
    def test_a_missing_extra_is_named_before_anything_is_done(self, command: str, missing: str) -> None:
        words = [command, "--env", "dev", *(["gold", "--reason", "x"] if command == "rerun" else [])]
        code = f"import sys; sys.modules[{missing!r}] = None; {MAIN}"
        done = subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, env=PATHS, check=False
        )
        told = f"{command} needs {missing}, which is not installed: pip install 'interlock-tf[ask]'\n"
        assert (done.returncode, done.stderr) == (1, told)

    @pytest.mark.parametrize("words", [["simulate", "--from", "2026-11-24"], ["soak"]])
    def test_so_is_that_of_a_stack_on_this_machine(self, words: list[str]) -> None:
        code = f"import sys; sys.modules['botocore'] = None; {MAIN}"
        command = [sys.executable, "-c", code, words[0], SAMPLES[0], *words[1:]]
        done = subprocess.run(command, capture_output=True, text=True, env=PATHS, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith(f"{words[0]} needs botocore")
        assert done.stderr.endswith(", which is not installed: pip install 'interlock-tf[local]'\n")

    def test_help_about_an_installation_needs_no_extra(self) -> None:
        code = f"import sys; sys.modules['boto3'] = sys.modules['rich'] = None; {MAIN}"
        done = subprocess.run(
            [sys.executable, "-c", code, "explain", "-h"], capture_output=True, env=PATHS, check=False
        )
        assert done.returncode == 0

    def test_the_version_is_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            main(["--version"])
        assert capsys.readouterr().out == f"interlock-tf {__version__}\n"

    def test_a_mistake_is_an_exit_code_and_no_traceback(self, tmp_path: Path) -> None:
        done = run("validate", str(tmp_path / "nowhere"))
        assert done.returncode == 1
        assert done.stderr == f"{tmp_path}/nowhere: cannot be read: No such file or directory\n"

    def test_wrong_usage_is_no_traceback_either(self) -> None:
        done = run("validate", "x", "--var", "novalue")
        assert done.returncode == 2
        assert "'novalue' is not NAME=VALUE" in done.stderr
        assert "Traceback" not in done.stderr

    def test_what_the_encoding_of_the_output_lacks_is_escaped_as_in_json(self) -> None:
        code = (
            "import sys; from interlock_tf import cli; from interlock_tf.installation.screen import show_json;"
            "cli._run = lambda words: show_json(words) or 0; sys.exit(cli.main())"
        )
        words = ["\N{SLICE OF PIZZA} \N{LATIN SMALL LETTER U WITH DIAERESIS}"]
        environment = {**PATHS, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "1"}
        command = [sys.executable, "-c", code, *words]
        done = subprocess.run(command, capture_output=True, env=environment, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"\\ud83c\\udf55 \xfc" in done.stdout
        assert json.loads(done.stdout.decode("latin-1")) == words

    @pytest.mark.parametrize("arguments", [["schema"], ["validate", *SAMPLES]])
    def test_a_reader_that_went_away_is_no_traceback(self, arguments: list[str]) -> None:
        command = [sys.executable, "-c", MAIN, *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=PATHS) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            assert process.stderr.read() == b""
