"""The zips of the functions, as assets that lie in the stack's output folder."""

from __future__ import annotations

import atexit
import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from interlock_runtime.core.errors import ConfigError, Problem
from interlock_tf._cdk import AssetType, TerraformAsset
from interlock_tf.context import Context
from interlock_tf.packaging.zips import build_zips


@dataclass(frozen=True)
class Code:
    """One zip: its path relative to the stack's folder, and its SHA-256 in base64."""

    path: str
    sha256_base64: str


def add_code(context: Context, functions: Iterable[str]) -> Mapping[str, Code]:
    """Add the zips of ``functions`` as assets: those in ``dist_path``, or newly built ones.

    Raises:
        ConfigError: zips are missing from ``dist_path``; every one is named.
    """
    given = context.settings.dist_path
    zips = (
        {name: zipped.path for name, zipped in build_zips(_scratch()).items()}
        if given is None
        else _given(Path(given), functions)
    )
    return {name: _asset(context, name, zips[name]) for name in functions}


@cache
def _scratch() -> Path:
    # CDKTF copies an asset when it synthesises, which may be any time before the process ends.
    folder = mkdtemp(prefix="interlock-")
    atexit.register(rmtree, folder, ignore_errors=True)
    return Path(folder)


def _given(folder: Path, functions: Iterable[str]) -> Mapping[str, Path]:
    zips = {name: folder / f"{name}.zip" for name in functions}
    problems = tuple(
        Problem(path="dist_path", message=f"{path} is missing; interlock-tf build --out {folder} writes all six")
        for path in zips.values()
        if not path.is_file()
    )
    if problems:
        raise ConfigError(problems)
    return zips


def _asset(context: Context, name: str, path: Path) -> Code:
    content = path.read_bytes()
    digest = hashlib.sha256(content)
    asset = TerraformAsset(
        context.scope,
        f"{name.replace('-', '_')}_zip",
        path=str(path.resolve()),
        type=AssetType.FILE,
        asset_hash=digest.hexdigest()[:32],
    )
    return Code(path=str(asset.path), sha256_base64=base64.b64encode(digest.digest()).decode())
