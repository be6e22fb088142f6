import errno
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mien.core.errors import MienError, OutputError
from mien.core.files import atomic_path, atomic_write, check_folder, ensure_folder, shown

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="POSIX file names and permissions")
not_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind root"
)


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def write_half(path: Path) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text("half of the sec")
        raise KeyboardInterrupt


def fail_in_block(path: Path, error: OSError | ValueError) -> None:
    with atomic_path(path):
        raise error


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let the system refuse to write files above `size` bytes, as a full disk would."""
    resource = pytest.importorskip("resource", reason="file size limits are POSIX")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    ("data", "written"), [(b"\x00\xff", b"\x00\xff"), ("é\n", "é\n".encode()), (b"", b"")]
)
def test_bytes_and_text_are_written_as_they_are(tmp_path: Path, data: bytes | str, written: bytes) -> None:
    atomic_write(tmp_path / "out.txt", data)

    assert (tmp_path / "out.txt").read_bytes() == written
    assert names_in(tmp_path) == ["out.txt"]


def test_text_about_a_file_whose_name_is_not_utf_8_can_be_written(tmp_path: Path) -> None:
    atomic_write(tmp_path / "out.txt", "caf\udce9")

    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == "caf\\udce9"


def test_a_file_that_was_there_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("a long first version")
    atomic_write(str(path), "second")

    assert path.read_text() == "second"


def test_an_error_in_the_block_leaves_everything_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("first")
    with pytest.raises(KeyboardInterrupt):
        write_half(path)

    assert path.read_text() == "first"
    assert names_in(tmp_path) == ["out.txt"]


def test_nothing_is_at_the_path_before_the_end(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "out.csv") as temporary:
        temporary.write_text("a")
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".csv"
        assert not (tmp_path / "out.csv").exists()

    assert (tmp_path / "out.csv").read_text() == "a"


def test_a_disk_that_refuses_is_one_clear_error_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out.bin"
    path.write_bytes(b"first")
    with largest_file(1000), pytest.raises(OutputError, match=r"out\.bin' cannot be written: file too large"):
        atomic_write(path, bytes(5000))

    assert path.read_bytes() == b"first"
    assert names_in(tmp_path) == ["out.bin"]


def test_a_full_disk_says_to_free_some_space(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="no space left on device; free some space"),
        atomic_path(tmp_path / "a"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_errors_about_other_files_pass(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with pytest.raises(FileNotFoundError):
        fail_in_block(path, FileNotFoundError(errno.ENOENT, "no such file", "an input.jpg"))
    with pytest.raises(ConnectionResetError):
        fail_in_block(path, ConnectionResetError())
    with pytest.raises(ValueError, match="mine"):
        fail_in_block(path, ValueError("mine"))

    assert names_in(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing/out.txt", r"folder '.*missing' does not exist"),
        (".", "is a folder; give the name of a file"),
        ("a\0b", "cannot be a file name: embedded null byte"),
        ("x" * 300, "name too long"),
        ("file/out.txt", "not a directory|does not exist"),
    ],
)
def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=message) as caught:
        atomic_write(os.path.join(tmp_path, name), "text")  # noqa: PTH118 - Path would tidy the name

    assert "\n" not in str(caught.value)
    assert names_in(tmp_path) == ["file"]


@posix_only
def test_devices_are_refused() -> None:
    with pytest.raises(OutputError, match="'/dev/null' is not a plain file"):
        atomic_write("/dev/null", "text")


@posix_only
@not_root
def test_a_read_only_folder_is_one_clear_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="permission denied"):
            atomic_write(tmp_path / "out.txt", "text")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="Linux system folder")
def test_a_folder_that_takes_no_files_is_one_clear_error() -> None:
    with pytest.raises(
        OutputError, match=r"'/sys/kernel/out\.txt' cannot be written: .*choose another place"
    ):
        atomic_write("/sys/kernel/out.txt", "text")


@posix_only
@not_root
def test_a_read_only_file_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("keep")
    path.chmod(0o400)
    with pytest.raises(OutputError, match="permission denied"):
        atomic_write(path, "text")

    assert path.read_text() == "keep"


@posix_only
def test_permissions_follow_the_umask_or_the_file_before(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        atomic_write(tmp_path / "new", "text")
    finally:
        os.umask(before)
    old = tmp_path / "old"
    old.write_text("first")
    old.chmod(0o604)
    atomic_write(old, "second")

    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    assert stat.S_IMODE(old.stat().st_mode) == 0o604


@posix_only
def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("first")
    (tmp_path / "link.txt").symlink_to("real.txt")
    atomic_write(tmp_path / "link.txt", "second")

    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "second"


@posix_only
@pytest.mark.parametrize("name", ["a\nb.txt", "caf\udce9.txt", "x" * 250 + ".txt"])
def test_unusual_names_are_written(tmp_path: Path, name: str) -> None:
    try:
        atomic_write(tmp_path / name, "text")
    except OutputError as error:
        pytest.skip(f"this file system has no such names: {error}")

    assert names_in(tmp_path) == [name]


def test_names_are_shown_on_one_readable_line() -> None:
    assert shown("a\nb.txt") == r"'a\nb.txt'"
    assert shown(Path("é.txt")) == "'é.txt'"
    assert shown("caf\udce9") == r"'caf\xe9'"
    assert len(shown("x" * 10_000)) < 400


def test_ensure_folder_makes_what_is_missing(tmp_path: Path) -> None:
    assert ensure_folder(tmp_path / "a" / "b").is_dir()
    assert ensure_folder(tmp_path / "a" / "b").is_dir()


@pytest.mark.parametrize("name", ["file", "file/inner", "a\0b"])
def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MienError, match=r"cannot be made: .*; choose another place"):
        ensure_folder(tmp_path / name)


def test_a_folder_is_checked_without_being_made(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    check_folder(tmp_path / "there" / "a" / "b")
    check_folder(tmp_path / "there")
    assert list((tmp_path / "there").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be made"):
        check_folder(tmp_path / "file" / "a")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "there"]


UNFINISHED = """
import os, sys
from mien.core.files import atomic_folder, atomic_path
with atomic_path("faces.csv") as file, atomic_folder("data") as folder:
    file.write_text("a face")
    (folder / "face.png").write_text("a face")
    print("ready", flush=True)
    sys.stdin.readline()
    os.kill(os.getpid(), 9)
"""


@posix_only
def test_what_a_killed_process_left_goes_with_the_next_run_and_a_running_one_keeps_its_own(
    tmp_path: Path,
) -> None:
    def run(code: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    write = "from mien.core.files import atomic_write; atomic_write('faces.csv', 'whole')"
    (tmp_path / ".mien-notes").write_text("someone's own")
    with run(UNFINISHED) as other:
        assert other.stdout.readline() == "ready\n"
        with run(write) as beside:
            assert beside.wait() == 0
        unfinished = sorted(name for name in names_in(tmp_path) if name.startswith(".mien-"))
        assert len(unfinished) == 3, "another one that runs is not touched"
        other.communicate("\n")
    assert other.returncode == -9
    assert sorted(name for name in names_in(tmp_path) if name.startswith(".mien-")) == unfinished
    with run(write) as again:
        assert again.wait() == 0
    assert sorted(names_in(tmp_path)) == [".mien-notes", "faces.csv"]
    assert (tmp_path / "faces.csv").read_text() == "whole"
