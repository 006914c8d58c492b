from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from interlock_tf.local import terraform
from interlock_tf.local.terraform import Terraform, TerraformError, cli_environment, obstacle, provider_mirror


@pytest.fixture(autouse=True)
def _no_memory() -> Iterator[None]:
    provider_mirror.cache_clear()
    yield
    provider_mirror.cache_clear()


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    version = tmp_path / "mirror" / "registry.example" / "hashicorp" / "aws" / "5.100.0" / "linux_amd64"
    version.mkdir(parents=True)
    (version / "terraform-provider-aws_v5.100.0_x5").touch()
    return tmp_path / "mirror"


def test_a_mirror_named_in_the_environment_is_used(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERLOCK_PROVIDER_MIRROR", str(mirror))
    config = Path(cli_environment(tmp_path)["TF_CLI_CONFIG_FILE"])
    assert config.parent == tmp_path
    assert f'path    = "{mirror}"' in config.read_text()


def test_a_folder_that_is_no_mirror_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERLOCK_PROVIDER_MIRROR", str(tmp_path))
    with pytest.raises(TerraformError, match=r"INTERLOCK_PROVIDER_MIRROR=.* holds no folder"):
        cli_environment(tmp_path)
    reason = obstacle()
    assert reason is not None
    assert "holds no folder" in reason


def test_a_mirror_is_found_three_folders_deep(mirror: Path) -> None:
    assert mirror in terraform._folders(mirror.parent.parent, depth=2)
    assert terraform._is_mirror(mirror)
    assert not terraform._is_mirror(mirror.parent)


def test_a_configuration_that_does_not_exist_is_left_out(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERLOCK_PROVIDER_MIRROR", str(mirror))
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(tmp_path / "absent"))
    assert cli_environment(tmp_path)["TF_CLI_CONFIG_FILE"] != str(tmp_path / "absent")


def test_without_terraform_the_error_says_what_to_install(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERLOCK_PROVIDER_MIRROR", str(mirror))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TerraformError, match=r"install Terraform 1\.5 or later"):
        Terraform(folder=tmp_path).init()
