"""Mien's version; packaging, results and cards all read it here."""

from __future__ import annotations

import re
from pathlib import Path

__version__ = "0.1.0"

_PACKAGE = Path(__file__).resolve().parents[1]
_MOST_BYTES = 8_000_000


def revision(package: Path = _PACKAGE) -> str | None:
    """Return the commit of the checkout that Mien runs from, 40 hexadecimal digits; None where it is none.

    What git wrote is read, and git is not run: whether files were changed since is not known.

    Args:
        package: the folder of the package.
    """
    if package.parent.name != "src":
        return None  # installed; a checkout around it is another program's
    try:
        git = _git_folder(package.parent.parent)
        head = _text(git / "HEAD").strip()
        found = _referred(git, head.removeprefix("ref:").strip()) if head.startswith("ref:") else head
    except (OSError, ValueError):
        return None
    return found if found and re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", found) else None


def _git_folder(root: Path) -> Path:
    """In a work tree of its own, .git is a file that says where the folder is."""
    git = root / ".git"
    if git.is_dir():
        return git
    return (root / _text(git).removeprefix("gitdir:").strip()).resolve()


def _referred(git: Path, name: str) -> str | None:
    """Branches lie in the folder that all work trees share, one a file or many in one."""
    common = git / "commondir"
    shared = (git / _text(common).strip()).resolve() if common.is_file() else git
    for folder in dict.fromkeys((git, shared)):
        if (folder / name).is_file():
            return _text(folder / name).strip()
    packed = shared / "packed-refs"
    lines = _text(packed).splitlines() if packed.is_file() else []
    return next((line.split(" ")[0] for line in lines if line.endswith(f" {name}")), None)


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_MOST_BYTES).decode("utf-8")
