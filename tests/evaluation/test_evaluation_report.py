"""A report: whole, offline, safe whatever the data are called, and equal to what was measured."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from mien.core.errors import MissingExtraError
from mien.datasets import FaceDataset
from mien.evaluation import agreement, compare, evaluate, measure_corruptions
from mien.evaluation.report import (
    Extras,
    check_report,
    classification_report,
    read_log,
    write_report,
)
from mien.testing import crops, fake_model

for package in ("matplotlib", "jinja2", "sklearn"):
    pytest.importorskip(package, reason=f"needs {package}, of the report extra")

EVIL = "<script>alert(1)</script>"
LABELS = ("angry", "happy", "sad")


def made(source: str = "made") -> FaceDataset:
    faces = crops(12)
    names = (EVIL, "=HYPERLINK(1)", *(f"{i}.png" for i in range(10)))
    return FaceDataset(faces, np.arange(12) % 3, LABELS, names, source=source)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data, model = made(f"faces {EVIL}"), fake_model(LABELS, name=f"model {EVIL}", threshold=0.4)
    evaluation = evaluate(model, data)
    other = evaluate(fake_model(LABELS, np.array([9.0, 0, 0], np.float32)), data)
    folder = tmp_path_factory.mktemp("report") / "new"
    log = {"epoch": [1.0, 2.0], "train_loss": [1.5, 1.2], "validation_loss": [1.4, 1.3]}
    extras = Extras(
        corruptions=measure_corruptions(model, data),
        crowd=agreement(evaluation, {"3.png": {"angry": 9}}),
        other="other",
        other_accuracy=float(other.right.mean()),
        comparison=compare(evaluation, other),
        milliseconds=1.5,
        log={**log, "validation_accuracy": [0.3, 0.4], "best": [1, 1]},
    )
    return write_report(folder, model, data, evaluation, extras).parent


def test_figures_that_a_later_report_lacks_do_not_stay(tmp_path: Path) -> None:
    data, model = made(), fake_model(LABELS, threshold=0.4)
    evaluation = evaluate(model, data)
    log = {name: [1.0, 2.0] for name in ("epoch", "train_loss", "validation_loss", "validation_accuracy")}
    write_report(tmp_path, model, data, evaluation, Extras(log=log))
    assert (tmp_path / "training-curves-dark.png").exists()
    (tmp_path / "training-curves.svg").write_text("changed by its owner")
    (tmp_path / "own.png").write_bytes(b"someone's")
    listed = json.loads((tmp_path / "figures.json").read_text())
    outside = tmp_path.parent / "outside.png"
    outside.write_bytes(b"x")
    digest = hashlib.sha256(b"x").hexdigest()
    (tmp_path / "figures.json").write_text(json.dumps({**listed, "../outside.png": digest, "own.png": 5}))
    write_report(tmp_path, model, data, evaluation)
    assert {path.name for path in tmp_path.glob("training-curves*")} == {"training-curves.svg"}
    assert (tmp_path / "own.png").exists()
    assert outside.exists()
    assert (tmp_path / "roc.png").exists()
    (tmp_path / "figures.json").write_text("[" * 100_000)
    write_report(tmp_path, model, data, evaluation)


class Page(HTMLParser):
    """What a browser would load and show of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "srcset", "href")]


def test_the_page_needs_nothing_else_and_runs_nothing(report: Path) -> None:
    text = (report / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert "script" not in page.tags
    assert EVIL not in text
    assert "&lt;script&gt;" in text
    assert page.links
    assert all(link.startswith("data:image/svg+xml;base64,") for link in page.links)
    assert "url(" not in text


def test_the_page_has_a_table_behind_every_figure_and_says_what_was_done(report: Path) -> None:
    text = (report / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    figures = {path.stem for path in report.glob("*.svg") if not path.stem.endswith("-dark")}
    assert page.tags.count("img") == page.tags.count("details") == len(figures) == 10
    for words in ("not an inner state", "no test-time augmentation", "Protocol", "McNemar", "prefers-color"):
        assert words in text
    assert 'name="viewport"' in text


def test_the_files_hold_what_was_measured(report: Path) -> None:
    figures = json.loads((report / "metrics.json").read_text(encoding="utf-8"))
    assert set(figures) >= {"roc_auc", "average_precision", "crowd", "comparison", "corruptions", "metrics"}
    assert figures["milliseconds_per_face"] == 1.5
    rows = list(csv.reader((report / "confusion_matrix.csv").read_text(encoding="utf-8").splitlines()))
    assert rows[0][1:] == list(LABELS)
    assert [[int(n) for n in row[1:]] for row in rows[1:]] == figures["confusion"]
    text = (report / "classification_report.txt").read_text(encoding="utf-8")
    assert re.search(rf"happy\s.*{figures['per_label']['happy']['recall']:.4f}.*\b4\n", text)
    for stem in ("confusion-matrix", "mistakes", "training-curves"):
        assert all((report / f"{stem}{end}").is_file() for end in (".png", ".svg", "-dark.png", "-dark.svg"))


def test_a_model_without_mistakes_and_labels_without_faces_have_a_report(tmp_path: Path) -> None:
    model = fake_model(LABELS, np.array([9.0, 0, 0], np.float32))
    data = FaceDataset(crops(2), np.zeros(2, np.int64), ("angry", "sad"), ("a", "b"), source="one label")
    evaluation = evaluate(model, data)
    write_report(tmp_path, model, data, evaluation)
    assert not (tmp_path / "mistakes.png").exists()
    assert not (tmp_path / "roc.png").exists()
    assert "mean          " in classification_report(evaluation)


def test_the_means_of_the_classification_report_are_scikit_learn_s() -> None:
    from sklearn.metrics import precision_recall_fscore_support

    evaluation = evaluate(fake_model(LABELS), made())
    lines = dict(re.findall(r"^(\S.*?)  +(.+)$", classification_report(evaluation), re.MULTILINE))
    for name, average in (("mean", "macro"), ("weighted mean", "weighted")):
        wanted = precision_recall_fscore_support(
            evaluation.true, evaluation.predicted, average=average, zero_division=0
        )[:3]
        assert [float(cell) for cell in lines[name].split()[:3]] == pytest.approx(wanted, abs=5e-5)


def test_a_missing_part_of_the_extra_is_named_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mien.evaluation.report.find_spec", lambda name: None if name == "sklearn" else 1)
    with pytest.raises(MissingExtraError, match=r"scikit-learn is not installed.*mien\[report\]"):
        check_report(tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("text", [None, "", "a,b\n1,2\n", "epoch,train_loss\n1,x\n", "\x00"])
def test_a_log_that_is_none_is_left_out(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "log.csv").write_text(text)
    assert read_log(tmp_path / "log.csv") is None


def test_the_log_of_a_run_is_read(tmp_path: Path) -> None:
    head = "epoch,train_loss,validation_loss,validation_accuracy,best"
    (tmp_path / "log.csv").write_text(f"{head}\n1,1.5,1.4,0.3,True\n2,1.2,1.3,0.4,False\n")
    log = read_log(tmp_path / "log.csv")
    assert log is not None
    assert log["best"] == [1, 0]
    assert log["validation_accuracy"] == [0.3, 0.4]
