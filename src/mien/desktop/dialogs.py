"""What the main window asks for a file or shows beside itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from mien.core.formats import FILM_EXTENSIONS
from mien.core.images import EXTENSIONS
from mien.desktop.controls import file_dialog
from mien.desktop.exporting import annotate_film, annotate_photo, export_film, export_photos, save_face
from mien.desktop.saved_faces import SavedFaces
from mien.desktop.texts import text

if TYPE_CHECKING:
    from mien.desktop.main_window import MainWindow

_PHOTO_FORMATS = ("json", "csv", "jsonl", "xlsx", "parquet")
_FILM_FORMATS = ("json", "csv", "jsonl", "srt", "vtt", "eaf", "parquet", "png", "svg")


class Dialogs:
    """Asks and starts; what takes long is left to the window's worker.

    Args:
        window: that is asked for.
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def open_files(self) -> QFileDialog:
        """Ask for photos and films."""
        dialog = self._dialog("open_files", lambda paths: self._window.open_paths(paths))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        known = " ".join(f"*{suffix}" for suffix in sorted(EXTENSIONS | FILM_EXTENSIONS))
        dialog.setNameFilters([f"Mien ({known})", "* (*)"])
        dialog.open()
        return dialog

    def open_folder(self) -> QFileDialog:
        """Ask for a folder."""
        dialog = self._dialog("open_folder", lambda paths: self._window.open_paths(paths))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.open()
        return dialog

    def export(self) -> QFileDialog | None:
        """Ask where the results go: of the film that is shown, or of all photos."""
        window = self._window
        entry = window.browser.entry
        if entry is not None and entry.film is not None:
            film = entry
            return self._save(
                "export",
                _FILM_FORMATS,
                Path(entry.item.name).stem,
                lambda path: window.start(lambda work: export_film(work, film, path, window.language)),
            )
        photos = [
            one
            for one in window.browser.entries.values()
            if one.analysis is not None or one.error is not None
        ]
        analyses = [one.analysis for one in photos if one.analysis is not None]
        if not analyses:
            window.tell(text("nothing_to_export", window.language))
            return None
        labels = window.models.get().card.labels
        return self._save(
            "export",
            _PHOTO_FORMATS,
            "faces",
            lambda path: window.start(lambda work: export_photos(work, photos, path, labels)),
        )

    def annotate(self) -> QFileDialog | None:
        """Ask where the annotated copy of what is shown goes."""
        window = self._window
        entry, language, options = window.browser.entry, window.language, window.browser.options
        if entry is None or (entry.analysis is None and entry.film is None):
            window.tell(text("nothing_to_export", language))
            return None
        one = entry
        if one.item.is_film:
            return self._save(
                "annotate",
                ("mp4", "mov", "mkv"),
                f"{Path(one.item.name).stem}-annotated",
                lambda path: window.start(
                    lambda work: annotate_film(work, one, path, language, options, window.models)
                ),
            )
        return self._save(
            "annotate",
            ("png", "jpg", "webp"),
            f"{Path(one.item.name).stem}-annotated",
            lambda path: window.start(lambda work: annotate_photo(work, one, path, language, options)),
        )

    def keep_face(self) -> None:
        """Save the selected face."""
        window = self._window
        entry, faces = window.browser.entry, window.browser.view.faces
        if window.camera.panel is not None:
            window.camera.panel.save_faces()
        elif entry is None or not faces:
            window.tell(text("no_face_to_save", window.language))
        else:
            one, face, time_s = entry, faces[window.browser.view.current], window.browser.time_s
            window.start(lambda work: save_face(work, one, face, time_s, window.gallery))

    def saved_faces(self) -> SavedFaces:
        """Show the faces that were saved."""
        dialog = SavedFaces(self._window.gallery, self._window.language, self._window)
        dialog.open()
        return dialog

    def _save(
        self, title: str, suffixes: tuple[str, ...], stem: str, action: Callable[[Path], None]
    ) -> QFileDialog:
        dialog = self._dialog(title, lambda paths: action(paths[0]))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([f"{suffix.upper()} (*.{suffix})" for suffix in suffixes])
        dialog.setDefaultSuffix(suffixes[0])
        dialog.filterSelected.connect(
            lambda chosen: dialog.setDefaultSuffix(chosen.rpartition("*.")[2].rstrip(")"))
        )
        dialog.selectFile(stem)
        dialog.open()
        return dialog

    def _dialog(self, title: str, action: Callable[[list[Path]], None]) -> QFileDialog:
        window = self._window
        words = text(title, window.language).replace("&", "").rstrip(" …")
        dialog = file_dialog(window, words, window.settings.last_folder)

        def chosen(names: list[str]) -> None:
            window.settings.last_folder = str(Path(names[0]).parent)
            action([Path(name) for name in names])

        dialog.filesSelected.connect(chosen)
        return dialog
