"""Write the six Lambda zips into a folder.

The construct builds them itself when dist_path is not given; this is for those who keep what they
deploy in a place of their own. The same version of interlock-tf writes the same bytes everywhere.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from interlock_runtime.core.errors import ConfigError, Problem
from interlock_tf.packaging.zips import build_zips


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder; made when it is missing")


def run(arguments: argparse.Namespace) -> int:
    """Write the zips, and print for each its SHA-256 in base64, as Lambda tells it, and its path."""
    try:
        zips = build_zips(arguments.out)
    except OSError as error:
        raise ConfigError(Problem(path="--out", message=f"{error.filename}: {error.strerror}")) from error
    for built in zips.values():
        sys.stdout.write(f"{built.sha256_base64}  {built.path}\n")
    return 0
