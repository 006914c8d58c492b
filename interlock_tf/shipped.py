"""Files that the package ships beside its modules, in a checkout and in an installed wheel alike."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def shipped(name: str) -> Path:
    """Return the path of ``name`` (``asl/…``, ``runtime/requirements.lock``).

    The wheel holds it inside the package, the checkout beside it. Raises FileNotFoundError when
    it is in neither: the installation is broken.
    """
    for folder in (_PACKAGE, _PACKAGE.parent):
        if (path := folder / name).exists():
            return path
    raise FileNotFoundError(f"{name} is missing from this installation of interlock-tf; install it again")
