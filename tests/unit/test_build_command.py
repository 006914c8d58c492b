from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from interlock_tf.cli import main
from interlock_tf.packaging.zips import FUNCTIONS


def _sha256_base64(path: Path) -> str:
    return base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()


def test_build_writes_the_six_zips_and_says_their_hashes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "dist"
    assert main(["build", "--out", str(out)]) == 0
    said = {path: digest for digest, path in (line.split("  ") for line in capsys.readouterr().out.splitlines())}
    assert said == {str(out / f"{function}.zip"): _sha256_base64(out / f"{function}.zip") for function in FUNCTIONS}


def test_a_folder_that_cannot_be_made_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    assert main(["build", "--out", str(tmp_path / "file" / "dist")]) == 1
    assert "Not a directory" in capsys.readouterr().err
