"""Qt's own dialogs in the languages of these windows."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTranslator
from PySide6.QtWidgets import QApplication

from mien.core.emotions import LANGUAGES
from mien.desktop._qt_text_table import CONTEXTS, QT_TEXTS


class QtTexts(QTranslator):
    """Gives Qt its own texts in another language, from the table: Qt brings no Vietnamese, no Romanian.

    Args:
        language: one of LANGUAGES but the first, which is Qt's own.
        parent: keeps it.
    """

    def __init__(self, language: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._place = LANGUAGES.index(language) - 1

    def isEmpty(self) -> bool:
        return False

    def translate(self, context: str, source: str, disambiguation: str | None = None, n: int = -1) -> str:
        if context not in CONTEXTS or source not in QT_TEXTS:
            return None  # type: ignore[return-value]  # what Qt takes for "not known here"
        return QT_TEXTS[source][self._place]


def translate_qt(app: QApplication, language: str) -> None:
    """Have Qt's own dialogs, opened from now on, in `language`, one of LANGUAGES."""
    for before in app.findChildren(QtTexts):
        app.removeTranslator(before)
        before.deleteLater()
    if language != LANGUAGES[0]:
        app.installTranslator(QtTexts(language, app))
