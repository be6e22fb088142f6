from __future__ import annotations

import json
import re
import sys
import threading
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from gallery_support import START, Calendar, face
from hypothesis import given
from hypothesis import strategies as st

from mien.core import images
from mien.core.errors import DatasetError, OptionError, OutputError
from mien.datasets import load_splits
from mien.gallery import Gallery, GalleryOptions, export_faces, gallery_sheet
from mien.gallery._names import file_name, folder_name, parse_name
from mien.pipeline.analyzer import Analyzer
from mien.testing import fake_model, picture

PHOTO = Path(__file__).resolve().parents[2] / "src" / "mien" / "samples" / "eileen-collins.jpg"
PIXELS = picture(160, 120)


def gallery(folder: Path, *, step: timedelta = timedelta(seconds=1), **options) -> Gallery:
    return Gallery(folder, GalleryOptions(**options), now=Calendar(step))


def test_a_face_is_saved_under_its_emotion_with_confidence_day_and_time(tmp_path: Path) -> None:
    saved = gallery(tmp_path / "faces").save(PIXELS, face("happy", 0.873), source="camera 0")
    assert saved.path == tmp_path / "faces" / "happy" / "happy_87.3_20260304_050607_000089.jpg"
    pixels = images.load(saved.path)
    assert pixels.shape[0] >= 44
    assert pixels.shape[1] >= 40
    (again,) = Gallery(tmp_path / "faces").faces()
    assert (again.emotion, again.saved, again.source) == ("happy", START, "camera 0")
    assert again.confidence == pytest.approx(0.873)
    assert again.face == saved.face
    box = again.face.box
    original = PIXELS[40:84, 60:100].astype(int)
    assert abs(pixels[box.y : box.bottom, box.x : box.right].astype(int) - original).mean() < 6
    assert again.face.landmarks.as_array()[0] - (box.x, box.y) == pytest.approx([10, 12])


def test_an_uncertain_face_has_a_folder_of_its_own(tmp_path: Path) -> None:
    saved = gallery(tmp_path).save(PIXELS, face("sad", 0.3, uncertain=True))
    assert saved.name == "uncertain/uncertain_30.0_20260304_050607_000089.jpg"
    assert [one.emotion for one in Gallery(tmp_path).faces("uncertain")] == [None]
    assert Gallery(tmp_path).faces("sad") == []


def test_two_faces_of_one_moment_are_two_files(tmp_path: Path) -> None:
    store = Gallery(tmp_path, now=lambda: START)
    assert len({store.save(PIXELS, face()).name for _ in range(3)}) == 3
    assert len(store.faces()) == 3


@pytest.mark.parametrize("label", ["../../etc", "a/b", "uncertain", "..", "\0", "CON", "x" * 300, "Ü 2"])
def test_a_label_of_ones_own_stays_inside_the_folder(tmp_path: Path, label: str) -> None:
    store = gallery(tmp_path / "faces")
    saved = store.save(PIXELS, face(label, labels=(label, "other")))
    assert saved.path.parent.parent == tmp_path / "faces"
    assert [one.emotion for one in store.faces()] == [label]
    assert [path.name for path in tmp_path.iterdir()] == ["faces"]


@given(
    st.text(min_size=1),
    st.floats(0, 1),
    st.datetimes(datetime(1000, 1, 1), datetime(9999, 1, 1)),
    st.integers(1, 99),
)
def test_names_are_read_back(label: str, confidence: float, saved: datetime, number: int) -> None:
    name = parse_name(file_name(label, confidence, saved, number))
    assert name is not None
    assert (name.emotion, name.saved) == (folder_name(label), saved)
    assert name.confidence == pytest.approx(confidence, abs=0.0006)
    assert re.fullmatch(r"[^/\\\0]+", folder_name(label))


def test_faces_are_listed_by_emotion_and_day(tmp_path: Path) -> None:
    store = gallery(tmp_path, step=timedelta(days=1), max_days=0)
    for emotion in ("happy", "sad", "happy", "angry"):
        store.save(PIXELS, face(emotion))
    assert [one.emotion for one in store.faces()] == ["happy", "sad", "happy", "angry"]
    assert len(store.faces("Vui vẻ")) == 2
    assert [one.emotion for one in store.faces(since=date(2026, 3, 6))] == ["happy", "angry"]
    assert [one.emotion for one in store.faces(until=date(2026, 3, 5))] == ["happy", "sad"]
    assert [one.emotion for one in store.faces("happy", since=date(2026, 3, 5))] == ["happy"]


def test_the_oldest_make_room(tmp_path: Path) -> None:
    store = gallery(tmp_path, max_saved=5)
    names = [store.save(PIXELS, face("happy" if n % 2 else "sad")).name for n in range(12)]
    left = [one.name for one in store.faces()]
    assert left == names[-len(left) :]
    assert 1 <= len(left) <= 5
    known = [json.loads(line)["name"] for line in (tmp_path / "index.jsonl").read_text().splitlines()]
    assert known == [name.split("/")[1] for name in left], "nothing is known of those that are gone"


def test_faces_that_are_too_old_go(tmp_path: Path) -> None:
    store = gallery(tmp_path, step=timedelta(days=1), max_days=3)
    names = [store.save(PIXELS, face()).name for _ in range(10)]
    assert [one.name for one in store.faces()] == names[-4:]
    later = Gallery(tmp_path, GalleryOptions(max_days=3), now=lambda: START + timedelta(days=30))
    assert later.prune() == 4
    assert later.faces() == []
    kept = Gallery(tmp_path, GalleryOptions(max_days=0), now=lambda: START)
    kept.save(PIXELS, face())
    assert Gallery(tmp_path, GalleryOptions(max_days=0)).prune() == 0


def test_files_deleted_moved_or_put_there_by_hand(tmp_path: Path) -> None:
    store = gallery(tmp_path)
    first, second, third = (store.save(PIXELS, face("happy")) for _ in range(3))
    first.path.unlink()
    (tmp_path / "sad").mkdir()
    second.path.rename(tmp_path / "sad" / second.path.name)
    (tmp_path / "happy" / "holiday.jpg").write_bytes(b"mine")
    (tmp_path / "notes.txt").write_text("mine")
    found = store.faces()
    assert [(one.path.name, one.emotion) for one in found] == [
        (second.path.name, "sad"),
        (third.path.name, "happy"),
    ]
    assert found[0].face is not None
    gallery_sheet(found)
    assert store.clear() == 2
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert left == ["happy/holiday.jpg", "notes.txt"]


@pytest.mark.parametrize("damage", [b'{"name": "x', b"\xff\xfe\n[1]\n", b'{"name": 1}\n{"face": {}}\n'])
def test_a_damaged_index_costs_only_what_it_said(tmp_path: Path, damage: bytes) -> None:
    store = gallery(tmp_path)
    store.save(PIXELS, face("happy"))
    with (tmp_path / "index.jsonl").open("ab") as file:
        file.write(damage)
    store.save(PIXELS, face("sad"))
    assert [one.face is not None for one in Gallery(tmp_path).faces()] == [True, True]
    (tmp_path / "index.jsonl").unlink()
    found = Gallery(tmp_path).faces()
    assert [(one.emotion, one.confidence, one.face) for one in found] == [
        ("happy", 0.873, None),
        ("sad", 0.873, None),
    ]
    assert gallery_sheet(found).ndim == 3


def test_faces_are_deleted_by_name_all_or_none(tmp_path: Path) -> None:
    store = gallery(tmp_path)
    one, two, three = (store.save(PIXELS, face(emotion)) for emotion in ("happy", "sad", "fear"))
    with pytest.raises(OptionError, match=r"no saved face is called .*\.\./x"):
        store.delete([one.name, "../x.jpg"])
    assert len(store.faces()) == 3
    assert store.delete([one.name, two.path.name]) == 2
    assert [left.name for left in store.faces()] == [three.name]
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["fear"]


def test_links_are_no_faces(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    name = file_name("happy", 0.5, START)
    (outside / name).write_bytes(b"")
    store = gallery(tmp_path / "faces")
    store.save(PIXELS, face("sad"))
    (tmp_path / "faces" / "happy").symlink_to(outside)
    (tmp_path / "faces" / "sad" / name).symlink_to(outside / name)
    assert [one.emotion for one in store.faces()] == ["sad"]
    store.clear()
    assert (outside / name).exists()


def test_several_threads_may_save(tmp_path: Path) -> None:
    store = Gallery(tmp_path)
    threads = [
        threading.Thread(target=lambda: [store.save(PIXELS, face()) for _ in range(5)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.faces()) == 20
    assert all(one.face is not None for one in store.faces())


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be made"):
        Gallery(tmp_path / "file" / "faces").save(PIXELS, face())


def test_a_face_that_the_index_cannot_take_is_not_saved(tmp_path: Path) -> None:
    (tmp_path / "index.jsonl").mkdir()
    with pytest.raises(OutputError, match=r"index\.jsonl' cannot be written"):
        Gallery(tmp_path).save(PIXELS, face())
    assert not list(tmp_path.rglob("*.jpg"))


def test_a_gallery_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "faces").write_text("")
    with pytest.raises(OutputError, match="is a file; give a folder"):
        Gallery(tmp_path / "faces")


def test_an_emotion_is_found_by_every_name_that_it_has(tmp_path: Path) -> None:
    store = gallery(tmp_path)
    store.save(PIXELS, face())
    store.save(PIXELS, face(top="joy", labels=("joy", "bored")))
    store.save(PIXELS, face(top="bored", labels=("joy", "bored")))
    store.save(PIXELS, face(uncertain=True))
    for name in ("happy", "joy", "Happiness", "Vui vẻ"):
        assert [one.path.parent.name for one in store.faces(name)] == ["happy", "joy"]
    assert [one.path.parent.name for one in store.faces("Bored")] == ["bored"]
    assert [one.path.parent.name for one in store.faces("uncertain")] == ["uncertain"]
    assert store.faces("sad") == []
    with pytest.raises(
        OptionError, match=r"no emotion is called 'hapy'; choose one of angry, .*uncertain, bored"
    ):
        store.faces("hapy")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_only_their_owner_can_read_saved_faces(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir(mode=0o755)
    for root in (tmp_path / "new" / "faces", tmp_path / "there"):
        store = gallery(root)
        first = store.save(PIXELS, face())
        store.save(PIXELS, face(top="sad"))
        store.delete([first.name])
        assert {path.stat().st_mode & 0o777 for path in root.rglob("*") if path.is_file()} == {0o600}
        assert (root / "sad").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "new" / "faces").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "there").stat().st_mode & 0o777 == 0o755


def test_a_full_disk_leaves_nothing_half_done(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="needs POSIX limits")
    store = gallery(tmp_path)
    store.save(PIXELS, face())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, before[1]))
    try:
        with pytest.raises(OutputError):
            store.save(PIXELS, face())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(store.faces()) == 1
    assert not list(tmp_path.rglob(".mien-*"))
    store.save(PIXELS, face())
    assert all(one.face is not None for one in store.faces())


def test_what_is_wanted_by_itself() -> None:
    options = GalleryOptions(min_confidence=0.6, max_doubts=1)
    assert options.wants(face(confidence=0.7, doubts=("small",)))
    assert not options.wants(face(confidence=0.5))
    assert not options.wants(face(confidence=0.7, doubts=("small", "dark")))
    with pytest.raises(OptionError, match="max_saved has to be between"):
        GalleryOptions(max_saved=0)


@pytest.fixture(scope="module")
def photo():
    """A photo with one face, and the face, found by the detector that ships."""
    analyzer = Analyzer(detector="haar", model=fake_model())
    pixels = images.load(PHOTO)
    return pixels, analyzer.analyze(pixels).faces[0]


def filled(folder: Path, photo, people: int = 4, *, one_person: bool = False) -> Gallery:
    """A gallery of two emotions; everyone shows both, in pictures that differ."""
    pixels, found = photo
    store = gallery(folder)
    for emotion in ("happy", "sad"):
        scores = {label: float(label == emotion) for label in found.scores}
        for number in range(people):
            shown = replace(found, scores=scores, emotion=emotion, track_id=0 if one_person else number)
            darker = (pixels * (1 - 0.08 * number - 0.04 * (emotion == "sad"))).astype(np.uint8)
            store.save(darker, shown)
    return store


def test_an_export_is_what_training_reads(tmp_path: Path, photo) -> None:
    store = filled(tmp_path / "faces", photo)
    store.save(PIXELS, face("fear", 0.2, uncertain=True))
    report = export_faces(store.faces(), tmp_path / "data")
    assert report.counts == {"": {"happy": 4, "sad": 4}}
    assert (report.written, report.uncertain, report.without_face) == (8, 1, ())
    (data,) = load_splits(tmp_path / "data", cache=False).values()
    assert data.images.shape == (8, 48, 48)
    assert data.labels == ("happy", "sad")


def test_an_export_is_aligned_as_the_network_reads_faces(tmp_path: Path, photo) -> None:
    pixels, _ = photo
    analyzer = Analyzer(detector="haar", model=fake_model())
    _, seen = analyzer.analyze_with_crops(pixels)
    export_faces(filled(tmp_path / "faces", photo, people=1).faces("happy"), tmp_path / "data")
    (file,) = (tmp_path / "data" / "happy").iterdir()
    written = images.load(file)[..., 0].astype(float)
    likeness = np.corrcoef(written.ravel(), seen[0].astype(float).ravel())[0, 1]
    assert likeness > 0.9


def test_an_export_with_splits_keeps_each_person_in_one(tmp_path: Path, photo) -> None:
    store = filled(tmp_path / "faces", photo)
    report = export_faces(store.faces(), tmp_path / "data", validation=0.25, test=0.25)
    assert list(report.counts) == ["train", "validation", "test"]
    splits = load_splits(tmp_path / "data", cache=False)
    assert {name: len(faces) for name, faces in splits.items()} == {"train": 4, "validation": 2, "test": 2}
    one_person = filled(tmp_path / "one", photo, one_person=True)
    with pytest.raises(
        DatasetError, match=r"too few persons show '.+' \(1 person\).*; add faces of others who do"
    ):
        export_faces(one_person.faces(), tmp_path / "more", test=0.25, whole=True)
    assert not (tmp_path / "more").exists()


def test_whole_pictures_are_copied_as_they_were_saved(tmp_path: Path, photo) -> None:
    store = filled(tmp_path / "faces", photo, people=2)
    export_faces(store.faces(), tmp_path / "data", whole=True)
    for saved in store.faces():
        assert (tmp_path / "data" / saved.name).read_bytes() == saved.path.read_bytes()


def test_damaged_and_empty_pictures_are_told(tmp_path: Path, photo) -> None:
    store = filled(tmp_path / "faces", photo, people=2)
    broken, faceless = store.faces()[0], store.faces()[1]
    broken.path.write_bytes(b"no picture")
    images.save(picture(200, 200), faceless.path)
    report = export_faces(store.faces(), tmp_path / "data")
    assert (report.unreadable, report.without_face) == ((broken.name,), (faceless.name,))
    assert report.written == 2
    gallery_sheet(store.faces())


def test_an_export_that_cannot_be(tmp_path: Path, photo) -> None:
    store = filled(tmp_path / "faces", photo, people=1)
    with pytest.raises(OutputError, match="is there already"):
        export_faces(store.faces(), tmp_path / "faces")
    with pytest.raises(OptionError, match="side has to be"):
        export_faces(store.faces(), tmp_path / "data", side=4)
    with pytest.raises(OptionError, match="leave some faces"):
        export_faces(store.faces(), tmp_path / "data", test=1.0)
    with pytest.raises(DatasetError, match="none of 0 saved faces"):
        export_faces([], tmp_path / "data")
    with pytest.raises(OptionError, match="no saved faces"):
        gallery_sheet([])
