from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mien import batch, records
from mien.core import images
from mien.core.errors import ImageFormatError, MienError, OutputError
from mien.core.options import AnalysisOptions
from mien.pipeline.analyzer import Analyzer
from mien.testing import fake_model, picture, write_model

FACE = Path(__file__).resolve().parents[2] / "src" / "mien" / "samples" / "eileen-collins.jpg"
HAAR = AnalysisOptions(detector="haar", rotate=False)


@pytest.fixture
def worker() -> batch.PhotoWorker:
    return batch.PhotoWorker(HAAR, loaded=fake_model())


def test_it_gives_what_the_analyzer_gives_under_the_name_as_given(worker: batch.PhotoWorker) -> None:
    given = FACE.parent / ".." / "samples" / FACE.name
    (outcome,) = batch.run(batch.plan([given]), worker)
    expected = Analyzer(HAAR, model=fake_model()).analyze(FACE)
    assert outcome.analysis is not None
    assert outcome.analysis.faces == expected.faces
    assert outcome.analysis.source == str(given)


def test_bytes_have_the_name_of_standard_input(worker: batch.PhotoWorker) -> None:
    (outcome,) = batch.run(batch.plan(["-"], stdin=io.BytesIO(FACE.read_bytes())), worker)
    assert outcome.analysis is not None
    assert (outcome.analysis.source, len(outcome.analysis.faces)) == ("-", 1)


def test_processes_load_the_model_by_its_name(tmp_path: Path) -> None:
    worker = batch.PhotoWorker(HAAR, str(write_model(tmp_path)), threads=1, loaded=fake_model())
    (outcome,) = batch.run(batch.plan([FACE]), worker, executor="processes", jobs=1)
    assert outcome.analysis is not None
    assert outcome.analysis.model.name == "tiny"


def test_an_unforeseen_error_costs_one_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load = images.load

    def fragile(source: object, **settings: object) -> object:
        if "strange" in str(source):
            raise ZeroDivisionError("deep in a library")
        return load(source, **settings)

    monkeypatch.setattr(images, "load", fragile)
    for name in ("a.png", "strange.png", "z.png"):
        images.save(picture(), tmp_path / name)
    (tmp_path / "b.png").write_bytes(b"no picture")
    worker = batch.PhotoWorker(HAAR, loaded=fake_model())
    outcomes = list(batch.run(batch.plan([tmp_path]), worker, batch_size=8))
    assert [type(outcome.error) for outcome in outcomes] == [
        type(None),
        ImageFormatError,
        MienError,
        type(None),
    ]
    assert "ZeroDivisionError: deep in a library" in str(outcomes[2].error)


def test_drawings_keep_the_size_and_leave_the_input(worker: batch.PhotoWorker, tmp_path: Path) -> None:
    source = tmp_path / "in" / "sub" / "a.png"
    source.parent.mkdir(parents=True)
    images.save(picture(), source)
    before = source.read_bytes()
    items = batch.with_targets(batch.plan([tmp_path / "in"]), tmp_path / "out")
    (outcome,) = batch.run(items, worker)
    assert outcome.error is None
    assert images.load(tmp_path / "out" / "sub" / "a.png").shape == picture().shape
    assert source.read_bytes() == before


def test_a_picture_that_its_format_cannot_hold_is_an_error_of_its_own(
    worker: batch.PhotoWorker, tmp_path: Path
) -> None:
    images.save(np.zeros((2, 70_000, 3), np.uint8), tmp_path / "long.png")
    images.save(picture(), tmp_path / "usual.png")
    items = batch.with_targets(batch.plan([tmp_path / "long.png", tmp_path / "usual.png"]), tmp_path / "out")
    # As if the long one were to become a WebP file, which holds 16,383 pixels a side.
    items[0] = replace(items[0], target=tmp_path / "out" / "long.webp")
    outcomes = list(batch.run(items, worker))
    assert "too long for WEBP" in str(outcomes[0].error)
    assert outcomes[1].error is None


def test_no_place_for_drawings_ends_the_run(worker: batch.PhotoWorker, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    items = batch.with_targets(batch.plan([FACE]), tmp_path / "file")
    with pytest.raises(OutputError):
        list(batch.run(items, worker))


def test_a_result_file_holds_results_and_failures_and_only_when_something_was_done(
    worker: batch.PhotoWorker, tmp_path: Path
) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("from before")
    with batch.result_file(path) as write:
        for outcome in batch.run(batch.plan(["gone.jpg"]), worker):
            write(outcome)
    assert path.read_text() == "from before"

    with batch.result_file(path) as write:
        for outcome in batch.run(batch.plan(["gone.jpg", FACE]), worker):
            write(outcome)
    failure, analysis = records.read_all(path)
    assert (failure.source, failure.error) == ("gone.jpg", "ImageError")
    assert analysis.source == str(FACE)
