from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from interlock_tf.packaging.locked_wheels import WheelsError, locked_hashes, locked_wheels


def _lock(folder: Path, **wheels: bytes) -> Path:
    lock = folder / "requirements.lock"
    lines = [
        f"{name}==1.0 \\\n    --hash=sha256:{hashlib.sha256(content).hexdigest()}" for name, content in wheels.items()
    ]
    lock.write_text("# a comment\n" + "\n".join(lines) + "\n")
    return lock


def test_hashes_are_read_by_normalised_name(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        f"slack-sdk==3.1 ; python_version < '4' \\\n    --hash=sha256:{'a' * 64} \\\n    --hash=sha256:{'b' * 64}\n"
        f"Typing.Extensions==4.0 \\\n    --hash=sha256:{'c' * 64}\n"
    )
    assert locked_hashes(lock) == {
        "slack_sdk": {"a" * 64, "b" * 64},
        "typing_extensions": {"c" * 64},
    }


def test_wheels_that_match_their_hashes_are_returned_by_name(tmp_path: Path) -> None:
    lock = _lock(tmp_path, some_package=b"wheel")
    (tmp_path / "some_package-1.0-py3-none-any.whl").write_bytes(b"wheel")
    assert locked_wheels(lock, tmp_path) == {"some_package": b"wheel"}


def test_a_wheel_with_other_bytes_is_refused(tmp_path: Path) -> None:
    lock = _lock(tmp_path, some_package=b"wheel")
    (tmp_path / "some_package-1.0-py3-none-any.whl").write_bytes(b"tampered")
    with pytest.raises(WheelsError, match="its SHA-256 is another"):
        locked_wheels(lock, tmp_path)


def test_a_wheel_that_the_lock_does_not_name_is_refused(tmp_path: Path) -> None:
    lock = _lock(tmp_path, some_package=b"wheel")
    (tmp_path / "other-1.0-py3-none-any.whl").write_bytes(b"wheel")
    with pytest.raises(WheelsError, match="other-1"):
        locked_wheels(lock, tmp_path)


def test_a_missing_wheel_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WheelsError, match=r"lacks the wheel of some_package; .*make setup"):
        locked_wheels(_lock(tmp_path, some_package=b"wheel"), tmp_path)


def test_two_wheels_of_one_project_are_refused(tmp_path: Path) -> None:
    lock = _lock(tmp_path, some_package=b"wheel")
    (tmp_path / "some_package-1.0-py3-none-any.whl").write_bytes(b"wheel")
    (tmp_path / "some_package-1.0-py2.py3-none-any.whl").write_bytes(b"wheel")
    with pytest.raises(WheelsError, match="two wheels of some_package"):
        locked_wheels(lock, tmp_path)
