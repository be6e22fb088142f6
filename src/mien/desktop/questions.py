"""Questions before something is deleted, asked without stopping the window."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from mien.desktop.texts import text


def ask(
    parent: QWidget, title: str, question: str, action: Callable[[], object], language: str
) -> QMessageBox:
    """Ask whether to delete, and call `action` on a yes; Escape and Enter keep everything.

    Args:
        parent: over which the question stands.
        title: key of the text above.
        question: the text itself.
        action: what a yes does.
        language: of the buttons.
    """
    box = QMessageBox(QMessageBox.Icon.Question, text(title, language), question, parent=parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    yes = box.addButton(text("delete", language), QMessageBox.ButtonRole.DestructiveRole)
    no = box.addButton(text("keep", language), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(no)
    box.setEscapeButton(no)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    yes.clicked.connect(lambda: action())
    box.open()
    return box
