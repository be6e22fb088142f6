"""The one analyzer of a process, and what is kept of what it reads."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

import mien
from mien.core.errors import ImageError, ModelError, OptionError
from mien.testing import fake_model
from mien.web import engine
from mien.web.analyses import store
from mien.web.analyses.models import AnalysedFace, Analysis, Batch, Tag


@pytest.fixture
def fresh_engine():
    engine.reset()
    yield engine
    engine.reset()


def test_a_photo_is_read_as_the_library_reads_it(photo: bytes, empty_photo: bytes) -> None:
    alone = mien.Analyzer(model=engine.analyzer().model).analyze(photo)
    assert replace(engine.analyze(photo), elapsed_s=0) == replace(alone, elapsed_s=0)
    assert engine.analyze(empty_photo).faces == ()
    result, crops = engine.analyze_with_crops(photo)
    assert len(result.faces) == len(crops) == 1


def test_it_is_made_once_whoever_asks_first(fresh_engine) -> None:
    start = threading.Barrier(6)
    made = []

    def ask() -> None:
        start.wait()
        made.append(fresh_engine.analyzer())

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(one) for one in made}) == 1


def test_no_more_photos_than_allowed_are_read_at_once(fresh_engine, settings, monkeypatch, photo) -> None:
    settings.MIEN = replace(settings.MIEN, max_workers=2)
    reading, most, lock = 0, 0, threading.Lock()
    both = threading.Barrier(2, timeout=60)  # two are let in together, so none waits for nothing

    def read(batch):
        nonlocal reading, most
        with lock:
            reading += 1
            most = max(most, reading)
        both.wait()
        with lock:
            reading -= 1
        return [0.0] * 7

    slow = mien.Analyzer(model=fake_model(logits=read))
    monkeypatch.setattr(engine, "analyzer", lambda: slow)
    threads = [threading.Thread(target=engine.analyze, args=(photo,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_a_turn_is_given_back_after_a_bad_photo(fresh_engine, settings, photo: bytes) -> None:
    settings.MIEN = replace(settings.MIEN, max_workers=1)
    for _ in range(3):
        with pytest.raises(ImageError):
            fresh_engine.analyze(b"not a photo")
    assert fresh_engine.analyze(photo).faces


def test_a_model_that_cannot_be_used_is_said(fresh_engine, settings) -> None:
    settings.MIEN = replace(settings.MIEN, model_path="no-such-model")
    with pytest.raises(ModelError, match="no-such-model"):
        fresh_engine.analyzer()


def test_what_is_kept_comes_back_as_it_was(ann, photo: bytes) -> None:
    result = engine.analyze(photo)
    batch = Batch.objects.create(owner=ann, total=1)
    analysis = store.keep(ann, result, name="C:\\me\\photo.jpg", source="api", batch=batch)
    again = Analysis.objects.get(uid=analysis.uid)
    assert again.result() == replace(result, source="photo.jpg")
    assert list(again.result().faces[0].scores) == list(result.faces[0].scores)  # the order of the card
    face = AnalysedFace.objects.get(analysis=again)
    assert (face.owner, face.created, face.source) == (ann, again.created, "api")
    assert (face.top, face.confidence) == (result.faces[0].top, result.faces[0].confidence)
    assert (again.face_count, again.batch) == (1, batch)


def test_all_of_an_analysis_is_kept_or_nothing(ann, photo: bytes, monkeypatch) -> None:
    def fail(*_args: object) -> None:
        raise OptionError("no")

    monkeypatch.setattr(AnalysedFace.objects, "bulk_create", fail)
    with pytest.raises(OptionError):
        store.keep(ann, engine.analyze(photo))
    assert not Analysis.objects.exists()


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../etc/passwd", "passwd"),
        ("a\\b.jpg", "b.jpg"),
        ("x\r\nSet-Cookie: a.jpg", "x\ufffd\ufffdSet-Cookie: a.jpg"),
        ("\ud800.jpg", "\ufffd.jpg"),
        ("\u202egpj.exe", "\ufffdgpj.exe"),
        ("n" * 300, "n" * 200),
        ("", ""),
        ("ảnh của tôi.jpg", "ảnh của tôi.jpg"),
    ],
)
def test_a_name_of_a_file_is_only_shown(name: str, kept: str) -> None:
    assert store.shown_name(name) == kept


def test_nobody_sees_what_is_anothers(ann, bob, make_analysis) -> None:
    from django.contrib.auth.models import AnonymousUser

    analysis = make_analysis(ann)
    Tag.objects.create(owner=ann, name="party")
    for model in (Analysis, AnalysedFace, Tag):
        assert model.objects.of(ann).count() == 1
        assert model.objects.of(bob).count() == 0
        assert model.objects.of(AnonymousUser()).count() == 0
    ann.delete()
    assert not Analysis.objects.filter(pk=analysis.pk).exists()
    assert not AnalysedFace.objects.exists()
