"""All formats: whole files or none, and plain errors."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from record_strategies import analysis

from mien.core.errors import MissingExtraError, OptionError, OutputError
from mien.core.results import ImageAnalysis
from mien.records import FORMATS, open_writer, to_frame, write

NEEDS = {".xlsx": "openpyxl", ".parquet": "pyarrow"}


@pytest.fixture(params=list(FORMATS))
def suffix(request: pytest.FixtureRequest) -> str:
    if request.param in NEEDS:
        pytest.importorskip(NEEDS[request.param], reason="needs the extra records")
    return str(request.param)


def broken() -> Iterator[ImageAnalysis]:
    yield analysis()
    raise ZeroDivisionError


def test_a_failure_in_the_middle_leaves_no_file(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(ZeroDivisionError):
        write(broken(), tmp_path / f"a{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_in_the_middle_leaves_the_old_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write([analysis("old.jpg")], path)
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError):
        write(broken(), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_there_before_the_end(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    with open_writer(path) as writer:
        writer.write(analysis())
        assert not path.exists()
    assert path.stat().st_size > 0
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_an_error_before_any_work(tmp_path: Path, suffix: str) -> None:
    asked: list[int] = []

    def work() -> Iterator[ImageAnalysis]:
        asked.append(1)
        yield analysis()

    with pytest.raises(OutputError, match="nowhere"):
        write(work(), tmp_path / "nowhere" / f"a{suffix}")
    assert asked == []


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no write permission on Windows")
def test_a_read_only_folder_is_one_clear_error(tmp_path: Path, suffix: str) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o500)
    if os.access(folder, os.W_OK):  # the administrator may write everywhere but here
        folder = Path("/sys/kernel")
        if not folder.is_dir():
            pytest.skip("this user may write everywhere")
    with pytest.raises(OutputError, match=r"cannot be written: (permission denied|operation not|read-only)"):
        write([analysis()], folder / f"a{suffix}")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_full_disk_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    # A limit on the size of files fails a write half-way, as a full disk does.
    script = """
import resource, sys
sys.path.insert(0, sys.argv[2])
from record_strategies import analysis
from mien.core.errors import OutputError
from mien.records import write
import mien.records._binary
try:
    import openpyxl, pyarrow.parquet
except ImportError:
    pass
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    write((analysis(f"{n * 7919:x}" * 9) for n in range(3000)), sys.argv[1])
except OutputError as error:
    print("refused:", error)
"""
    path = tmp_path / f"a{suffix}"
    done = subprocess.run(
        [sys.executable, "-B", "-c", script, str(path), str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("refused:"), done.stderr
    assert str(path) in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.txt", "a", "a.JSONX"])
def test_an_unknown_suffix_lists_the_known_ones(tmp_path: Path, name: str) -> None:
    with pytest.raises(OptionError, match=r"\.json, \.jsonl, \.csv, \.xlsx, \.parquet"):
        write([], tmp_path / name)


def test_a_suffix_in_capitals_is_known(tmp_path: Path) -> None:
    write([analysis()], tmp_path / "A.CSV")
    assert (tmp_path / "A.CSV").exists()


def test_only_results_can_be_written(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(OptionError, match="not dict"):
        write([{}], tmp_path / f"a{suffix}")  # type: ignore[list-item]
    assert list(tmp_path.iterdir()) == []


def test_a_writer_is_used_in_a_with_block(tmp_path: Path, suffix: str) -> None:
    writer = open_writer(tmp_path / f"a{suffix}")
    with pytest.raises(OptionError, match="with block"):
        writer.write(analysis())
    with writer, pytest.raises(OptionError, match="open already"):
        writer.__enter__()
    with writer:
        writer.write(analysis())


@pytest.mark.parametrize(("suffix", "package"), list(NEEDS.items()))
def test_a_missing_extra_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"{package}.*mien\[records\]"):
        write([analysis()], tmp_path / f"a{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_pandas_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"pandas.*mien\[records\]"):
        to_frame([analysis()])


def test_importing_records_loads_no_table_library() -> None:
    code = "import sys, mien.records; print({'pandas', 'pyarrow', 'openpyxl'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
