"""Errors and notices in the language of the window: the sentences that are common, the kind of the others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("PySide6", reason="needs the extra desktop")

import mien
from mien import batch
from mien.core import errors, images
from mien.core.errors import CameraError, DatasetError, MienError, MissingExtraError, VideoFormatError
from mien.desktop._sentence_table import SENTENCES
from mien.desktop.problems import notice_text, problem_text, said_text
from mien.live import Notice
from mien.video.camera import open_camera
from mien.video.film import Film

SOURCE = Path(mien.__file__).parent


def _literals(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values)


@pytest.fixture(scope="module")
def said() -> str:
    files = [path for path in SOURCE.rglob("*.py") if path.name != "_sentence_table.py"]
    return "\n".join(words for path in files for words in _literals(ast.parse(path.read_text("utf-8"))))


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_is_still_said_somewhere_and_keeps_its_values(sentence: str, said: str) -> None:
    values = re.findall(r"\{(\w+)\}", sentence)
    assert re.sub(r"\{\w+\}", "{}", sentence).removeprefix("{} ") in said, (
        "its wording changed: change the table too"
    )
    for words in SENTENCES[sentence]:
        assert set(re.findall(r"\{(\w+)\}", words)) <= set(values)
    filled = sentence.format(**{value: f"<{value}>" for value in values})
    assert said_text(filled, "en") == filled
    for place, language in enumerate(("vi", "ro")):
        words = SENTENCES[sentence][place].format(**{value: f"<{value}>" for value in values})
        assert said_text(filled, language) == words


def _raised(call: object, *given: object) -> MienError:
    with pytest.raises(MienError) as caught:
        call(*given)  # type: ignore[operator]
    return caught.value


def test_what_happens_most_is_wholly_translated(tmp_path: Path) -> None:
    text, empty = tmp_path / "text.mp4", tmp_path / "empty.jpg"
    text.write_text("no film")
    empty.write_bytes(b"")
    (gone,) = batch.plan([tmp_path / "gone.jpg"])
    common = {
        "không phải là phim đọc được": _raised(Film, text),
        "rỗng (0 byte)": _raised(images.load, empty),
        "không thuộc định dạng ảnh": _raised(images.load, text),
        "không có tệp hay thư mục": gone.error,
        "không mở được máy quay 950": _raised(open_camera, 950),
    }
    for words, error in common.items():
        translated = problem_text(error, "vi")
        assert words in translated
        assert str(error) not in translated
        assert problem_text(error, "en") == str(error)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (VideoFormatError("a rare thing"), "Filmul nu poate fi citit.\na rare thing"),
        (CameraError("a rare thing"), "Camera nu poate fi folosită.\na rare thing"),
        (DatasetError("a rare thing"), "Ceva nu a mers.\na rare thing"),
        (MissingExtraError("av", "films"), "O parte din Mien nu este instalată.\nav is not installed"),
    ],
)
def test_of_the_others_the_kind_is_said(error: MienError, words: str) -> None:
    assert problem_text(error, "ro").startswith(words)


def test_every_kind_of_error_has_words() -> None:
    kinds = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, MienError)]
    for kind in kinds:
        error = kind("x", "y") if kind is MissingExtraError else kind("x")
        assert problem_text(error, "vi").endswith(str(error))
        assert problem_text(error, "vi") != str(error)


def test_notices_of_a_camera() -> None:
    assert notice_text(Notice("saved happy/happy_0.91.jpg"), "ro") == "salvat happy/happy_0.91.jpg"
    assert notice_text(Notice("camera 0 is back", is_problem=True), "vi") == "camera 0 đã trở lại"
    assert notice_text(Notice("a rare thing", is_problem=True), "vi") == "Đã có lỗi xảy ra.\na rare thing"
