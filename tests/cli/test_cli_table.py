from __future__ import annotations

import json
from dataclasses import replace

import pytest
from cli_support import FACE, NO_FACE

from mien.cli._table import FaceTable
from mien.core.results import ImageAnalysis

NAME = "a-folder/and-a-picture-with-a-long-name.jpg"


@pytest.fixture
def draw(mien, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    lines = mien("analyze", FACE, NO_FACE, "--json").out.splitlines()
    one, none = (ImageAnalysis.from_dict(json.loads(line)) for line in lines)

    def drawn(width: int, language: str = "en", *reasons: str) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(width))
        (face,) = one.faces
        doubtful = replace(face, quality=replace(face.quality, reasons=reasons))
        table = FaceTable(language)
        table.add(replace(one, source=NAME, faces=(doubtful,)))
        table.add(replace(none, source="b.jpg"))
        table.finish()
        return capfd.readouterr().out.splitlines()

    return drawn


@pytest.mark.parametrize("width", [70, 80, 120])
def test_only_the_picture_is_folded(width: int, draw) -> None:
    lines = draw(width)
    assert max(map(len, lines)) <= width
    assert "Confidence" in lines[1]
    assert "Doubts" not in lines[1]
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if "│" in line]
    assert rows[0][1] == "neutral"
    assert "×" in rows[0][3]
    assert "," in rows[0][3]
    folded = rows[: [row[0] for row in rows].index("b.jpg")]
    assert "".join(row[0] for row in folded) == NAME
    assert all(row[1:] == ["", "", ""] for row in folded[1:])


def test_doubts_have_a_column_where_there_are_any(draw) -> None:
    text = "\n".join(draw(120, "en", "small", "dark"))
    assert "Doubts" in text
    assert "small, dark" in text


@pytest.mark.parametrize("width", [20, 40, 59])
def test_a_narrow_terminal_gets_lines(width: int, draw) -> None:
    lines = draw(width, "en", "dark")
    assert lines[0] == NAME
    assert lines[1].startswith("  neutral ")
    assert lines[3:] == ["    dark", "b.jpg", "  no face"]


@pytest.mark.parametrize(
    ("language", "words"),
    [("vi", ["Ảnh", "không có khuôn mặt", "tối"]), ("ro", ["Fotografie", "nicio față", "întunecată"])],
)
def test_the_table_speaks_the_language(language: str, words: list[str], draw) -> None:
    text = "\n".join(draw(120, language, "dark"))
    assert all(word in text for word in words)
    assert "no face" not in text
