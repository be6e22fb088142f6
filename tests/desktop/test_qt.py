"""Qt for Python itself: a build that loses references ends the program after a minute."""

from __future__ import annotations

import sys

import pytest

pytest.importorskip("PySide6", reason="needs the extra desktop")
pytest.importorskip("pytestqt", reason="needs pytest-qt")

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QLabel

TIMES = 200


class Sender(QObject):
    sent = Signal(int)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None and True are not counted since Python 3.12")
def test_calls_keep_the_references_of_none_and_true(qtbot) -> None:
    label, sender = QLabel(), Sender()
    qtbot.addWidget(label)
    before = sys.getrefcount(None), sys.getrefcount(True)
    for _ in range(TIMES):
        label.setText("x")
        sender.sent.emit(1)
    after = sys.getrefcount(None), sys.getrefcount(True)
    assert all(later > sooner - TIMES // 2 for sooner, later in zip(before, after, strict=True))
