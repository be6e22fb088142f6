"""What the desktop program remembers from one time to the next, in one small file."""

from __future__ import annotations

from pathlib import Path

import platformdirs
from PySide6.QtCore import QByteArray, QSettings

from mien.core.emotions import LANGUAGES
from mien.core.errors import OptionError
from mien.core.options import AnalysisOptions
from mien.desktop.theme import THEMES
from mien.video.camera import without_password


class Settings:
    """Theme, language, filters, camera, the window's place, the last folder. A damaged value is as none.

    Args:
        folder: where `desktop.ini` lies; the user's own place for settings without it.
    """

    def __init__(self, folder: Path | None = None) -> None:
        place = folder or platformdirs.user_config_path("mien")
        self._file = QSettings(str(place / "desktop.ini"), QSettings.Format.IniFormat)

    @property
    def theme(self) -> str:
        """One of THEMES."""
        return self._choice("theme", THEMES)

    @theme.setter
    def theme(self, theme: str) -> None:
        self._file.setValue("theme", theme)

    @property
    def language(self) -> str:
        """One of LANGUAGES."""
        return self._choice("language", LANGUAGES)

    @language.setter
    def language(self, language: str) -> None:
        self._file.setValue("language", language)

    @property
    def options(self) -> AnalysisOptions:
        """How pictures are read."""
        try:
            median = int(str(self._file.value("median", 0)))
            return AnalysisOptions(clahe=self._file.value("clahe") in (True, "true"), median=median)
        except (ValueError, OptionError):
            return AnalysisOptions()

    @options.setter
    def options(self, options: AnalysisOptions) -> None:
        self._file.setValue("clahe", options.clahe)
        self._file.setValue("median", options.median)

    @property
    def last_folder(self) -> str:
        """Where a file was chosen last."""
        return str(self._file.value("last_folder", ""))

    @last_folder.setter
    def last_folder(self, folder: str) -> None:
        self._file.setValue("last_folder", folder)

    @property
    def camera(self) -> str:
        """The camera, address or film that was chosen last; as `mien live --source` takes it."""
        return str(self._file.value("camera", "")) or "0"

    @camera.setter
    def camera(self, source: str) -> None:
        # The file is plain text, so a password is asked for again.
        self._file.setValue("camera", without_password(source))

    def place(self, name: str) -> QByteArray | None:
        """Return where a window or splitter stood, or None."""
        value = self._file.value(name)
        return value if isinstance(value, QByteArray) else None

    def set_place(self, name: str, place: QByteArray) -> None:
        """Remember where a window or splitter stands."""
        self._file.setValue(name, place)

    def save(self) -> None:
        """Write the file."""
        self._file.sync()

    def _choice(self, name: str, known: tuple[str, ...]) -> str:
        value = str(self._file.value(name, known[0]))
        return value if value in known else known[0]
