"""Pictures written to files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.core import images
from mien.core.errors import ImageError, OptionError, OutputError


def gradient() -> Any:
    rows, columns = np.mgrid[0:40, 0:60]
    return np.dstack([rows * 6, columns * 4, rows + columns]).astype(np.uint8)


@pytest.mark.parametrize(("name", "most"), [("a.png", 0), ("a.JPG", 12), ("a.jpeg", 12), ("a.webp", 16)])
def test_what_is_saved_is_loaded_again(name: str, most: int, tmp_path: Path) -> None:
    images.save(gradient(), tmp_path / name)
    loaded = images.load(tmp_path / name)

    assert np.abs(loaded.astype(int) - gradient()).max() <= most
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_format_is_that_of_the_suffix(tmp_path: Path) -> None:
    for name, start in (("a.png", b"\x89PNG"), ("a.jpg", b"\xff\xd8\xff"), ("a.webp", b"RIFF")):
        images.save(gradient(), str(tmp_path / name))
        assert (tmp_path / name).read_bytes().startswith(start)


def test_views_are_saved_as_they_look(tmp_path: Path) -> None:
    view = gradient()[::-2, ::3, ::-1]
    images.save(view, tmp_path / "a.png")

    assert np.array_equal(images.load(tmp_path / "a.png"), view)


def test_a_jpeg_in_memory_follows_its_quality() -> None:
    small, large = (images.encode_jpeg(gradient(), quality) for quality in (10, 95))

    assert len(small) < len(large)
    assert images.load(small).shape == images.load(large).shape == (40, 60, 3)


@pytest.mark.parametrize("quality", [0, 101, None, 9.5, True, "90"])
def test_quality_is_one_to_a_hundred(quality: Any, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="between 1 and 100"):
        images.encode_jpeg(gradient(), quality)
    with pytest.raises(OptionError, match="between 1 and 100"):
        images.save(gradient(), tmp_path / "a.jpg", quality=quality)


@pytest.mark.parametrize("name", ["a", "a.gif", "a.bmp", "a.jpg.txt"])
def test_another_suffix_names_the_choices(name: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"\.jpg, \.jpeg, \.png, \.webp"):
        images.save(gradient(), tmp_path / name)


@pytest.mark.parametrize(
    "picture",
    [gradient()[..., 0], gradient().astype(float), gradient()[:0], np.zeros((4, 4, 4), np.uint8), None, [1]],
)
def test_only_rgb_uint8_can_be_saved(picture: Any, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="has to be RGB uint8"):
        images.save(picture, tmp_path / "a.png")

    assert list(tmp_path.iterdir()) == []


def test_a_strip_too_long_for_the_format_is_refused_and_png_takes_it(tmp_path: Path) -> None:
    strip = np.zeros((1, 70_000, 3), np.uint8)
    for name in ("a.jpg", "a.webp"):
        with pytest.raises(OutputError, match=r"70000×1 pixels is too long .*; write a PNG"):
            images.save(strip, tmp_path / name)
    images.save(strip, tmp_path / "a.png")

    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_missing_folder_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist; make it first"):
        images.save(gradient(), tmp_path / "missing" / "a.png")
