"""Which commit a checkout stands at, as git's files say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mien.core.version import revision

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "src" / "mien").mkdir(parents=True)
    (tmp_path / ".git" / "refs" / "heads").mkdir(parents=True)
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    return tmp_path / "src" / "mien"


def test_a_branch_in_a_file_of_its_own(package: Path) -> None:
    (package.parents[1] / ".git" / "refs" / "heads" / "main").write_text(f"{COMMIT}\n")
    assert revision(package) == COMMIT


def test_a_packed_branch(package: Path) -> None:
    lines = f"# pack-refs with: peeled\n{'f' * 40} refs/heads/main2\n{COMMIT} refs/heads/main\n"
    (package.parents[1] / ".git" / "packed-refs").write_text(lines)
    assert revision(package) == COMMIT


def test_a_commit_without_a_branch(package: Path) -> None:
    (package.parents[1] / ".git" / "HEAD").write_text(f"{COMMIT}\n")
    assert revision(package) == COMMIT


def test_a_work_tree_of_its_own(package: Path, tmp_path: Path) -> None:
    main = tmp_path / ".git"
    (main / "refs" / "heads" / "main").write_text(COMMIT)
    own = main / "worktrees" / "other"
    own.mkdir(parents=True)
    (own / "HEAD").write_text("ref: refs/heads/main\n")
    (own / "commondir").write_text("../..\n")
    (tmp_path / "other" / "src" / "mien").mkdir(parents=True)
    (tmp_path / "other" / ".git").write_text(f"gitdir: {own}\n")
    assert revision(tmp_path / "other" / "src" / "mien") == COMMIT


@pytest.mark.parametrize("head", ["", "ref: refs/heads/none", "ref: ../../secret", "no commit", "ref:"])
def test_no_commit_is_none(package: Path, head: str) -> None:
    (package.parents[1] / ".git" / "HEAD").write_text(head)
    assert revision(package) is None


def test_an_installed_package_has_none(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text(COMMIT)
    (tmp_path / "site-packages" / "mien").mkdir(parents=True)
    assert revision(tmp_path / "site-packages" / "mien") is None
    (tmp_path / "src" / "mien").mkdir(parents=True)
    assert revision(tmp_path / "elsewhere" / "src" / "mien") is None
