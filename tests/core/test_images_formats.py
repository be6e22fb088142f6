"""Every kind of picture file becomes the same upright RGB."""

import io
import struct
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import ExifTags, Image

from mien.core import images

RED, GREEN, BLUE, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128)

Pixels = NDArray[Any]


def corners(height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    """Four quarters of different colours: no turn or mirror image of it is the same."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2] = RED
    picture[: height // 2, width // 2 :] = GREEN
    picture[height // 2 :, : width // 2] = BLUE
    picture[height // 2 :, width // 2 :] = GREY
    return picture


def noise(height: int, width: int, *, channels: int = 3, seed: int = 0) -> NDArray[np.uint8]:
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def encoded(image: Image.Image | Pixels, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(buffer, form, **options)
    return buffer.getvalue()


def tiff(data: bytes, width: int, height: int, *, bits: int, photometric: int, order: str = "<") -> bytes:
    """Make the smallest uncompressed TIFF with one grey channel."""
    tags = [(256, 4, width), (257, 4, height), (258, 3, bits), (259, 3, 1), (262, 3, photometric)]
    tags += [(273, 4, 8), (277, 3, 1), (278, 4, height), (279, 4, len(data))]
    directory = struct.pack(f"{order}H", len(tags))
    for tag, kind, value in tags:
        packed = struct.pack(f"{order}I", value) if kind == 4 else struct.pack(f"{order}HH", value, 0)
        directory += struct.pack(f"{order}HHI", tag, kind, 1) + packed
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8 + len(data))
    return start + data + directory + bytes(4)


def largest_difference(one: Pixels, other: Pixels) -> int:
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other.astype(int)).max())


LOSSLESS: dict[str, dict[str, Any]] = {
    "PNG": {},
    "WEBP": {"lossless": True},
    "BMP": {},
    "TIFF": {},
}


@pytest.mark.parametrize("form", LOSSLESS)
def test_lossless_formats_give_the_exact_pixels(form: str) -> None:
    picture = noise(37, 53)
    loaded = images.load(encoded(picture, form, **LOSSLESS[form]))

    assert loaded.dtype == np.uint8
    assert loaded.flags.c_contiguous
    assert np.array_equal(loaded, picture)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_deflate", "packbits", "jpeg"])
def test_compressed_tiff(compression: str) -> None:
    loaded = images.load(encoded(corners(), "TIFF", compression=compression))

    assert largest_difference(loaded, corners()) <= (20 if compression == "jpeg" else 0)


# What the EXIF standard says: on which side of the upright picture the stored first row and first
# column belong.
SIDES = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}


def stored_as(picture: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    first_row, first_column = SIDES[orientation]
    if first_row in ("left", "right"):
        picture = picture.transpose(1, 0, 2)
    if first_row in ("bottom", "right"):
        picture = picture[::-1]
    if first_column in ("bottom", "right"):
        picture = picture[:, ::-1]
    return np.ascontiguousarray(picture)


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = orientation
    return tags


@pytest.mark.parametrize("orientation", SIDES)
@pytest.mark.parametrize("form", ["JPEG", "JPEG CMYK", "PNG", "WEBP", "TIFF", "TIFF LZW", "PIL"])
def test_exif_orientation_is_undone(form: str, orientation: int) -> None:
    stored = Image.fromarray(stored_as(corners(), orientation))
    options: dict[str, Any] = {"exif": exif(orientation), **LOSSLESS.get(form, {})}
    if form == "JPEG CMYK":
        stored = stored.convert("CMYK")
    if form == "TIFF LZW":
        options["compression"] = "tiff_lzw"
    data = encoded(stored, "PNG" if form == "PIL" else form.split()[0], **options)

    loaded = images.load(Image.open(io.BytesIO(data)) if form == "PIL" else data)

    # Inside the quarters, where JPEG keeps the colours.
    for row, column in ((8, 8), (8, 56), (40, 8), (40, 56)):
        assert largest_difference(loaded[row, column], corners()[row, column]) <= 5
    assert loaded.shape == (48, 64, 3)
    assert loaded.flags.c_contiguous


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_upright(value: int) -> None:
    data = encoded(corners(), "JPEG", exif=exif(value))

    assert images.load(data).shape == (48, 64, 3)


DAMAGED_METADATA = {
    "no TIFF": b"Exif\0\0no such header",
    "only a name": b"Exif\0\0",
    "far away": b"Exif\0\0II*\0\xff\xff\xff\x7f",
    "cut off": exif(6).tobytes()[:-7] + b"\xff",
    "wrong type": exif(6).tobytes().replace(b"\x01\x12\x00\x03", b"\x01\x12\x00\x02"),
}


@pytest.mark.parametrize("damaged", DAMAGED_METADATA.values(), ids=DAMAGED_METADATA)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_damaged_metadata_does_not_cost_the_picture(form: str, damaged: bytes) -> None:
    assert images.load(encoded(corners(), form, exif=damaged)).size == 48 * 64 * 3


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 70),
    st.integers(1, 70),
    st.sampled_from(["L", "RGB"]),
    st.sampled_from(["4:4:4", "4:2:2", "4:2:0"]),
    st.booleans(),
    st.integers(0, 3),
)
def test_jpeg_pixels_are_those_of_pillow(
    height: int, width: int, mode: str, subsampling: str, progressive: bool, restart: int
) -> None:
    picture = Image.fromarray(noise(height, width, seed=height)).convert(mode)
    options = {} if mode == "L" else {"subsampling": subsampling}
    data = encoded(picture, "JPEG", progressive=progressive, restart_marker_rows=restart, **options)

    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    assert np.array_equal(images.load(data), expected)


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "JPEG"])
def test_grey_becomes_three_equal_channels(form: str) -> None:
    gray = np.full((16, 16), 90, np.uint8)
    gray[8:, 8:] = 200

    assert largest_difference(images.load(encoded(gray, form)), np.dstack([gray] * 3)) <= 3


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF"])
def test_one_bit_becomes_black_and_white(form: str) -> None:
    bits = noise(9, 13, channels=1) > 127
    loaded = images.load(encoded(Image.fromarray(bits), form))

    assert np.array_equal(loaded, np.dstack([bits * np.uint8(255)] * 3))


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF"])
def test_palette_colours_are_looked_up(form: str) -> None:
    palette = Image.fromarray(corners()).convert("P", palette=Image.Palette.ADAPTIVE, colors=8)

    assert np.array_equal(images.load(encoded(palette, form)), corners())


def half_clear() -> NDArray[np.uint8]:
    """A red row: clear, half clear, opaque."""
    return np.array([[(*RED, 0), (*RED, 128), (*RED, 255)]], np.uint8)


OVER_WHITE = np.array([[(255, 255, 255), (255, 127, 127), RED]], np.uint8)


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF"])
def test_transparent_parts_become_white(form: str) -> None:
    # Without "exact", WebP drops the colour of clear parts.
    options = {**LOSSLESS[form], "exact": True} if form == "WEBP" else {}
    loaded = images.load(encoded(half_clear(), form, **options))

    assert np.array_equal(loaded, OVER_WHITE)


@pytest.mark.parametrize("mode", ["RGBA", "RGBa"])
def test_pillow_images_with_alpha_lie_over_white(mode: str) -> None:
    assert largest_difference(images.load(Image.fromarray(half_clear()).convert(mode)), OVER_WHITE) <= 1


@pytest.mark.parametrize("mode", ["LA", "La"])
def test_grey_with_alpha_lies_over_white(mode: str) -> None:
    picture = Image.fromarray(np.array([[(40, 0), (40, 255)]], np.uint8), "LA").convert(mode)

    assert np.array_equal(images.load(picture)[0], [(255, 255, 255), (40, 40, 40)])
    if mode == "LA":
        assert np.array_equal(images.load(encoded(picture, "PNG"))[0], [(255, 255, 255), (40, 40, 40)])


@pytest.mark.parametrize("transparency", [0, bytes([0, 128, 255])])
def test_a_palette_with_transparency_lies_over_white(transparency: int | bytes) -> None:
    picture = Image.new("P", (3, 1))
    picture.putpalette([*RED, *RED, *RED])
    picture.putdata([0, 1, 2])
    loaded = images.load(encoded(picture, "PNG", transparency=transparency))

    middle = RED if transparency == 0 else (255, 127, 127)
    assert np.array_equal(loaded[0], [(255, 255, 255), middle, RED])


def test_a_transparent_colour_becomes_white() -> None:
    gray, rgb = Image.new("L", (2, 1)), Image.new("RGB", (2, 1))
    gray.putdata([7, 9])
    rgb.putdata([RED, BLUE])

    assert np.array_equal(images.load(encoded(gray, "PNG", transparency=7))[0, :, 0], [255, 9])
    assert np.array_equal(images.load(encoded(rgb, "PNG", transparency=RED))[0], [(255, 255, 255), BLUE])


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb(form: str) -> None:
    # Cyan, magenta, yellow, black: no yellow and no cyan leave magenta; black alone is black.
    inks = Image.new("CMYK", (48, 16))
    inks.paste((0, 255, 0, 0), (0, 0, 16, 16))
    inks.paste((0, 0, 0, 255), (16, 0, 32, 16))
    inks.paste((0, 0, 0, 0), (32, 0, 48, 16))
    loaded = images.load(encoded(inks, form))

    expected = np.array([(255, 0, 255), (0, 0, 0), (255, 255, 255)])
    assert largest_difference(loaded[8, [8, 24, 40]], expected) <= 4


def test_an_adobe_jpeg_holds_its_inks_inverted() -> None:
    data = encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG")

    assert b"Adobe" in data
    assert largest_difference(images.load(data)[8, 8], np.array(RED)) <= 4


GREY16 = np.array([[0, 257, 32_896, 65_278, 65_535]], np.uint16)
GREY16_SCALED = [0, 1, 128, 254, 255]


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled(form: str) -> None:
    loaded = images.load(encoded(GREY16, form))

    assert np.array_equal(loaded[0], np.array([GREY16_SCALED] * 3).T)


def test_a_transparent_sixteen_bit_grey_becomes_white() -> None:
    data = encoded(GREY16, "PNG", transparency=257)

    assert images.load(data)[0, :, 0].tolist() == [0, 255, 128, 254, 255]


@pytest.mark.parametrize(("order", "photometric"), [("<", 1), (">", 1), ("<", 0)])
def test_sixteen_bit_tiff_of_either_byte_order_and_meaning(order: str, photometric: int) -> None:
    values = GREY16 if photometric == 1 else 65_535 - GREY16
    data = tiff(values.astype(f"{order}u2").tobytes(), 5, 1, bits=16, photometric=photometric, order=order)

    assert images.load(data)[0, :, 0].tolist() == GREY16_SCALED


def test_twelve_bit_tiff_is_scaled_from_twelve_bits() -> None:
    packed = bytes([0x00, 0x0F, 0xFF, 0x80, 0x00, 0x00])  # 0, 4095, 2048, 0

    assert images.load(tiff(packed, 4, 1, bits=12, photometric=1))[0, :, 0].tolist() == [0, 255, 128, 0]


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("channels", [3, 4])
def test_sixteen_bit_colour_is_scaled(suffix: str, channels: int) -> None:
    colour = np.full((2, 2, channels), 65_535, np.uint16)
    colour[..., :3] = (0, 32_896, 65_535)  # OpenCV writes blue first
    _, data = cv2.imencode(suffix, colour)

    assert largest_difference(images.load(data.tobytes())[0, 0], np.array([255, 128, 0])) <= 1


def test_float_tiff_is_in_zero_to_one() -> None:
    data = encoded(np.array([[0.0, 0.5, 1.0]], np.float32), "TIFF")

    assert images.load(data)[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF", "MPO"])
def test_the_first_frame_is_taken(form: str) -> None:
    first, second = Image.new("RGB", (16, 16), RED), Image.new("RGB", (16, 16), BLUE)
    options: dict[str, Any] = {} if form in ("TIFF", "MPO") else {"duration": 100}
    loaded = images.load(encoded(first, form, save_all=True, append_images=[second], **options))

    assert loaded.shape == (16, 16, 3)
    assert largest_difference(loaded[8, 8], np.array(RED)) <= 2


def as_path(data: bytes, folder: Path) -> Path:
    path = folder / "picture.png"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "source_of",
    [
        as_path,
        lambda data, folder: str(as_path(data, folder)),
        lambda data, _: data,
        lambda data, _: bytearray(data),
        lambda data, _: memoryview(data),
        lambda data, _: io.BytesIO(data),
        lambda data, _: Image.open(io.BytesIO(data)),
        lambda data, _: np.asarray(Image.open(io.BytesIO(data))),
    ],
    ids=["Path", "str", "bytes", "bytearray", "memoryview", "file", "Pillow", "array"],
)
def test_every_source_gives_the_same_picture(source_of: Callable[[bytes, Path], Any], tmp_path: Path) -> None:
    source = source_of(encoded(corners(), "PNG"), tmp_path)

    assert np.array_equal(images.load(source), corners())


def test_an_open_file_is_read_from_where_it_stands() -> None:
    file = io.BytesIO(b"before" + encoded(corners(), "PNG"))
    file.seek(6)

    assert np.array_equal(images.load(file), corners())


def test_the_content_counts_and_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "really-a-png.jpg"
    path.write_bytes(encoded(corners(), "PNG"))

    assert np.array_equal(images.load(path), corners())


def test_a_pillow_image_is_not_changed() -> None:
    picture = Image.fromarray(half_clear())
    images.load(picture)

    assert picture.mode == "RGBA"
    assert np.array_equal(np.asarray(picture), half_clear())


def test_threads_load_together_and_leave_the_warning_filters_alone() -> None:
    sources = [encoded(corners(), form, **LOSSLESS[form]) for form in LOSSLESS] * 5
    loaded: list[Pixels] = []
    before = list(warnings.filters)
    threads = [threading.Thread(target=lambda s=s: loaded.append(images.load(s))) for s in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(loaded) == len(sources)
    assert all(np.array_equal(picture, corners()) for picture in loaded)
    assert warnings.filters == before


def test_every_suffix_that_is_looked_for_is_lower_case() -> None:
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in images.EXTENSIONS)
    assert {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"} <= images.EXTENSIONS
