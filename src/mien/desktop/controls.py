"""Controls of Qt whose edges and icons are hard to see in a dark theme, made visible in both."""

from __future__ import annotations

from PySide6.QtCore import QRect
from PySide6.QtGui import QIcon, QPainter, QPaintEvent, QPalette, QPen, QPixmap
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QFileDialog,
    QLineEdit,
    QStyle,
    QStyleOptionButton,
    QToolButton,
    QWidget,
)

_BLACK_ICONS = ("backButton", "forwardButton", "toParentButton")  # of a file dialog, as Qt names them


class CheckBox(QCheckBox):
    """With an outline: the style darkens the ground for it, which a dark one has no room for."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        box = self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self)
        _draw_outline(self, box)


class LineEdit(QLineEdit):
    """With an outline, as CheckBox."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.hasFocus():  # the style's own is bright then
            _draw_outline(self, self.rect())


def _draw_outline(widget: QWidget, box: QRect) -> None:
    painter = QPainter(widget)
    painter.setPen(QPen(widget.palette().placeholderText().color(), 1))
    painter.drawRect(box.adjusted(0, 0, -1, -1))
    painter.end()


def file_dialog(parent: QWidget, title: str, folder: str = "") -> QFileDialog:
    """Return a file dialog; where it is Qt's own, its black icons take the colour of the text."""
    dialog = QFileDialog(parent, title, folder)
    for name in _BLACK_ICONS:
        if (button := dialog.findChild(QToolButton, name)) is not None:  # the system's has none
            button.setIcon(_tinted(button.icon()))
    return dialog


def _tinted(icon: QIcon) -> QIcon:
    palette, tinted = QApplication.palette(), QIcon()
    for mode, group in (
        (QIcon.Mode.Normal, QPalette.ColorGroup.Active),
        (QIcon.Mode.Disabled, QPalette.ColorGroup.Disabled),
    ):
        for size in icon.availableSizes():
            pixmap = QPixmap(icon.pixmap(size))
            painter = QPainter(pixmap)
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
            painter.fillRect(pixmap.rect(), palette.color(group, QPalette.ColorRole.ButtonText))
            painter.end()
            tinted.addPixmap(pixmap, mode)
    return tinted
