"""The main window of the desktop program: what was opened, the picture, its faces, a film's timeline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QMainWindow,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from mien.batch import Outcome
from mien.core.errors import MienError, ModelError
from mien.core.version import __version__
from mien.desktop.actions import LIVE_ONLY, Actions
from mien.desktop.banner import Banner
from mien.desktop.browser import Browser
from mien.desktop.camera import Camera
from mien.desktop.camera_chooser import CameraChooser
from mien.desktop.dialogs import Dialogs
from mien.desktop.exporting import FaceSaved, Written
from mien.desktop.jobs import Action, Work
from mien.desktop.live_panel import LivePanel
from mien.desktop.problems import problem_text
from mien.desktop.qt_texts import translate_qt
from mien.desktop.reading import Begun, Models, Planned, Reader
from mien.desktop.settings import Settings
from mien.desktop.texts import text
from mien.desktop.theme import apply_theme
from mien.gallery import Gallery
from mien.zoo.registry import DEFAULT_MODEL

_REREAD_AFTER_MS = 400


class MainWindow(QMainWindow):
    """Opens photos, folders, films and the camera, and shows what their faces express.

    Args:
        settings: what is remembered.
        models: gives the model.
        gallery: where faces are saved; the user's own without it.
        camera: the number of the camera, or what stands in its place; the one chosen last without it.
    """

    def __init__(
        self, settings: Settings, models: Models, *, gallery: Gallery | None = None, camera: str | None = None
    ) -> None:
        super().__init__()
        self.settings, self.models, self.gallery = settings, models, gallery or Gallery()
        self.language = settings.language
        self.work: Work | None = None
        self._queue: list[Action] = []
        self._busy = ""  # what was said last of the progress
        self.browser = Browser(models, settings.options)
        self.browser.told.connect(self.tell)
        self.browser.filters_changed.connect(self._filters_changed)
        self.camera = Camera(camera or settings.camera, models)
        self.camera.opened.connect(self._show_camera)
        self.camera.failed.connect(self._camera_failed)
        self.camera_chooser = CameraChooser(self)
        self.camera_chooser.chosen.connect(self._camera_chosen)
        self.dialogs = Dialogs(self)
        self._lay_out()
        self.actions_ = Actions(self, self._calls(), self.choose)
        self._reread = QTimer(self, singleShot=True, interval=_REREAD_AFTER_MS)
        self._reread.timeout.connect(self.reread)
        self.setAcceptDrops(True)
        self._restore()

    def _lay_out(self) -> None:
        self.pages = QStackedWidget()
        self.pages.addWidget(self.browser)
        self.banner = Banner()
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.banner)
        column.addWidget(self.pages, 1)
        self.setCentralWidget(middle)
        self.message = QLabel()
        self.progress = QProgressBar()
        self.progress.setFixedWidth(160)
        self.cancel_button = QPushButton()
        self.cancel_button.clicked.connect(self.cancel)
        self.statusBar().addWidget(self.message, 1)
        self.statusBar().addPermanentWidget(self.progress)
        self.statusBar().addPermanentWidget(self.cancel_button)
        self.setWindowTitle("Mien")
        self.resize(1160, 720)

    def _calls(self) -> dict[str, Callable[[], object]]:
        dialogs, browser = self.dialogs, self.browser
        return {
            "open_files": dialogs.open_files,
            "open_folder": dialogs.open_folder,
            "paste": self.paste,
            "remove": browser.remove,
            "reread": self.reread,
            "cancel": self.cancel,
            "export": dialogs.export,
            "annotate": dialogs.annotate,
            "keep_face": dialogs.keep_face,
            "saved_faces": dialogs.saved_faces,
            "quit": self.close,
            "next_face": lambda: browser.step_face(1),
            "previous_face": lambda: browser.step_face(-1),
            "play": browser.play,
            "next_frame": lambda: browser.step(1),
            "previous_frame": lambda: browser.step(-1),
            "next_event": lambda: browser.step_event(1),
            "previous_event": lambda: browser.step_event(-1),
            "camera": self.toggle_camera,
            "choose_camera": self.choose_camera,
            "save_face": self.camera.save_faces,
            "clear_faces": self.camera.clear_faces,
            "pause": self.camera.toggle_pause,
            "keys": self.show_keys,
            "about": self.show_about,
        }

    def _restore(self) -> None:
        if (place := self.settings.place("window")) is not None:
            self.restoreGeometry(place)
        if (place := self.settings.place("splitter")) is not None:
            self.browser.restoreState(place)
        self.choose("theme", self.settings.theme)
        self.choose("language", self.language)
        self._show_work()

    # language and theme -------------------------------------------------------------------------------

    def choose(self, what: str, choice: str) -> None:
        """Choose a theme or a language; it shows at once and is remembered."""
        self.actions_.check(choice)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        if what == "theme":
            self.settings.theme = choice
            apply_theme(app, choice)
            self.restyle()
            return
        if choice != self.language:
            self.tell("")  # what was said is in the language before
        self.settings.language = self.language = choice
        translate_qt(app, choice)
        self.actions_.retranslate(choice)
        self.browser.retranslate(choice)
        self.banner.retranslate(choice)
        self.camera_chooser.retranslate(choice)
        self.cancel_button.setText(text("cancel", choice))
        if self.camera.panel is not None:
            self.camera.panel.retranslate(choice)

    def restyle(self) -> None:
        """Give what is drawn by hand the colours of the palette."""
        self.browser.restyle()
        self.banner.restyle()

    def tell(self, words: str) -> None:
        """Say something at the bottom of the window."""
        self.message.setText(words)
        self.message.setToolTip(words)

    def show_problem(
        self,
        error: MienError,
        title: str = "failed",
        remedy: str = "",
        act: Callable[[], object] | None = None,
        advice: str = "",
    ) -> None:
        """Say over everything else what went wrong, with a button where something helps."""
        self.tell(problem_text(error, self.language))
        if isinstance(error, ModelError):
            title, remedy, act, advice = "failed_model", "use_default_model", self._use_default_model, ""
        self.banner.show_problem(title, error, self.language, remedy, act, advice)

    def _use_default_model(self) -> None:
        self.models.use(DEFAULT_MODEL)
        self.reread()

    # opening ------------------------------------------------------------------------------------------

    def open_paths(self, paths: Sequence[Path], pasted: QImage | None = None) -> None:
        """Open photos, films and folders, and read them."""
        self._leave_camera()
        reader = Reader(self.browser.options, self.models)
        self.start(lambda work: reader.open(work, paths, pasted))

    def paste(self) -> None:
        """Open what the clipboard holds: files, or a picture."""
        data: QMimeData | None = QApplication.clipboard().mimeData()  # None where the clipboard is empty
        urls = [] if data is None else data.urls()
        paths = [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
        image = QApplication.clipboard().image()
        if paths:
            self.open_paths(paths)
        elif not image.isNull():
            self.open_paths([], image)
        else:
            self.tell(text("nothing_pasted", self.language))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        self.open_paths(paths)

    def reread(self) -> None:
        """Read everything again, with the options of now."""
        items = [entry.item for entry in self.browser.entries.values() if entry.item.source is not None]
        if items:
            self.cancel()
            reader = Reader(self.browser.options, self.models)
            self.start(lambda work: reader.read(work, items))

    def _filters_changed(self) -> None:
        self.settings.options = self.browser.options
        self._reread.start()

    # long work ----------------------------------------------------------------------------------------

    def start(self, action: Action) -> None:
        """Do something long after what is under way."""
        self._queue.append(action)
        if self.work is None:
            self._start_next()

    def cancel(self) -> None:
        """End what is under way and forget what waits."""
        self._queue.clear()
        if self.work is not None:
            self.work.cancel()

    def _start_next(self) -> None:
        self.work = Work(self._queue.pop(0))
        self.work.progressed.connect(self._progress)
        self.work.found.connect(self._take)
        self.work.failed.connect(self.show_problem)
        self.work.finished.connect(self._finished)
        self.tell("")
        self.banner.hide()
        self.progress.setRange(0, 0)
        self.browser.is_busy = True
        self._show_work()
        self.work.start()

    def _progress(self, share: float, what: str) -> None:
        self.progress.setRange(0, 0 if share < 0 else 1000)
        self.progress.setValue(round(1000 * share))
        if what and self.work is not None:
            name = Path(what).name
            self._busy = name if share < 0 else text("busy", self.language, share=share, what=name)
            self.tell(self._busy)

    def _finished(self) -> None:
        work, self.work = self.work, None
        if work is not None and work.is_cancelled():
            self.tell(text("cancelled", self.language))
        elif self._busy and self.message.text() == self._busy:
            self.tell(text("done", self.language))
        self.browser.is_busy = bool(self._queue)
        self.browser.rename()
        if self._queue:
            self._start_next()
        self._show_work()

    def _show_work(self) -> None:
        busy = self.work is not None
        self.progress.setVisible(busy)
        self.cancel_button.setVisible(busy)
        self.actions_.by_name["cancel"].setEnabled(busy)
        for name in LIVE_ONLY:
            self.actions_.by_name[name].setEnabled(self.camera.panel is not None)

    def _take(self, thing: object) -> None:
        if isinstance(thing, Planned):
            self.browser.add(thing.items)
        elif isinstance(thing, Begun):
            self.browser.begin(thing.item, thing.frames)
        elif isinstance(thing, Outcome):
            self.browser.take(thing)
        elif isinstance(thing, Written):
            self.tell(text("written", self.language, path=thing.path))
        elif isinstance(thing, FaceSaved):
            self.tell(text("face_saved", self.language, path=thing.path))

    # the camera ---------------------------------------------------------------------------------------

    def toggle_camera(self) -> None:
        """Open the camera, or close it."""
        if self.camera.is_on:
            self._leave_camera()
        else:
            self._open_camera()

    def choose_camera(self) -> None:
        """Ask which camera is opened."""
        in_use = self.camera.source if self.camera.is_on else ""
        self.camera_chooser.ask(self.camera.source, in_use, self.language)

    def _camera_chosen(self, source: str) -> None:
        if source == self.camera.source and self.camera.is_on:
            return
        self.camera.source = self.settings.camera = source
        self._leave_camera()
        self._open_camera()

    def _open_camera(self) -> None:
        self.tell(text("opening_camera", self.language))
        self.banner.hide()
        self.camera.start(self.browser.options, self.gallery, lambda: self.language)

    def _show_camera(self, panel: LivePanel) -> None:
        self.tell("")
        self.pages.addWidget(panel)
        self.pages.setCurrentWidget(panel)
        self._show_work()

    def _camera_failed(self, error: MienError) -> None:
        self.show_problem(error, "failed_camera", "choose_camera", self.choose_camera, "film_instead")
        self._show_work()

    def _leave_camera(self) -> None:
        panel = self.camera.panel
        self.camera.stop()
        if panel is not None:
            self.pages.removeWidget(panel)
            panel.deleteLater()
            self.tell("")
        self._show_work()

    # help and the end ---------------------------------------------------------------------------------

    def show_keys(self) -> QMessageBox:
        """Show every key."""
        return self._box("keys", self.actions_.help_text(self.language))

    def show_about(self) -> QMessageBox:
        """Show the version, and what Mien cannot know."""
        return self._box("about", text("about_text", self.language, version=__version__))

    def _box(self, title: str, words: str) -> QMessageBox:
        box = QMessageBox(
            QMessageBox.Icon.NoIcon, text(title, self.language).replace("&", ""), words, parent=self
        )
        box.addButton(text("close", self.language), QMessageBox.ButtonRole.AcceptRole)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()
        return box

    def closeEvent(self, event: QCloseEvent) -> None:
        self.settings.set_place("window", self.saveGeometry())
        self.settings.set_place("splitter", self.browser.saveState())
        self.settings.save()
        self.cancel()
        self._reread.stop()
        self.camera_chooser.reject()
        self._leave_camera()
        self.browser.close_all()
        super().closeEvent(event)

    def join(self, timeout: float = 30.0) -> None:
        """Wait for every thread, once the window is closed."""
        if self.work is not None:
            self.work.join(timeout)
        self.camera.join(timeout)
        self.camera_chooser.join(timeout)
        self.browser.viewer.join(timeout)
