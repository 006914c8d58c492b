"""The zips as Lambda runs them: unpacked, with boto3 beside them and nothing else on the path."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from interlock_runtime.settings import VARIABLES
from interlock_tf.packaging.zips import FUNCTIONS, build_zips

pytestmark = pytest.mark.slow

#: boto3 and what it needs, as Lambda brings them along: pure Python, so that one copy serves every version.
BOTO3 = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")

IMPORT = """
import importlib, sys
sys.path += sys.argv[1:3]
module = importlib.import_module("interlock_runtime.handlers." + sys.argv[3])
assert module.__file__.startswith(sys.argv[1]), module.__file__
assert callable(module.handler)
"""


def _interpreters() -> Mapping[str, str]:
    """Return the interpreters of this machine by version: this one, those on the PATH, those of pyenv."""
    found = {f"{sys.version_info.major}.{sys.version_info.minor}": sys.executable}
    for version in ("3.11", "3.13"):
        for candidate in _candidates(version):
            works = subprocess.run([candidate, "-c", "pass"], capture_output=True, check=False).returncode == 0
            if works:
                found.setdefault(version, candidate)
    return found


def _candidates(version: str) -> Iterator[str]:
    if on_path := shutil.which(f"python{version}"):
        yield on_path
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/python")))


@pytest.fixture(scope="module")
def boto3_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("boto3")
    for name in BOTO3:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        source = Path(spec.origin)
        source = source.parent if source.name == "__init__.py" else source
        (folder / source.name).symlink_to(source)
    return folder


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Return the folder of each function's unpacked zip."""
    out = tmp_path_factory.mktemp("zips")
    for name, built in build_zips(out).items():
        zipfile.ZipFile(built.path).extractall(out / name)
    return {name: out / name for name in FUNCTIONS}


def test_there_is_a_zip_for_every_function_that_has_settings() -> None:
    assert sorted(FUNCTIONS) == sorted(VARIABLES)


@pytest.mark.parametrize("version", ["3.11", "3.13"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_zip_runs_with_only_boto3_beside_it(
    function: str, version: str, unpacked: Mapping[str, Path], boto3_folder: Path
) -> None:
    interpreter = _interpreters().get(version)
    if interpreter is None:
        pytest.skip(f"Python {version} is not on this machine")
    environment = {"AWS_DEFAULT_REGION": "eu-central-1", "PATH": os.environ["PATH"]}
    environment |= dict.fromkeys(VARIABLES[function], "1")
    arguments = (str(unpacked[function]), str(boto3_folder), function.replace("-", "_"))
    # -S leaves out site-packages, -I every setting of this environment; -B leaves the folders as they are.
    done = subprocess.run(
        [interpreter, "-I", "-S", "-B", "-W", "error", "-c", IMPORT, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
