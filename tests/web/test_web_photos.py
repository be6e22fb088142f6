"""Photos in: one or many, with and without JavaScript, kept or not, and what is refused."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from mien.core.errors import OutputError
from mien.web import engine
from mien.web.analyses import pictures
from mien.web.analyses.models import Analysis, Batch, Picture

HOSTILE = "../../<script>alert(1)</script>\u202e.jpg"


def sent(content: bytes, name: str = "photo.jpg", kind: str = "image/jpeg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, kind)


def picture_with_place(photo: bytes) -> bytes:
    """The photo with a place, a device and a turn in its metadata."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Secret camera", 6
    exif.get_ifd(0x8825)[1] = "N"
    buffer = io.BytesIO()
    Image.open(io.BytesIO(photo)).save(buffer, "JPEG", exif=exif, comment=b"secret comment")
    return buffer.getvalue()


def bomb() -> bytes:
    """A small PNG of forty thousand pixels a side."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def files_in(folder: object) -> list[Path]:
    return [path for path in Path(str(folder)).rglob("*") if path.is_file()]


def test_one_photo_leads_to_its_result(client_of, ann, photo: bytes, settings) -> None:
    answer = client_of(ann).post("/photos/", {"photos": sent(photo)}, follow=True)
    analysis = Analysis.objects.get()
    assert answer.redirect_chain == [(f"/history/{analysis.uid}/", 302)]
    page = answer.content.decode()
    face = analysis.faces.get()
    assert page.count("<meter") == len(face.scores) == 7
    assert f'x="{face.x}" y="{face.y}" width="{face.width}"' in page
    assert "not kept" in page
    assert (analysis.owner, analysis.name, analysis.source) == (ann, "photo.jpg", "upload")
    assert not Picture.objects.exists()
    assert not files_in(settings.MEDIA_ROOT)


def test_many_photos_become_one_report_and_one_failure_stops_nothing(
    client_of, ann, photo: bytes, empty_photo: bytes
) -> None:
    files = [sent(photo, "a.jpg"), sent(b"no picture", "b.jpg"), sent(empty_photo, "c.jpg")]
    answer = client_of(ann).post("/photos/", {"photos": files}, follow=True)
    batch = Batch.objects.get()
    assert answer.redirect_chain == [(f"/history/batches/{batch.uid}/", 302)]
    assert (batch.total, batch.done, batch.failed, batch.is_finished) == (3, 2, 1, True)
    assert [row.name for row in batch.analyses.order_by("id")] == ["a.jpg", "c.jpg"]
    page = answer.content.decode()
    assert "b.jpg" in page
    assert "not a picture" in page
    assert "No face" in page


def test_photos_of_a_script_come_one_by_one(client_of, ann, photo: bytes) -> None:
    client = client_of(ann)
    batch = client.post("/photos/batch/", {"total": 2}).json()
    good = client.post("/photos/read/", {"photo": sent(photo), "batch": batch["uid"]})
    assert good.status_code == 200
    assert b"<article" in good.content
    assert b"<html" not in good.content
    bad = client.post("/photos/read/", {"photo": sent(b"x"), "batch": batch["uid"]})
    assert bad.status_code == 422
    late = client.post("/photos/read/", {"photo": sent(photo), "batch": batch["uid"]})
    assert late.status_code == 400
    row = Batch.objects.get()
    assert batch["address"] == f"/history/batches/{row.uid}/"
    assert (row.done, row.failed, row.analyses.count()) == (1, 1, 1)


def test_another_ones_batch_takes_nothing(client_of, ann, bob, photo: bytes) -> None:
    batch = Batch.objects.create(owner=bob, total=1)
    for uid in (batch.uid, "nonsense"):
        answer = client_of(ann).post("/photos/read/", {"photo": sent(photo), "batch": uid})
        assert answer.status_code == 404
    assert not Analysis.objects.exists()


@pytest.mark.parametrize("total", ["", "0", "101", "-1", "x", "9" * 400])
def test_a_batch_of_no_size_or_too_large_is_refused(client_of, ann, total: str) -> None:
    assert client_of(ann).post("/photos/batch/", {"total": total}).status_code == 400
    assert not Batch.objects.exists()


@pytest.mark.parametrize("address", ["/photos/", "/photos/read/"])
@pytest.mark.parametrize(
    ("make", "status"),
    [
        (lambda photo: b"", 422),
        (lambda photo: photo[: len(photo) // 2], 422),
        (lambda photo: b"%PDF-1.7\n" + photo, 422),
        (lambda photo: b"GIF89a" + photo, 422),
        (lambda photo: b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", 422),
        (lambda photo: b"\0" * 10_000, 422),
        (lambda photo: bomb(), 413),
        (lambda photo: photo + b"\0" * 10_000_000, 413),
    ],
    ids=["empty", "truncated", "pdf", "gif", "svg", "zeros", "bomb", "large"],
)
def test_a_bad_photo_gets_its_status_and_leaves_nothing(
    client_of, ann, photo: bytes, settings, make, status: int, address: str, tmp_path: Path
) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "uploads")
    Path(settings.FILE_UPLOAD_TEMP_DIR).mkdir()
    data = {"photos" if address == "/photos/" else "photo": sent(make(photo), "<b>x.jpg"), "keep": "yes"}
    answer = client_of(ann).post(address, data)
    assert answer.status_code == status
    assert b'role="alert"' in answer.content
    assert b"<b>x" not in answer.content
    answer.close()
    assert not Analysis.objects.exists()
    assert not files_in(settings.MEDIA_ROOT)
    assert not files_in(settings.FILE_UPLOAD_TEMP_DIR)
    assert client_of(ann).post("/photos/", {"photos": sent(photo)}).status_code == 302


def test_a_picture_that_is_also_something_else_is_kept_as_a_picture_only(
    client_of, ann, photo: bytes
) -> None:
    client = client_of(ann)
    client.post(
        "/photos/",
        {"photos": sent(photo + b"<script>alert(1)</script>PK\3\4", "x.html", "text/html"), "keep": "yes"},
    )
    analysis = Analysis.objects.get()
    answer = client.get(f"/history/{analysis.uid}/picture/")
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert b"script" not in answer.content


def test_a_kept_picture_has_no_metadata_and_is_upright(client_of, ann, photo: bytes, settings) -> None:
    client = client_of(ann)
    client.post("/photos/", {"photos": sent(picture_with_place(photo), "me.jpg"), "keep": "yes"})
    analysis = Analysis.objects.get()
    (path,) = files_in(settings.MEDIA_ROOT)
    assert path.name == f"{analysis.uid.hex}.jpg"
    assert path.stat().st_mode & 0o077 == 0
    assert b"ecret" not in path.read_bytes()
    with Image.open(path) as picture:
        assert not picture.getexif()
        assert picture.size == (analysis.width, analysis.height)
        assert picture.size == Image.open(io.BytesIO(photo)).size[::-1]
    row = analysis.picture
    assert (row.width, row.height, row.size) == (analysis.width, analysis.height, path.stat().st_size)
    assert f"/history/{analysis.uid}/picture/" in client.get(f"/history/{analysis.uid}/").content.decode()


def test_a_small_picture_is_small(client_of, ann, make_analysis) -> None:
    analysis = make_analysis(ann, picture=True)
    answer = client_of(ann).get(f"/history/{analysis.uid}/picture/small/")
    assert answer["Content-Type"] == "image/jpeg"
    assert max(Image.open(io.BytesIO(answer.content)).size) <= pictures.SMALL


def test_a_picture_whose_file_is_gone_is_not_there(client_of, ann, make_analysis, settings) -> None:
    analysis = make_analysis(ann, picture=True)
    for path in files_in(settings.MEDIA_ROOT):
        path.unlink()
    for address in (f"/history/{analysis.uid}/picture/", f"/history/{analysis.uid}/picture/small/"):
        assert client_of(ann).get(address).status_code == 404
    answer = client_of(ann).get(f"/history/{analysis.uid}/export/?as=zip")
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content)
    answer.close()


def test_a_server_may_keep_no_pictures_at_all(client_of, ann, photo: bytes, settings) -> None:
    settings.MIEN = replace(settings.MIEN, keep_pictures=False)
    client = client_of(ann)
    assert 'name="keep"' not in client.get("/photos/").content.decode()
    client.post("/photos/", {"photos": sent(photo), "keep": "yes"})
    assert Analysis.objects.count() == 1
    assert not Picture.objects.exists()


def test_a_picture_too_long_for_a_jpeg_is_not_kept(client_of, ann) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (66_000, 40)).save(buffer, "PNG")
    answer = client_of(ann).post("/photos/", {"photos": sent(buffer.getvalue()), "keep": "yes"})
    assert answer.status_code == 413
    assert not Analysis.objects.exists()


@pytest.mark.parametrize("broken", ["file", "row"])
def test_where_a_picture_cannot_be_kept_nothing_is(
    client_of, ann, photo: bytes, settings, monkeypatch, broken: str
) -> None:
    def fail(*_args: object, **_values: object) -> None:
        raise OutputError("no") from OSError(28, "No space left on device")

    monkeypatch.setattr(
        *((pictures, "atomic_write", fail) if broken == "file" else (Picture.objects, "bulk_create", fail))
    )
    client = client_of(ann)
    client.raise_request_exception = False
    answer = client.post("/photos/", {"photos": sent(photo), "keep": "yes"})
    assert answer.status_code == 507
    assert not Analysis.objects.exists()
    assert not files_in(settings.MEDIA_ROOT)


def test_too_many_photos_are_refused(client_of, ann, photo: bytes, settings) -> None:
    settings.MIEN = replace(settings.MIEN, batch_photos=2)
    answer = client_of(ann).post("/photos/", {"photos": [sent(photo)] * 3})
    assert answer.status_code == 413
    assert "at most 2 photos" in answer.content.decode()
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 2
    answer = client_of(ann).post("/photos/", {"photos": [sent(photo)] * 3})
    assert answer.status_code == 413
    assert not Analysis.objects.exists()


def test_no_photo_at_all_is_said(client_of, ann) -> None:
    answer = client_of(ann).post("/photos/")
    assert answer.status_code == 400
    assert "Choose a photo first." in answer.content.decode()


def test_a_hostile_name_is_only_text(client_of, ann, photo: bytes) -> None:
    client = client_of(ann)
    answer = client.post("/photos/", {"photos": sent(photo, HOSTILE), "keep": "yes"}, follow=True)
    for page in (answer, client.get("/history/")):
        assert "<script>alert" not in page.content.decode()
    assert "\u202e" not in Analysis.objects.get().name


def test_what_is_a_picture_is_told_by_its_content(client_of, ann, photo: bytes) -> None:
    client_of(ann).post("/photos/", {"photos": sent(photo, "x.exe", "application/x-msdownload")})
    assert Analysis.objects.get().faces.count() == len(engine.analyze(photo).faces) == 1


def test_consent_comes_before_the_first_photo(client_of, make_user, photo: bytes) -> None:
    client = client_of(make_user("new", agreed=False))
    assert client.get("/photos/")["Location"] == "/privacy/consent/?next=/photos/"
    client.post("/photos/read/", {"photo": sent(photo)})
    assert not Analysis.objects.exists()


def test_a_result_tells_what_makes_a_face_hard_to_read(client_of, ann, make_analysis) -> None:
    analysis = make_analysis(ann)
    face = analysis.faces.get()
    face.emotion, face.quality = None, {**face.quality, "reasons": ["small", "dark"]}
    face.save()
    page = client_of(ann).get(f"/history/{analysis.uid}/").content.decode()
    assert "the face is small, the face is dark" in page
    assert "No expression is likely enough" in page
    assert "uncertain" in page
