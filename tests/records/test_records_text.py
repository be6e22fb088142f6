"""JSON, JSON Lines and CSV: what is written is what is read."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from record_strategies import analyses, analysis, items

from mien.core.errors import ImageFormatError, OptionError, OutputError
from mien.core.results import ImageAnalysis
from mien.core.version import __version__
from mien.records import COLUMNS, Failure, columns_for, open_writer, read, read_all, rows, write
from mien.records._json import dumps

relaxed = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
@relaxed
@given(results=st.lists(items, max_size=4))
def test_json_round_trip_is_exact(
    tmp_path: Path, suffix: str, results: list[ImageAnalysis | Failure]
) -> None:
    path = tmp_path / f"results{suffix}"
    write(results, path)
    assert read_all(path) == results
    assert read(path) == [item for item in results if isinstance(item, ImageAnalysis)]


@relaxed
@given(results=st.lists(items, max_size=4))
def test_json_lines_has_one_line_a_result_for_every_reader(
    tmp_path: Path, results: list[ImageAnalysis | Failure]
) -> None:
    path = tmp_path / "results.jsonl"
    write(results, path)
    text = path.read_bytes().decode("utf-8")
    assert len(text.splitlines()) == len(results)


@relaxed
@given(results=st.lists(items, max_size=4))
def test_csv_keeps_numbers_exactly_and_every_row_on_one_line(
    tmp_path: Path, results: list[ImageAnalysis | Failure]
) -> None:
    path = tmp_path / "results.csv"
    write(results, path)
    expected = [row for item in results for row in rows(item)]
    found = table(path)
    assert len(found) == len(expected)
    assert len(path.read_bytes().decode("utf-8").splitlines()) == len(expected) + 1
    for cells, row in zip(found, expected, strict=True):
        for name, cell in cells.items():
            wanted = row.get(name)
            if wanted is None:
                assert cell == ""
            elif isinstance(wanted, str):
                assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
            else:
                assert float(cell) == wanted


def test_csv_columns_are_the_documented_ones(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    write([analysis()], path)
    with path.open(encoding="utf-8") as file:
        head = next(csv.reader(file))
    labels = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
    assert head == [column.name for column in columns_for(labels)]
    place = [column.name for column in COLUMNS].index("score_<label>")
    assert head[place : place + 7] == [f"score_{label}" for label in labels]
    assert len(set(head)) == len(head)
    assert all(column.meaning.endswith(".") for column in COLUMNS)


def test_every_row_says_what_made_it(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    write([analysis(), analysis("none.jpg", faces=0)], path)
    for row in table(path):
        assert row["model"] == "mien-test"
        assert row["model_digest"] == "cd" * 32
        assert row["detector"] == "yunet"
        assert row["options_digest"] == "0123456789abcdef"
        assert row["mien_version"] == __version__


def test_pictures_without_a_face_and_failures_keep_a_row(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    results = [
        analysis("none.jpg", faces=0),
        (Path("broken.jpg"), ImageFormatError("'broken.jpg' is not a picture; give a JPEG")),
        ImageFormatError("no name"),
        analysis("two.jpg", faces=2),
    ]
    write(results, path)
    found = table(path)
    assert [(row["source"], row["status"], row["face"]) for row in found] == [
        ("none.jpg", "no_face", ""),
        ("broken.jpg", "failed", ""),
        ("", "failed", ""),
        ("two.jpg", "face", "0"),
        ("two.jpg", "face", "1"),
    ]
    assert found[1]["error"] == "ImageFormatError: 'broken.jpg' is not a picture; give a JPEG"
    assert found[0]["score_happy"] == ""


def test_no_face_at_all_still_gives_a_table(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    write([analysis(faces=0)], path)
    assert table(path)[0]["status"] == "no_face"
    write([], path)
    assert table(path) == []
    assert path.read_text().startswith("source,status,")


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=1+1.jpg", "'=1+1.jpg"),
        ("+a", "'+a"),
        ("-a", "'-a"),
        ("@a", "'@a"),
        ("\ta", "'\\ta"),
        ("\ra", "'\\ra"),
        ("two\nlines.jpg", "two\\nlines.jpg"),
        ("bad\udcff.jpg", "bad\\xff.jpg"),
        ('C:\\a,b".jpg', 'C:\\a,b".jpg'),
        ("Tức giận ț.jpg", "Tức giận ț.jpg"),
    ],
)
def test_cells_are_safe_and_readable(tmp_path: Path, name: str, cell: str) -> None:
    path = tmp_path / "results.csv"
    write([analysis(name)], path)
    assert table(path)[0]["source"] == cell


def test_an_uncertain_face_has_no_emotion_but_a_top(tmp_path: Path) -> None:
    data = analysis().to_dict()
    data["faces"][0]["emotion"] = None
    path = tmp_path / "results.csv"
    write([ImageAnalysis.from_dict(data)], path)
    row = table(path)[0]
    assert (row["emotion"], row["top"], row["confidence"]) == ("", "angry", "0.75")


def test_mixed_labels_in_one_table_are_refused_unless_named(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    mixed = [analysis(), analysis("other.jpg", labels=("calm", "cross"))]
    with pytest.raises(OptionError, match=r"other\.jpg.*calm, cross"):
        write(mixed, path)
    assert list(tmp_path.iterdir()) == []
    labels = (*mixed[0].faces[0].scores, "calm", "cross")
    write(mixed, path, labels=labels)
    first, second = table(path)
    assert (first["score_calm"], second["score_calm"], second["score_happy"]) == ("", "0.75", "")
    write(mixed, tmp_path / "results.jsonl")
    assert read(tmp_path / "results.jsonl") == mixed


def test_json_lines_can_be_added_to_also_after_an_interruption(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    one, two, three = (analysis(f"{n}.jpg") for n in range(3))
    write([one], path, append=True)
    write([two], path, append=True)
    whole = path.read_bytes()
    path.write_bytes(whole + json.dumps(three.to_dict()).encode()[:200])
    write([three], path, append=True)
    assert read(path) == [one, two, three]
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    write([one], path, append=True)
    assert read(path) == [one, two, three, one]


def test_adding_keeps_what_was_written_before_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"

    def broken() -> Iterator[ImageAnalysis]:
        yield analysis()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write(broken(), path, append=True)
    assert read(path) == [analysis()]


def test_adding_to_a_file_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    path.write_text("dear diary")
    with pytest.raises(OutputError, match="does not end in a result"):
        write([analysis()], path, append=True)
    assert path.read_text() == "dear diary"
    with pytest.raises(OptionError, match=r"only \.jsonl"):
        open_writer(tmp_path / "a.csv", append=True)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b"{"),
        ("a.json", b"7"),
        ("a.json", b"\xff\xfe"),
        ("a.json", b'{"results": [{"source": "a"}]}'),
        ("a.json", b'{"results": [7]}'),
        ("a.jsonl", b'{"source": null}\n'),
        ("a.jsonl", b"[" * 100_000),
        ("a.csv", b"source\n"),
    ],
)
def test_damaged_files_are_refused_in_one_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(OptionError, match=r"a\.(json|jsonl|csv)"):
        read(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no such file"):
        read(tmp_path / "none.json")


@relaxed
@given(result=analyses())
def test_a_plain_dump_of_one_result_is_read_too(tmp_path: Path, result: ImageAnalysis) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps(result.to_dict()))
    assert read(path) == [result]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_what_json_lacks_is_refused(value: object) -> None:
    with pytest.raises(OutputError, match=r"'photo\.jpg' is not valid JSON"):
        dumps({"source": "photo.jpg", "value": value})


def test_numpy_numbers_are_written_as_numbers() -> None:
    assert (
        dumps({"a": np.float32(0.5), "b": np.int64(7), "c": np.bool_(True)})
        == '{"a": 0.5, "b": 7, "c": true}'
    )
