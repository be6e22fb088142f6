"""What can be clicked stands out from its ground, in both themes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("PySide6", reason="needs the extra desktop")
pytest.importorskip("pytestqt", reason="needs pytest-qt")

from PySide6.QtGui import QColor, QImage, QPalette
from PySide6.QtWidgets import QApplication, QStyle, QStyleOptionButton, QToolButton, QVBoxLayout, QWidget

from mien.desktop.camera_chooser import CameraChooser
from mien.desktop.controls import CheckBox, LineEdit, file_dialog
from mien.desktop.faces_panel import FacesPanel
from mien.desktop.theme import apply_theme

ENOUGH = 3.0
"""The contrast that WCAG 2 asks of the edge of a control (1.4.11)."""


@pytest.fixture(params=["light", "dark"])
def ground(qapp: QApplication, request: pytest.FixtureRequest) -> Iterator[QColor]:
    apply_theme(qapp, request.param)
    yield QApplication.palette().color(QPalette.ColorRole.Window)
    apply_theme(qapp, "light")


def contrast(one: QColor, other: QColor) -> float:
    def luminance(colour: QColor) -> float:
        parts = colour.getRgbF()[:3]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def edge(image: QImage, x: range, y: int) -> list[QColor]:
    return [image.pixelColor(column, y) for column in x]


@pytest.mark.parametrize("checked", [False, True])
def test_the_box_of_a_check_box_has_an_edge(qtbot, ground: QColor, checked: bool) -> None:
    box = CheckBox("Even out contrast")
    qtbot.addWidget(box)
    box.setChecked(checked)
    box.show()
    option = QStyleOptionButton()
    box.initStyleOption(option)
    place = box.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, box)
    image = box.grab().toImage()
    seen = edge(image, range(place.left() + 2, place.right() - 1), place.top())
    assert all(contrast(colour, ground) >= ENOUGH for colour in seen)


def test_a_line_to_write_in_has_an_edge(qtbot, ground: QColor) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    line = LineEdit()
    QVBoxLayout(window).addWidget(line)
    window.show()
    line.clearFocus()
    seen = edge(line.grab().toImage(), range(4, line.width() - 4), 0)
    assert all(contrast(colour, ground) >= ENOUGH for colour in seen)


def test_the_arrows_of_the_file_dialog_are_seen(qtbot, ground: QColor) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = file_dialog(parent, "Open")
    dialog.show()
    names = ("backButton", "forwardButton", "toParentButton")
    buttons = [dialog.findChild(QToolButton, name) for name in names]
    if None in buttons:
        pytest.skip("the dialog is the system's")
    for button in buttons:
        button.setEnabled(True)
        image = button.grab().toImage()
        best = max(
            contrast(image.pixelColor(x, y), ground)
            for x in range(4, image.width() - 4)
            for y in range(4, image.height() - 4)
        )
        assert best >= ENOUGH
    dialog.close()


def test_the_windows_use_them(qtbot) -> None:
    panel, chooser = FacesPanel(), CameraChooser()
    qtbot.addWidget(panel)
    qtbot.addWidget(chooser)
    assert isinstance(panel.clahe, CheckBox)
    assert isinstance(chooser.place, LineEdit)
