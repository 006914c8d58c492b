from __future__ import annotations

import base64
import hashlib
import shutil
import time
import zipfile
from pathlib import Path

from interlock_tf.packaging import zips
from interlock_tf.packaging.locked_wheels import locked_hashes
from interlock_tf.shipped import shipped


def _modules(zipped: Path) -> set[str]:
    return {name.split("/")[0].removesuffix(".py") for name in zipfile.ZipFile(zipped).namelist()}


def test_there_is_one_zip_for_each_function(tmp_path: Path) -> None:
    built = zips.build_zips(tmp_path / "new" / "folder")
    assert sorted(built) == sorted(zips.FUNCTIONS)
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == sorted(f"{f}.zip" for f in built)


def test_the_hash_is_that_of_the_file(tmp_path: Path) -> None:
    for built in zips.build_zips(tmp_path).values():
        digest = hashlib.sha256(built.path.read_bytes()).digest()
        assert base64.b64decode(built.sha256_base64) == digest


def test_two_builds_in_two_places_are_the_same_bytes(tmp_path: Path) -> None:
    first = zips.build_zips(tmp_path / "one")
    zips._content.cache_clear()
    second = zips.build_zips(tmp_path / "two")
    assert {name: built.sha256_base64 for name, built in first.items()} == {
        name: built.sha256_base64 for name, built in second.items()
    }


def test_times_and_modes_of_the_sources_do_not_matter(tmp_path: Path) -> None:
    sources = Path(zips.interlock_runtime.__file__).parent
    copy = tmp_path / "interlock_runtime"
    shutil.copytree(sources, copy, ignore=shutil.ignore_patterns("__pycache__"), copy_function=shutil.copyfile)
    (copy / "__pycache__").mkdir()
    (copy / "__pycache__" / "noise.py").write_text("x = 1\n")
    assert list(zips.runtime_entries(copy)) == list(zips.runtime_entries(sources))


def test_every_zip_holds_the_runtime_and_its_libraries_and_only_the_dispatcher_slack(tmp_path: Path) -> None:
    everywhere = {"interlock_runtime", "aws_lambda_powertools", "cronsim", "jmespath", "typing_extensions", "tzdata"}
    for function, built in zips.build_zips(tmp_path).items():
        modules = {module for module in _modules(built.path) if not module.endswith(".dist-info")}
        assert modules == everywhere | ({"slack_sdk"} if function == "alert-dispatcher" else set())
        assert "tzdata/zones" in zipfile.ZipFile(built.path).namelist()


def test_licences_stay_in_and_dead_weight_stays_out(tmp_path: Path) -> None:
    zipped = zips.build_zips(tmp_path)["alert-dispatcher"].path
    names = zipfile.ZipFile(zipped).namelist()
    for project in locked_hashes(shipped("runtime/requirements.lock")):
        licences = [n for n in names if n.startswith(f"{project}-") and "LICEN" in n.upper()]
        assert licences, project
    assert not [n for n in names if "/tests/" in n or n.endswith((".pyc", ".pyi", "RECORD")) or "__pycache__" in n]
    assert zipped.stat().st_size < 4_000_000


def test_a_zip_that_is_there_already_is_not_written_again(tmp_path: Path) -> None:
    before = {name: built.path.stat().st_mtime_ns for name, built in zips.build_zips(tmp_path).items()}
    after = {name: built.path.stat().st_mtime_ns for name, built in zips.build_zips(tmp_path).items()}
    assert after == before


def test_building_all_six_takes_well_under_a_second(tmp_path: Path) -> None:
    zips._content.cache_clear()
    zips._wheels.cache_clear()
    start = time.process_time()
    zips.build_zips(tmp_path)
    assert time.process_time() - start < 1.0
