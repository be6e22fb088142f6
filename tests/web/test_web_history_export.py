"""What is taken along: CSV, JSON, Excel and ZIP of one analysis, a batch, a filter, what was ticked."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from PIL import Image

from mien import records
from mien.web.analyses import exports, store
from mien.web.analyses.models import Batch, Tag

FORMULA = '=HYPERLINK("x").jpg'


def taken(answer) -> bytes:
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith("attachment")
    content = b"".join(answer.streaming_content)
    answer.close()
    return content


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def sheet(content: bytes) -> list[dict[str, object]]:
    head, *rows = openpyxl.load_workbook(io.BytesIO(content))["faces"].iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_one_analysis_as_csv_has_the_one_schema_and_what_the_history_knows(
    client_of, ann, make_analysis
) -> None:
    analysis = make_analysis(ann)
    analysis.notes = "=1+1"
    analysis.save()
    analysis.tags.add(Tag.objects.create(owner=ann, name="+tag"))
    answer = client_of(ann).get(f"/history/{analysis.uid}/export/?as=csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    (row,) = table(taken(answer))
    face = analysis.faces.get()
    assert (row["source"], row["status"], row["top"]) == ("photo.jpg", "face", face.top)
    assert float(row[f"score_{face.top}"]) == face.confidence
    assert (row["id"], row["came_by"], row["tags"], row["notes"]) == (
        str(analysis.uid),
        "upload",
        "'+tag",
        "'=1+1",
    )
    assert row["created"] == analysis.created.isoformat()


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_no_cell_is_a_formula(client_of, ann, make_analysis, form: str) -> None:
    make_analysis(ann, name=FORMULA)
    content = taken(client_of(ann).get(f"/history/export/?as={form}"))
    (row,) = table(content) if form == "csv" else sheet(content)
    assert str(row["source"]).startswith("'=")
    if form == "xlsx":
        for cells in openpyxl.load_workbook(io.BytesIO(content))["faces"].iter_rows():
            assert all(cell.data_type != "f" for cell in cells)


def test_json_is_read_back_as_it_was(client_of, ann, make_analysis, tmp_path: Path) -> None:
    analysis = make_analysis(ann)
    path = tmp_path / "mien.json"
    path.write_bytes(taken(client_of(ann).get(f"/history/{analysis.uid}/export/?as=json")))
    assert records.read(path) == [analysis.result()]


def test_a_batch_is_exported_with_what_failed(client_of, ann, make_analysis) -> None:
    failures = [{"name": "-bad.jpg", "why": "This file is empty."}]
    batch = Batch.objects.create(owner=ann, total=3, done=2, failed=1, failures=failures)
    for name in ("a.jpg", "b.jpg"):
        make_analysis(ann, name=name, batch=batch)
    client = client_of(ann)
    rows = table(taken(client.get(f"/history/batches/{batch.uid}/export/?as=csv")))
    assert [(row["source"], row["status"]) for row in rows] == [
        ("a.jpg", "face"),
        ("b.jpg", "face"),
        ("'-bad.jpg", "failed"),
    ]
    assert "This file is empty." in rows[2]["error"]
    results = json.loads(taken(client.get(f"/history/batches/{batch.uid}/export/?as=json")))["results"]
    assert [result["source"] for result in results] == ["a.jpg", "b.jpg", "-bad.jpg"]


def test_a_filter_and_ticks_choose_what_is_exported(client_of, ann, bob, make_analysis) -> None:
    kept = [make_analysis(ann, name=f"{name}.jpg") for name in "abc"]
    other = make_analysis(bob, name="other.jpg")
    client = client_of(ann)
    rows = table(taken(client.get("/history/export/?as=csv&q=b.jpg")))
    assert [row["source"] for row in rows] == ["b.jpg"]
    ticked = {"as": "csv", "uid": [str(kept[0].uid), str(kept[2].uid), str(other.uid), "x"]}
    rows = table(taken(client.post("/history/export/", ticked)))
    assert [row["source"] for row in rows] == ["c.jpg", "a.jpg"]


def test_a_zip_has_the_tables_and_the_kept_pictures_drawn_on(
    client_of, ann, make_analysis, photo: bytes
) -> None:
    make_analysis(ann, name="../../etc/ảnh: one.jpg", picture=True)
    make_analysis(ann, name="not kept.jpg")
    with zipfile.ZipFile(io.BytesIO(taken(client_of(ann).get("/history/export/?as=zip")))) as packed:
        assert packed.namelist() == [
            "results.csv",
            "results.json",
            "results.xlsx",
            "pictures/0001-ảnh_ one.jpg",
        ]
        assert len(table(packed.read("results.csv"))) == 2
        drawn = Image.open(io.BytesIO(packed.read("pictures/0001-ảnh_ one.jpg")))
    assert drawn.size == Image.open(io.BytesIO(photo)).size
    assert not drawn.getexif()


def test_a_zip_of_too_many_pictures_is_refused(client_of, ann, make_analysis, settings) -> None:
    settings.MIEN = replace(settings.MIEN, batch_photos=1)
    for _ in range(2):
        make_analysis(ann, picture=True)
    answer = client_of(ann).get("/history/export/?as=zip")
    assert answer.status_code == 413
    assert "at most 1 picture" in answer.content.decode()


@pytest.mark.parametrize("form", ["", "exe", "CSV", "../csv"])
def test_another_format_is_refused(client_of, ann, make_analysis, form: str) -> None:
    analysis = make_analysis(ann)
    assert client_of(ann).get(f"/history/{analysis.uid}/export/", {"as": form}).status_code == 400


@pytest.mark.parametrize("form", exports.TYPES)
def test_an_empty_history_is_an_empty_file(client_of, ann, form: str) -> None:
    assert taken(client_of(ann).get(f"/history/export/?as={form}"))


def test_models_with_other_labels_stand_in_one_table(client_of, ann, make_analysis) -> None:
    first, other = make_analysis(ann), make_analysis(ann)
    other.model_digest = "0" * 64
    other.save()
    face = other.faces.get()
    face.scores, face.emotion, face.top = [["calm", 0.25], ["happy", 0.75]], "happy", "happy"
    face.save()
    newest, oldest = table(taken(client_of(ann).get("/history/export/?as=csv")))
    assert (newest["score_calm"], newest["score_sad"]) == ("0.25", "")
    assert float(oldest["score_sad"]) == dict(first.faces.get().scores)["sad"]


def test_a_photo_without_a_face_has_a_row(client_of, ann, empty_photo: bytes) -> None:
    from mien.web import engine

    store.keep(ann, engine.analyze(empty_photo), name="rocket.jpg")
    (row,) = table(taken(client_of(ann).get("/history/export/?as=csv")))
    assert (row["source"], row["status"], row["top"]) == ("rocket.jpg", "no_face", "")


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("a.jpg", "0007-a.jpg"),
        ("", "0007-photo.jpg"),
        ("...", "0007-___.jpg"),
        ("../../x", "0007-x.jpg"),
        ("con:|?*.png", "0007-con____.jpg"),
        ("n" * 300, "0007-" + "n" * 60 + ".jpg"),
        ("\ufffd\r\n.jpg", "0007-___.jpg"),
    ],
)
def test_a_file_in_the_zip_has_a_safe_name(name: str, file: str) -> None:
    assert exports.picture_file(7, name) == file


def test_nothing_is_left_of_an_export(client_of, ann, make_analysis, tmp_path: Path, monkeypatch) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    make_analysis(ann, picture=True)
    for form in exports.TYPES:
        assert taken(client_of(ann).get(f"/history/export/?as={form}"))
    assert [path for path in tmp_path.iterdir() if path.name.startswith("mien-export")] == []
