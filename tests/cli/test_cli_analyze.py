from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from cli_support import FACE, NO_FACE

from mien import records
from mien.core import images
from mien.core.options import AnalysisOptions
from mien.core.results import ImageAnalysis


def test_plain_lines_in_a_pipe(mien) -> None:
    ended = mien("analyze", FACE, NO_FACE)
    first, last = (line.split("\t") for line in ended.out.splitlines())
    assert first[:3] == [str(FACE), "1", "neutral"]
    assert mien("analyze", FACE, NO_FACE, "--language", "ro").out == ended.out
    assert 0 < float(first[3]) <= 1
    assert all(int(number) > 0 for number in first[4:])
    assert len(first) == 8
    assert last == [str(NO_FACE), "0", *"------"]
    assert (ended.code, ended.err) == (0, "")


def test_json_lines_hold_the_whole_result(mien) -> None:
    ended = mien("analyze", FACE, NO_FACE, "--json")
    analyses = [ImageAnalysis.from_dict(json.loads(line)) for line in ended.out.splitlines()]
    assert [len(analysis.faces) for analysis in analyses] == [1, 0]
    assert analyses[0].model.name == "tiny"


def test_a_table_on_a_terminal(start) -> None:
    if not hasattr(os, "openpty"):
        pytest.skip("needs a pseudo-terminal")
    ours, theirs = os.openpty()
    process = start("analyze", str(FACE), "gone.jpg", "--language", "ro", stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:  # Linux says so where the other end is closed
        pass
    os.close(ours)
    process.communicate()
    text = shown.decode()
    assert process.returncode == 1
    assert "Neutru" in text
    assert "│" in text
    assert "there is no file or folder 'gone.jpg'" in text
    assert "2/2" in text  # the progress bar


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".csv", ".xlsx", ".parquet"])
def test_output_in_every_format_holds_every_input(suffix: str, mien, place: Path) -> None:
    pytest.importorskip("pandas", reason="needs the extra records")
    ended = mien("analyze", FACE, "gone.jpg", NO_FACE, "-q", "--output", f"new/out{suffix}")
    assert (ended.code, ended.out) == (1, "")
    assert f"wrote 'new/out{suffix}': 2 pictures, 1 face" in ended.err
    assert [path.name for path in (place / "new").iterdir()] == [f"out{suffix}"]
    if suffix in (".json", ".jsonl"):
        assert [item.source for item in records.read_all(place / "new" / f"out{suffix}")] == [
            str(FACE),
            "gone.jpg",
            str(NO_FACE),
        ]


def test_annotated_pictures_are_new_files_with_names_of_their_own(mien, place: Path) -> None:
    for folder in ("a", "b"):
        (place / folder).mkdir()
        shutil.copy(FACE, place / folder / "face.jpg")
    before = (place / "a" / "face.jpg").read_bytes()
    ended = mien("analyze", "a", "b", "--annotate", "a", "--bars", "--language", "vi")
    assert ended.code == 0
    assert (place / "a" / "face.jpg").read_bytes() == before
    drawn = images.load(place / "a" / "face-2.jpg")
    assert drawn.shape == images.load(FACE).shape
    assert (drawn != images.load(FACE)).any()
    assert sorted(path.name for path in (place / "a").iterdir()) == ["face-2.jpg", "face-3.jpg", "face.jpg"]


def test_an_annotate_folder_inside_the_inputs_is_not_an_input(mien, place: Path) -> None:
    (place / "photos").mkdir()
    shutil.copy(FACE, place / "photos" / "face.jpg")
    for _ in range(2):
        ended = mien("analyze", "photos", "--annotate", "photos/drawn")
        assert len(ended.out.splitlines()) == 1


def test_one_place_for_two_outputs_is_refused_before_it_is_made(mien, place: Path) -> None:
    ended = mien("analyze", FACE, "--output", "new/same.csv", "--annotate", "new/same.csv")
    assert ended.code == 2
    assert "--annotate and --output are one place, 'new/same.csv'" in ended.err
    assert list(place.iterdir()) == []


def test_a_rerun_replaces_its_drawings_and_analyses_only_photos(mien, place: Path) -> None:
    (place / "photos").mkdir()
    for name in ("x.jpg", "y.jpg"):
        shutil.copy(FACE, place / "photos" / name)
    for number in range(3):
        ended = mien("analyze", "photos", "--annotate", "photos")
        assert [line.split("\t")[0] for line in ended.out.splitlines()] == ["photos/x.jpg", "photos/y.jpg"]
        assert ("left out 2 pictures that Mien drew" in ended.err) == (number > 0)
        assert {path.name for path in (place / "photos").iterdir()} == {
            "x.jpg",
            "x-2.jpg",
            "y.jpg",
            "y-2.jpg",
        }


def test_drawings_leave_photos_of_another_folder_alone(mien, place: Path) -> None:
    for folder, source in (("2023", FACE), ("2024", NO_FACE)):
        (place / folder).mkdir()
        shutil.copy(source, place / folder / "x.jpg")
    for _ in range(2):
        assert mien("analyze", "2023", "--annotate", "2024").code == 0
        assert (place / "2024" / "x.jpg").read_bytes() == NO_FACE.read_bytes()
        assert {path.name for path in (place / "2024").iterdir()} == {"x.jpg", "x-2.jpg"}


def test_photos_in_the_folder_of_drawings_are_analysed(mien, place: Path) -> None:
    (place / "nest" / "sub").mkdir(parents=True)
    for name in ("x.jpg", "sub/x.jpg"):
        shutil.copy(FACE, place / "nest" / name)
    for _ in range(2):
        ended = mien("analyze", "nest", "--annotate", "nest/sub")
        assert [line.split("\t")[0] for line in ended.out.splitlines()] == ["nest/x.jpg", "nest/sub/x.jpg"]
        files = [path for path in (place / "nest").rglob("*") if path.is_file()]
        assert sorted(str(path.relative_to(place)) for path in files) == [
            "nest/sub/sub/x.jpg",
            "nest/sub/x-2.jpg",
            "nest/sub/x.jpg",
            "nest/x.jpg",
        ]


def test_processes_give_what_one_process_gives(mien, place: Path) -> None:
    def faces(*args: object) -> list[object]:
        lines = mien("analyze", FACE, "gone.jpg", NO_FACE, FACE, "--json", *args).out.splitlines()
        return [json.loads(line)["faces"] for line in lines]

    assert faces("--jobs", 2, "--annotate", "drawn") == faces()
    assert (place / "drawn" / FACE.name).exists()


@pytest.mark.parametrize("option", fields(AnalysisOptions), ids=lambda option: option.name)
def test_every_analysis_option_is_an_option(option, mien) -> None:
    values = {"detector": "haar", "rotate": None, "clahe": None}
    value = values.get(option.name, option.metadata["high"])
    name = f"--{option.name.replace('_', '-')}"
    if option.name == "rotate":
        name = "--no-rotate"
    ended = mien("analyze", NO_FACE, "--json", name, *([] if value is None else [value]))
    assert ended.code == 0, ended.err
    changed = json.loads(ended.out)["options"] != AnalysisOptions().digest()
    assert changed


def test_options_reach_the_analysis(mien) -> None:
    assert "uncertain" in mien("analyze", FACE, "--threshold", "1").out
    assert "\t0\t-" in mien("analyze", FACE, "--min-face", "5000").out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--detector", "eyes"], "unknown detector 'eyes'; choose one of auto, yunet, haar"),
        (["--detector", "yunet"], "mien models pull yunet"),
        (["--language", "xx"], "unknown language 'xx'"),
        (["--bars"], "give --annotate DIR as well"),
        (["-o", "same.csv", "--annotate", "same.csv"], "are one place"),
        (["--model", "nope"], "unknown model 'nope'"),
        (["--model", "nope.onnx"], "'nope.onnx' does not exist"),
        (["--device", "abacus"], "abacus"),
        (["--median", "2"], "median has to be 0 or an odd number"),
        (["--output", "faces.doc"], "unknown suffix '.doc'"),
        (["--output", ""], "--output is empty"),
        (["--json", "--quiet"], "exclude each other"),
        (["--output", "x.csv", "--ledger", "x.csv"], "one file"),
    ],
)
def test_wrong_usage_is_one_sentence_and_two(args: list[str], message: str, mien) -> None:
    ended = mien("analyze", FACE, *args)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_model_that_cannot_be_trusted_is_three(mien, place: Path) -> None:
    model = Path(os.environ["MODEL_PATH"])
    shutil.copy(model, place / "m.onnx")
    card = json.loads(model.with_suffix(".json").read_text())
    (place / "m.json").write_text(json.dumps({**card, "sha256": "0" * 64}))
    ended = mien("analyze", FACE, "--model", "m.onnx")
    assert ended.code == 3
    assert "SHA-256" in ended.err
    (place / "m.json").write_text("{")
    assert mien("analyze", FACE, "--model", "m.onnx").code == 3


def test_some_failed_is_one_all_failed_is_three(mien, place: Path) -> None:
    (place / "empty.jpg").touch()
    (place / "text.jpg").write_text("no picture")
    (place / "cut.jpg").write_bytes(FACE.read_bytes()[:2000])
    (place / "folder").mkdir()
    broken = ["empty.jpg", "text.jpg", "cut.jpg", "folder", "gone.jpg"]

    some = mien("analyze", *broken, FACE)
    assert some.code == 1
    assert len(some.out.splitlines()) == 1
    for name in broken:
        assert sum(repr(name) in line for line in some.err.splitlines()) == 1
    assert some.err.splitlines()[-1] == "mien: 5 of 6 inputs failed"

    (place / "out.json").write_text("from before")
    nothing = mien("analyze", *broken, "--output", "out.json")
    assert (nothing.code, nothing.out) == (3, "")
    assert (place / "out.json").read_text() == "from before"
    assert not (place / "out.json.ledger").exists()


def test_too_many_pixels_is_a_failed_input(mien) -> None:
    ended = mien("analyze", FACE, "--max-pixels", 1000)
    assert ended.code == 3
    assert "1000" in ended.err or "1,000" in ended.err


def test_an_output_that_is_an_input_is_refused(mien, place: Path) -> None:
    (place / "a.csv").write_bytes(FACE.read_bytes())
    ended = mien("analyze", "a.csv", "--output", "a.csv")
    assert ended.code == 2
    assert (place / "a.csv").read_bytes() == FACE.read_bytes()


needs_proc = pytest.mark.skipif(
    not Path("/proc/self").exists(), reason="needs /proc, where nothing can be made"
)


@pytest.mark.parametrize(
    "args",
    [
        pytest.param(["--output", "/proc/x.csv"], marks=needs_proc),
        pytest.param(["--annotate", "/proc/x"], marks=needs_proc),
        ["--output", "f/x.csv"],
    ],
)
def test_a_place_that_cannot_be_written_is_known_before_the_work(args, mien, place: Path) -> None:
    (place / "f").touch()
    ended = mien("analyze", FACE, *args)
    assert (ended.code, ended.out) == (3, "")
    assert len(ended.err.splitlines()) == 1


@pytest.mark.skipif(
    sys.platform in ("win32", "darwin"), reason="file names have to be text on Windows and macOS"
)
def test_names_of_any_bytes_are_printed_on_one_line(start, place: Path) -> None:
    name = b"new\nline\x1b[31m\xff.jpg"
    shutil.copy(FACE, os.fsdecode(name))
    for option in ([], ["--json"], ["--output", "out.jsonl", "--annotate", "drawn"]):
        process = start("analyze", name, b"gone\n\xff.jpg", *option)
        out, err = process.communicate()
        assert process.returncode == 1
        assert len(out.splitlines()) == 1
        assert b"\x1b" not in out + err
        assert b"gone\\n" in err
        assert all(line.startswith(b"mien: ") for line in err.splitlines())
    assert len((place / "out.jsonl").read_bytes().splitlines()) == 2
    assert [os.fsencode(path.name) for path in (place / "drawn").iterdir()] == [name]


def test_a_terminal_without_the_letters_is_no_error(start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    process = start("analyze", str(FACE), "--language", "vi")
    out, _ = process.communicate()
    assert process.returncode == 0
    assert out.decode("ascii").count("\t") == 7


def test_standard_input_as_picture_and_as_list(start) -> None:
    process = start("analyze", "-")
    out, err = process.communicate(FACE.read_bytes())
    assert (out.split(b"\t")[:2], err, process.returncode) == ([b"-", b"1"], b"", 0)

    process = start("analyze", "-")
    out, err = process.communicate(f"{FACE}\0gone.jpg\0".encode())
    assert out.startswith(os.fsencode(FACE))
    assert (b"gone.jpg" in err, process.returncode) == (True, 1)

    process = start("analyze", "-")
    out, err = process.communicate(FACE.read_bytes()[:1000])
    assert (out, process.returncode) == (b"", 3)
    assert b"standard input" in err


@pytest.mark.skipif(sys.platform == "win32", reason="the shell closes the streams")
def test_closed_streams_are_empty_ones(place: Path) -> None:
    command = shlex.join([sys.executable, "-m", "mien", "analyze"])
    quiet = subprocess.run(f"{command} {shlex.quote(str(FACE))} >&-", shell=True, stderr=subprocess.PIPE)
    assert (quiet.returncode, quiet.stderr) == (0, b"")
    hungry = subprocess.run(f"{command} - <&-", shell=True, stderr=subprocess.PIPE)
    assert hungry.returncode == 3
    assert b"standard input is empty" in hungry.stderr
