"""No picture file crashes, hangs, leaks a warning or passes half decoded."""

import io
import os
import re
import struct
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mien.core import images
from mien.core.errors import ImageError, ImageFormatError, ImageLimitError, MienError, OptionError

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="POSIX files")


def encoded(form: str, size: tuple[int, int] = (40, 30), mode: str = "RGB", **options: Any) -> bytes:
    noise = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).convert(mode).save(buffer, form, **options)
    return buffer.getvalue()


def with_thumbnail() -> bytes:
    """Make a JPEG whose metadata hold a whole JPEG, end marker and all."""
    thumbnail = b"Exif\0\0" + encoded("JPEG", (8, 8))
    plain = encoded("JPEG")
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail + plain[2:]


SAMPLES: dict[str, bytes] = {
    "JPEG": encoded("JPEG"),
    "progressive": encoded("JPEG", progressive=True),
    "grey": encoded("JPEG", mode="L"),
    "thumbnail": with_thumbnail(),
    "PNG": encoded("PNG"),
    "WEBP": encoded("WEBP"),
    "BMP": encoded("BMP"),
    "TIFF": encoded("TIFF"),
    "TIFF LZW": encoded("TIFF", compression="tiff_lzw"),
}
JPEGS = ("JPEG", "progressive", "grey", "thumbnail")


def one_sentence(error: BaseException) -> bool:
    text = str(error)
    return bool(text) and "\n" not in text and text.isprintable()


@pytest.mark.parametrize("kind", JPEGS)
def test_every_truncation_of_a_jpeg_is_noticed(kind: str) -> None:
    data = SAMPLES[kind]
    for length in range(0, len(data) - 2, 1 + len(data) // 150):
        with pytest.raises(ImageFormatError):
            images.load(data[:length])


@pytest.mark.parametrize("kind", [kind for kind in SAMPLES if kind not in JPEGS])
def test_a_truncated_file_of_another_format_is_noticed(kind: str) -> None:
    data = SAMPLES[kind]
    # The last bytes of a PNG and of a TIFF hold no pixels.
    for length in range(0, len(data) * 9 // 10, 1 + len(data) // 50):
        with pytest.raises(ImageFormatError) as caught:
            images.load(data[:length])
        assert one_sentence(caught.value)


def test_a_jpeg_followed_by_other_bytes_is_whole() -> None:
    assert images.load(SAMPLES["JPEG"] + b"a film of the moment").shape == (30, 40, 3)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(kind=st.sampled_from(sorted(SAMPLES)), data=st.data())
def test_damaged_bytes_give_a_picture_or_one_clear_error(kind: str, data: st.DataObject) -> None:
    content = bytearray(SAMPLES[kind])
    # Most damage goes to the headers, where decoders are led astray.
    places = st.integers(0, min(200, len(content) - 1)) | st.integers(0, len(content) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=8)):
        content[place] = value

    try:
        picture = images.load(bytes(content), max_pixels=1_000_000)
    except MienError as error:
        caught: MienError | None = error
    else:
        caught = None
        assert picture.dtype == np.uint8
        assert picture.ndim == 3
    assert caught is None or one_sentence(caught)


@settings(deadline=None)
@given(
    head=st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"II*\0", b"RIFF....WEBP"]),
    tail=st.binary(max_size=200),
)
def test_any_bytes_give_an_image_error(head: bytes, tail: bytes) -> None:
    with pytest.raises(ImageError):
        images.load(head + tail, max_pixels=1000)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"hello, world", "no picture format known here; Mien reads JPEG, PNG, WebP, BMP and TIFF"),
        (b"GIF89a" + bytes(20), "is a GIF; .* convert it first, or end its name in .gif"),
        (bytes(4) + b"ftypheic" + bytes(20), "is a HEIC"),
        (bytes(4) + b"ftypavif" + bytes(20), "is an AVIF"),
        (bytes(4) + b"ftypisom" + bytes(20), r"is a film and no photo; .* ends in \.mp4"),
        (bytes(4) + b"ftypqt  " + bytes(20), r"is a film and no photo; .* ends in \.mov"),
        (b"\x1aE\xdf\xa3" + bytes(20), r"is a film and no photo; .* ends in \.mkv"),
        (b"RIFF" + bytes(4) + b"AVI " + bytes(20), r"is a film and no photo; .* ends in \.avi"),
        (b"%PDF-1.7", "is a PDF"),
        (b"<svg xmlns=''>", "is an SVG"),
    ],
)
def test_what_is_no_readable_picture_is_named(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)

    for source in (data, path):
        with pytest.raises(ImageFormatError, match=message):
            images.load(source)


@pytest.mark.parametrize("form", ["GIF", "PPM", "TGA", "ICO", "JPEG2000"])
def test_formats_that_pillow_could_read_are_refused(form: str) -> None:
    with pytest.raises(ImageFormatError):
        images.load(encoded(form))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_more_pixels_than_allowed_are_refused(form: str) -> None:
    assert images.load(encoded(form), max_pixels=1200).shape == (30, 40, 3)
    with pytest.raises(ImageLimitError, match=r"40×30 pixels, more than the allowed 1,199"):
        images.load(encoded(form), max_pixels=1199)


def huge_header(form: str) -> bytes:
    """Make a small file that says it is 60000×60000 pixels and holds none of them."""
    if form == "PNG":
        return encoded("PNG").replace(struct.pack(">II", 40, 30), struct.pack(">II", 60_000, 60_000))
    if form == "JPEG":
        return encoded("JPEG").replace(struct.pack(">HH", 30, 40), struct.pack(">HH", 60_000, 60_000))
    if form == "BMP":
        return encoded("BMP").replace(struct.pack("<ii", 40, 30), struct.pack("<ii", 60_000, 60_000))
    data = encoded("TIFF")
    for tag, side in ((256, 40), (257, 30)):
        for kind in (3, 4):
            data = data.replace(
                struct.pack("<HHII", tag, kind, 1, side), struct.pack("<HHII", tag, 4, 1, 60_000)
            )
    return data


@pytest.mark.parametrize("form", ["JPEG", "PNG", "BMP", "TIFF"])
def test_a_decompression_bomb_is_refused_by_its_header(form: str) -> None:
    data = huge_header(form)
    if form == "PNG":
        # The checksum of the header has to agree, or the file is merely damaged.
        import zlib

        data = data[:29] + struct.pack(">I", zlib.crc32(data[12:29])) + data[33:]

    with pytest.raises(ImageLimitError, match="60000×60000 pixels, more than the allowed 50,000,000"):
        images.load(data)


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF"])
@pytest.mark.parametrize("size", [(1_000_000, 1), (1, 1_000_000)])
def test_a_strip_of_a_million_pixels_is_within_the_limit(form: str, size: tuple[int, int]) -> None:
    assert images.load(encoded(form, size)).shape == (size[1], size[0], 3)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "BMP", "TIFF", "WEBP"])
def test_pillows_own_limit_warns_nobody_and_is_not_changed(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 1200 pixels are above Pillow's limit but below twice of it, where it would warn.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert images.load(encoded(form)).shape == (30, 40, 3)

    assert caught == []
    assert Image.MAX_IMAGE_PIXELS == 1000


@pytest.mark.parametrize("form", ["JPEG", "PNG", "BMP", "TIFF", "WEBP"])
def test_above_pillows_own_limit_a_picture_loads_or_is_refused_in_one_sentence(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    if form in ("TIFF", "WEBP"):
        with pytest.raises(ImageLimitError, match="larger than Pillow decodes safely"):
            images.load(encoded(form))
    else:
        assert images.load(encoded(form)).shape == (30, 40, 3)


def test_a_file_far_too_large_for_its_limit_is_not_read_to_its_end() -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return b"\xff\xd8\xff" + bytes(size - 3)

    with pytest.raises(ImageLimitError, match="file of more than 32 MiB"):
        images.load(Endless(), max_pixels=1)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0, -1, None, True, 1.5, "50"])
def test_the_limit_is_a_positive_whole_number(value: Any) -> None:
    with pytest.raises(OptionError, match="max_pixels has to be a whole number of at least 1"):
        images.load(SAMPLES["PNG"], max_pixels=value)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a.jpg",
        "HTTPS://example.org/a.jpg",
        "file://localhost/a.jpg",
        "s3://bucket/key",
        "data:image/png;base64,iVBORw0KGgo=",
        Path("https://example.org/a.jpg"),
        "https://example.org/" + "x" * 5000,
    ],
)
def test_a_url_is_never_opened(url: Any) -> None:
    with pytest.raises(
        OptionError, match="is a URL, which Mien never opens; download the picture first"
    ) as caught:
        images.load(url)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.jpg", r"there is no picture '.*missing\.jpg'; check the path"),
        (".", "is a folder; give the pictures in it"),
        ("a\0b", "embedded null byte"),
        ("x" * 300, "name too long"),
        ("", "folder"),
    ],
)
def test_a_path_that_holds_no_picture_is_one_clear_error(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=message) as caught:
        images.load(os.path.join(tmp_path, name))  # noqa: PTH118 - Path would tidy the name
    assert one_sentence(caught.value)


def test_no_path_at_all_is_one_clear_error() -> None:
    with pytest.raises(ImageError, match="the path of the picture is empty"):
        images.load("")


@posix_only
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    for path in (tmp_path / "pipe.jpg", Path("/dev/zero")):
        with pytest.raises(ImageError, match="is not a plain file"):
            images.load(path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind root")
def test_a_file_without_permission_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(SAMPLES["PNG"])
    path.chmod(0)
    with pytest.raises(ImageError, match=r"'.*secret\.png' cannot be read: permission denied"):
        images.load(path)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a Linux file that cannot be read")
def test_a_file_that_fails_while_read_is_one_clear_error() -> None:
    with pytest.raises(ImageError, match="'/proc/self/mem' cannot be read: input/output error"):
        images.load("/proc/self/mem")


@posix_only
@pytest.mark.parametrize(
    ("name", "seen", "source"),
    [
        ("a\nb.png", r"a\nb.png'", "a\nb.png"),
        ("caf\udce9.png", r"caf\xe9.png'", r"caf\xe9.png"),
        ('ảnh \' của "tôi".png', 'ảnh \\\' của "tôi".png', 'ảnh \' của "tôi".png'),
    ],
)
def test_unusual_names_are_read_and_shown(name: str, seen: str, source: str, tmp_path: Path) -> None:
    path = tmp_path / name
    try:
        path.write_bytes(SAMPLES["PNG"])
    except OSError as error:
        pytest.skip(f"this file system has no such names: {error}")

    assert images.load(path).shape == (30, 40, 3)
    assert images.load(str(path)).shape == (30, 40, 3)
    assert images.describe_source(path) == str(tmp_path / source)
    assert str(images.describe_source(path)).encode("utf-8")
    path.write_bytes(SAMPLES["PNG"][:300])
    with pytest.raises(ImageFormatError, match=re.escape(seen)) as caught:
        images.load(path)
    assert one_sentence(caught.value)


def test_only_paths_have_a_description() -> None:
    assert images.describe_source("a/b.jpg") == "a/b.jpg"
    assert images.describe_source(Path("a.jpg")) == "a.jpg"
    for source in (b"\xff\xd8", io.BytesIO(), np.zeros((2, 2)), None):
        assert images.describe_source(source) is None


def test_open_files_that_cannot_be_read_are_clear_errors(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(SAMPLES["PNG"])
    closed = path.open("rb")
    closed.close()
    finished = io.BytesIO(SAMPLES["PNG"])
    finished.read()

    with pytest.raises(ImageError, match="closed file"):
        images.load(closed)
    with pytest.raises(ImageFormatError, match="read to the end before; rewind it"):
        images.load(finished)
    with path.open(encoding="latin-1") as text, pytest.raises(OptionError, match="open it with mode 'rb'"):
        images.load(text)  # type: ignore[arg-type]
    with path.open("ab") as writing, pytest.raises(ImageError, match="cannot be read from the open file"):
        images.load(writing)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RuntimeError("the camera\nwent away"), "open file: RuntimeError: the camera went away$"),
        (KeyError(), "open file: KeyError$"),
    ],
)
def test_whatever_an_open_file_raises_is_one_clear_error(error: Exception, message: str) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise error

    with pytest.raises(ImageError, match=message) as caught:
        images.load(Broken())
    assert caught.value.__cause__ is error


def test_a_truncated_pillow_image_is_one_clear_error() -> None:
    opened = Image.open(io.BytesIO(SAMPLES["JPEG"][:-300]))
    with pytest.raises(ImageFormatError, match="the Pillow image is damaged or incomplete"):
        images.load(opened)


@pytest.mark.parametrize("mode", ["I", "LAB"])
def test_rare_pillow_modes_are_one_clear_error(mode: str) -> None:
    with pytest.raises(ImageFormatError, match=r"the Pillow image cannot be used: it has .*; save it with"):
        images.load(Image.new(mode, (4, 4)))
