"""Light, dark, or as the system is: palettes of the windows."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

THEMES = ("system", "light", "dark")

_Role = QPalette.ColorRole
_ROLES = (
    _Role.Window,
    _Role.WindowText,
    _Role.Base,
    _Role.AlternateBase,
    _Role.Text,
    _Role.Button,
    _Role.ButtonText,
    _Role.ToolTipBase,
    _Role.ToolTipText,
    _Role.PlaceholderText,
    _Role.Mid,
    _Role.Highlight,
    _Role.HighlightedText,
    _Role.Link,
    _Role.Accent,
)
_LIGHT = (
    *("#f4f4f5", "#1b1b1f", "#ffffff", "#ececee", "#1b1b1f", "#e9e9ec", "#1b1b1f", "#ffffff", "#1b1b1f"),
    *("#5c5c66", "#b9b9c2", "#2458b3", "#ffffff", "#1f4f9f", "#2458b3"),
)
_DARK = (
    *("#1e1f22", "#e8e8ea", "#17181a", "#26282b", "#e8e8ea", "#2c2e33", "#e8e8ea", "#2c2e33", "#e8e8ea"),
    *("#a3a3ad", "#4d5058", "#8ab4f8", "#10131a", "#8ab4f8", "#8ab4f8"),
)


def is_dark(theme: str) -> bool:
    """Tell whether `theme` comes to a dark one now."""
    if theme == "system":
        return QApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
    return theme == "dark"


def apply_theme(app: QApplication, theme: str) -> None:
    """Give every window of `app` the colours of `theme`, one of THEMES."""
    app.setStyle("Fusion")
    app.setPalette(_palette(_DARK if is_dark(theme) else _LIGHT))


def _palette(colours: tuple[str, ...]) -> QPalette:
    palette = QPalette()
    for role, colour in zip(_ROLES, colours, strict=True):
        palette.setColor(role, QColor(colour))
    faint = palette.color(_Role.PlaceholderText)
    for role in (_Role.WindowText, _Role.Text, _Role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, faint)
    return palette
