"""What went wrong, over everything else in the window, with what can be done about it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleEvent, QColor, QPalette
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout

from mien.core.errors import MienError
from mien.desktop.problems import problem_text
from mien.desktop.texts import text

# Ground and ink, each pair with a contrast above 9:1.
_ON_LIGHT = ("#fde3e1", "#4d0f0c")
_ON_DARK = ("#4a1a18", "#ffe2df")


class Banner(QFrame):
    """Hidden until there is a problem; stays until it is closed or other work begins."""

    def __init__(self) -> None:
        super().__init__()
        self._title, self._remedy, self._advice = "failed", "", ""
        self._error = MienError()
        self._act: Callable[[], object] = self.hide
        self.title, self.words = QLabel(), QLabel()
        self.words.setTextFormat(Qt.TextFormat.PlainText)  # names of files are no markup
        self.words.setWordWrap(True)
        self.words.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        bold = self.title.font()
        bold.setBold(True)
        self.title.setFont(bold)
        self.title.setWordWrap(True)
        self.remedy, self.dismiss = QPushButton(), QPushButton()
        self.remedy.clicked.connect(self._remedied)
        self.dismiss.clicked.connect(self.hide)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self._lay_out()
        self.hide()

    def _lay_out(self) -> None:
        column, buttons, row = QVBoxLayout(), QVBoxLayout(), QHBoxLayout(self)
        column.addWidget(self.title)
        column.addWidget(self.words)
        buttons.addWidget(self.remedy)
        buttons.addWidget(self.dismiss)
        buttons.addStretch(1)
        row.addLayout(column, 1)
        row.addLayout(buttons)

    def show_problem(
        self,
        title: str,
        error: MienError,
        language: str,
        remedy: str = "",
        act: Callable[[], object] | None = None,
        advice: str = "",
    ) -> None:
        """Say what is wrong.

        Args:
            title: key of the line above.
            error: says what to do.
            language: of all of it.
            remedy: key of the text of a button that helps, or "".
            act: what that button does.
            advice: key of what else there is to say, or "".
        """
        self._title, self._remedy, self._act = title, remedy, act or self.hide
        self._error, self._advice = error, advice
        self.retranslate(language)
        self.remedy.setVisible(bool(remedy))
        self.restyle()
        self.show()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def retranslate(self, language: str) -> None:
        """Show all of it in another language."""
        self.title.setText(text(self._title, language))
        words = problem_text(self._error, language)
        self.words.setText(f"{words}\n{text(self._advice, language)}" if self._advice else words)
        self.dismiss.setText(text("close", language))
        if self._remedy:
            self.remedy.setText(text(self._remedy, language))
        self.setAccessibleName(self.title.text())
        self.setAccessibleDescription(self.words.text())

    def _remedied(self) -> None:
        self.hide()
        self._act()

    def restyle(self) -> None:
        """Take colours that suit the palette."""
        dark = QApplication.palette().color(QPalette.ColorRole.Window).lightness() < 128
        ground, ink = _ON_DARK if dark else _ON_LIGHT
        palette = QPalette(QApplication.palette())
        palette.setColor(QPalette.ColorRole.Window, QColor(ground))
        palette.setColor(QPalette.ColorRole.WindowText, QColor(ink))
        self.setPalette(palette)
