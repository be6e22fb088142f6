from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from mien.batch import LeftOut, check_folder, check_output, plan, with_targets
from mien.core import images
from mien.core.errors import OptionError, OutputError
from mien.testing import picture

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes in folders, few links")
any_bytes = pytest.mark.skipif(
    sys.platform in ("win32", "darwin"), reason="file names have to be text on Windows and macOS"
)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in (
        "p/b.JPG",
        "p/a.png",
        "p/notes.txt",
        "p/.hidden.jpg",
        "p/.cache/c.jpg",
        "p/sub/a.png",
        "z.jpg",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path


def names(items) -> list[str]:
    return [item.name for item in items]


def test_folders_give_their_pictures_sorted_and_each_once(tree: Path) -> None:
    items = plan(["z.jpg", "p", "p/a.png", tree / "z.jpg"])
    assert names(items) == ["z.jpg", "p/a.png", "p/b.JPG", "p/sub/a.png"]
    assert [str(item.relative) for item in items] == ["z.jpg", "a.png", "b.JPG", "sub/a.png"]
    assert items[0].size == len("z.jpg")
    assert items[0].mtime_ns == (tree / "z.jpg").stat().st_mtime_ns
    assert [item.key for item in items] == [str(tree / name) for name in names(items)]


def test_a_named_file_is_taken_whatever_its_suffix(tree: Path) -> None:
    assert names(plan(["p/notes.txt"])) == ["p/notes.txt"]


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_pictures_that_mien_drew_are_left_out_of_folders_only(suffix: str, tree: Path) -> None:
    drawn = f"p/sub/drawn{suffix}"
    images.save(picture(), drawn, drawn=True)
    images.save(picture(), f"p/photo{suffix}")
    left_out = LeftOut()
    items = plan(["p", "p"], left_out=left_out)
    assert names(items) == ["p/a.png", "p/b.JPG", f"p/photo{suffix}", "p/sub/a.png"]
    assert left_out.notes() == ["left out 1 picture that Mien drew"]
    left_out = LeftOut()
    assert drawn in names(plan(["p", drawn], left_out=left_out))
    assert left_out.notes() == []
    (tree / "p/sub/a.png").unlink()
    assert "only what Mien drew" in str(plan(["p/sub"])[0].error)


def test_a_mark_goes_when_another_program_writes_the_picture(tree: Path) -> None:
    images.save(picture(), "p/drawn.jpg", drawn=True)
    images.save(images.load("p/drawn.jpg"), "p/drawn.jpg")
    assert "p/drawn.jpg" in names(plan(["p"]))


def test_files_of_other_kinds_are_counted_and_those_of_mien_are_not(tree: Path) -> None:
    for name in ("a.heic", "b.HEIC", "c.psd", "README", "faces.csv", "faces.csv.ledger", ".d.heic"):
        (tree / "p" / name).touch()
    left_out = LeftOut()
    plan(["p", "p"], left_out=left_out)
    assert left_out.notes() == ["left out 4 files of other kinds (.heic 2, .psd 1, without suffix 1)"]


@posix_only
def test_a_loop_of_links_ends(tree: Path) -> None:
    (tree / "p" / "sub" / "up").symlink_to(tree / "p", target_is_directory=True)
    assert names(plan(["p"])) == ["p/a.png", "p/b.JPG", "p/sub/a.png"]


@posix_only
def test_what_cannot_be_used_says_why_and_stops_nothing(tree: Path) -> None:
    (tree / "empty").mkdir()
    os.mkfifo(tree / "pipe")
    (tree / "p" / "broken.jpg").symlink_to("nowhere")
    given = ["gone.jpg", "empty", "pipe", "https://example.org/a.jpg", "nul\0.jpg", "p", "x" * 5000]
    items = plan(given)
    reasons = {item.name: str(item.error) for item in items if item.error is not None}
    assert "there is no file or folder 'gone.jpg'" in reasons["gone.jpg"]
    assert "folder 'empty' has no pictures" in reasons["empty"]
    assert "not a regular file" in reasons["pipe"]
    assert "is an address" in reasons["https://example.org/a.jpg"]
    assert "cannot be read" in reasons["nul\0.jpg"]
    assert "there is no file or folder 'p/broken.jpg'" in reasons["p/broken.jpg"]
    assert "too long" in reasons["x" * 5000]
    assert [item.name for item in items if item.error is None] == ["p/a.png", "p/b.JPG", "p/sub/a.png"]
    assert all("\n" not in reason for reason in reasons.values())


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff\xe0rest",
        b"\x89PNG\r\n\x1a\nrest",
        b"RIFF\x10\x00\x00\x00WEBPrest",
        b"II*\x00rest",
        b"MM\x00*rest",
        b"BM\x10\x00\x00\x00\x00\x00\x00\x00rest",
    ],
)
def test_standard_input_may_be_a_picture(data: bytes) -> None:
    (item,) = plan(["-", "-"], stdin=io.BytesIO(data))
    assert (item.source, item.name, item.size) == (data, "-", len(data))
    assert item.key.startswith("sha256:")


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\0"])
def test_standard_input_may_be_a_list(ending: str, tree: Path) -> None:
    (tree / "BM and more.jpg").touch()
    paths = ending.join(["z.jpg", "p", "BM and more.jpg", "gone.jpg", ""])
    items = plan(["-"], stdin=io.BytesIO(paths.encode()))
    assert names(items) == ["z.jpg", "p/a.png", "p/b.JPG", "p/sub/a.png", "BM and more.jpg", "gone.jpg"]
    assert [item.error is None for item in items] == [True] * 5 + [False]


@any_bytes
def test_a_list_can_hold_names_that_are_not_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = b"new\nline\xff.jpg"
    Path(os.fsdecode(name)).touch()
    (item,) = plan(["-"], stdin=io.BytesIO(name + b"\0"))
    assert item.error is None
    assert os.fsencode(item.name) == name


@pytest.mark.parametrize(
    "data", [b"", b" \n\n", b"x" * 100_000, b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", b"%PDF-1.7\n1 0\0\0obj\n"]
)
def test_other_standard_input_is_an_error(data: bytes) -> None:
    (item,) = plan(["-"], stdin=io.BytesIO(data))
    assert "standard input" in str(item.error)


def test_targets_never_meet_each_other_or_an_input(tree: Path) -> None:
    for name in ("q/a.png", "q/B.jpg", "q/c.bmp", "q/c.tiff", "q/c.png", "out/z.jpg"):
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_bytes(name.encode())
    items = with_targets(plan(["p", "q", "z.jpg", "out/z.jpg", "gone.jpg"]), Path("out"))
    targets = [item.target and str(item.target) for item in items]
    assert targets == [
        "out/a.png",
        "out/b.JPG",
        "out/sub/a.png",
        "out/B-2.jpg",
        "out/a-2.png",
        "out/c.png",
        "out/c-2.png",
        "out/c-3.png",
        "out/z-2.jpg",
        "out/z-3.jpg",
        None,
    ]


def test_targets_beside_the_inputs_leave_them_alone(tree: Path) -> None:
    items = with_targets(plan(["p"]), Path("p"))
    assert {str(item.target) for item in items} == {"p/a-2.png", "p/b-2.JPG", "p/sub/a-2.png"}


def test_targets_replace_only_what_mien_drew(tree: Path) -> None:
    images.save(picture(), "p/b-2.JPG.png", drawn=True)
    (tree / "p/b-2.JPG.png").rename(tree / "p/b-2.JPG")
    (tree / "out/sub").mkdir(parents=True)
    (tree / "out/a.png").mkdir()
    images.save(picture(), "out/b.JPG")
    images.save(picture(), "out/sub/a.png", drawn=True)
    items = plan(["p"])
    assert {str(item.target) for item in with_targets(items, Path("p"))} == {
        "p/a-2.png",
        "p/b-2.JPG",
        "p/sub/a-2.png",
    }
    assert [str(item.target) for item in with_targets(items, Path("out"))] == [
        "out/a-2.png",
        "out/b-2.JPG",
        "out/sub/a.png",
    ]


def test_the_picture_of_standard_input_has_a_target() -> None:
    (item,) = with_targets(plan(["-"], stdin=io.BytesIO(b"\xff\xd8\xff")), Path("out"))
    assert item.target == Path("out/stdin.png")


def test_output_is_checked_before_the_work(tmp_path: Path) -> None:
    check_output(tmp_path / "new" / "out.csv")
    assert list((tmp_path / "new").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"folder .*file"):
        check_folder(tmp_path / "file")
    (tmp_path / "x.csv").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        check_output(tmp_path / "x.csv")
    with pytest.raises(OptionError, match="unknown suffix"):
        check_output(tmp_path / "out.doc")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc, where no folder can be made")
def test_a_folder_that_cannot_be_made_is_known_before_the_work() -> None:
    with pytest.raises(OutputError, match="cannot be"):
        check_folder(Path("/proc/mien"))
