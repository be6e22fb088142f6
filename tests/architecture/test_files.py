"""What holds for every file of the repository: short enough to read, and free of one machine's paths."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LONGEST = 400

# A home or work folder, or a registry on disk: a path that exists on one machine only.
MACHINE_PATH = re.compile(
    r"(?:(?<![\w.~$}/])|\bfile://)/(?:home|root|Users|work|mnt|opt|var/folders)/\w|\b[A-Z]:\\+Users\\"
)
# Where such a path is an example that means the same everywhere.
ALLOWED = re.compile(r"/path/to/")


def committed() -> list[Path]:
    """Every committed file; skips where the repository's history is not there."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True, text=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs a git checkout")
    return [path for name in listed.split("\0") if name and (path := REPOSITORY / name).is_file()]


def test_no_source_file_is_longer_than_a_reader_can_hold() -> None:
    long = {
        str(path.relative_to(REPOSITORY)): lines
        for path in committed()
        if path.suffix == ".py" and (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST
    }
    assert not long, f"longer than {LONGEST} lines, so two rooms in one: {long}"


def test_no_file_names_a_path_of_one_machine() -> None:
    found = []
    for path in committed():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue  # a picture or a network
        found += [
            f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()[:120]}"
            for number, line in enumerate(lines, 1)
            if MACHINE_PATH.search(ALLOWED.sub("", line)) and path != Path(__file__).resolve()
        ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "line",
    ["see /home/ann/mien", "cd /work/mien", "/Users/ann/x", "file:///opt/x", r"C:\Users\ann", '"/opt/x"'],
)
def test_a_path_of_one_machine_is_seen(line: str) -> None:
    assert MACHINE_PATH.search(line)


@pytest.mark.parametrize(
    "line", ["https://a.org/home/x", "../shared/models", "src/work/x", "~/home/x", "n/opt/x"]
)
def test_other_paths_are_not(line: str) -> None:
    assert not MACHINE_PATH.search(line)


def test_no_two_test_files_share_a_name() -> None:
    # pytest takes the second one for the first, and collects neither.
    names = Counter(path.name for path in committed() if path.name.startswith("test_"))
    twice = [name for name, count in names.items() if count > 1]
    assert not twice, f"give one of each another name: {', '.join(twice)}"
