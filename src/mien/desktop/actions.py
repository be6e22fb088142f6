"""Every action of the main window: its menu and its keys, in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from mien.core.emotions import LANGUAGES
from mien.desktop.texts import NAMES, text
from mien.desktop.theme import THEMES


class _Action(NamedTuple):
    menu: str
    name: str
    keys: tuple[str, ...] = ()


MENUS = ("file", "view", "film", "camera_menu", "help")
ACTIONS = (
    _Action("file", "open_files", ("Ctrl+O",)),
    _Action("file", "open_folder", ("Ctrl+Shift+O",)),
    _Action("file", "paste", ("Ctrl+V",)),
    _Action("file", "remove", ("Del",)),
    _Action("file", "reread", ("F5",)),
    _Action("file", "cancel", ("Esc",)),
    _Action("file", ""),
    _Action("file", "export", ("Ctrl+E",)),
    _Action("file", "annotate", ("Ctrl+S",)),
    _Action("file", "keep_face", ("Ctrl+D",)),
    _Action("file", "saved_faces", ("Ctrl+G",)),
    _Action("file", ""),
    _Action("file", "quit", ("Ctrl+Q",)),
    _Action("view", "next_face", ("Ctrl+Down",)),
    _Action("view", "previous_face", ("Ctrl+Up",)),
    _Action("view", ""),
    _Action("film", "play", ("Ctrl+Space", "F8")),
    _Action("film", "next_frame", ("Ctrl+Right",)),
    _Action("film", "previous_frame", ("Ctrl+Left",)),
    _Action("film", "next_event", ("Ctrl+Shift+Right",)),
    _Action("film", "previous_event", ("Ctrl+Shift+Left",)),
    _Action("camera_menu", "camera", ("F9",)),
    _Action("camera_menu", "choose_camera", ("Shift+F9",)),
    _Action("camera_menu", "save_face", ("S",)),
    _Action("camera_menu", "clear_faces", ("C",)),
    _Action("camera_menu", "pause", ("P",)),
    _Action("help", "keys", ("F1",)),
    _Action("help", "about"),
)
LIVE_ONLY = ("save_face", "clear_faces", "pause")


class Actions:
    """Builds the menus of a window.

    Args:
        window: gets them.
        calls: what each action does, by its name in ACTIONS.
        choose: called with "theme" or "language" and what was chosen.
    """

    def __init__(
        self,
        window: QMainWindow,
        calls: Mapping[str, Callable[[], object]],
        choose: Callable[[str, str], None],
    ) -> None:
        self._menus: dict[str, QMenu] = {name: window.menuBar().addMenu(name) for name in MENUS}
        self.by_name: dict[str, QAction] = {}
        for menu, name, keys in ACTIONS:
            if not name:
                self._menus[menu].addSeparator()
                continue
            action = QAction(window)
            action.setShortcuts([QKeySequence(key) for key in keys])
            action.triggered.connect(lambda checked=False, call=calls[name]: call())
            self._menus[menu].addAction(action)
            self.by_name[name] = action
        self._groups = [QActionGroup(window) for _ in range(2)]
        for group, what, choices in zip(
            self._groups, ("theme", "language"), (THEMES, LANGUAGES), strict=True
        ):
            self._menus[what] = self._menus["view"].addMenu(what)
            for choice in choices:
                action = QAction(window, checkable=True)
                action.triggered.connect(lambda checked=False, w=what, c=choice: choose(w, c))
                group.addAction(action)
                self._menus[what].addAction(action)
                self.by_name[choice] = action

    def retranslate(self, language: str) -> None:
        """Name everything in another language; languages keep their own names."""
        for name, menu in self._menus.items():
            menu.setTitle(text(name, language))
        for name, action in self.by_name.items():
            action.setText(NAMES[name] if name in NAMES else text(name, language))

    def check(self, name: str) -> None:
        """Mark a theme or a language as chosen."""
        self.by_name[name].setChecked(True)

    def help_text(self, language: str) -> str:
        """Return every action with its keys, as a table in HTML."""
        lines = []
        for action in ACTIONS:
            if action.name and action.keys:
                keys = ", ".join(
                    QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) for key in action.keys
                )
                words = text(action.name, language).replace("&", "").rstrip(" …")
                lines.append(f"<tr><td><b>{keys}</b></td><td>{words}</td></tr>")
        return f"<table cellspacing=6>{''.join(lines)}</table>"
