"""Describing, checking, writing, splitting and fetching data sets, and cutting crops out of photos."""

from __future__ import annotations

import gzip
import hashlib
import io
import stat
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.core import images
from mien.core.errors import DatasetError, DownloadError, OptionError, OutputError
from mien.core.options import AnalysisOptions
from mien.datasets import FaceDataset, load_dataset, load_splits
from mien.datasets import fetch as fetching
from mien.datasets.check import check
from mien.datasets.describe import describe, sample_indices
from mien.datasets.faces import cut_faces
from mien.datasets.fetch import fetch
from mien.datasets.write import write_folder, write_splits, write_table
from mien.testing import fake_model

SAMPLES = Path(__file__).resolve().parents[2] / "src" / "mien" / "samples"


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIEN_DATA", str(tmp_path_factory.mktemp("data")))


def blobs(seed: int, side: int = 48) -> np.ndarray:
    """A smooth picture that looks like no other one."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6), dtype=np.uint8)
    return cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)


def dataset(count: int, labels: tuple[str, ...] = ("happy", "sad"), **others: object) -> FaceDataset:
    pictures = np.stack([blobs(seed) for seed in range(count)])
    names = tuple(f"{i}.png" for i in range(count))
    return FaceDataset(pictures, np.arange(count) % len(labels), labels, names, **others)  # type: ignore[arg-type]


def save(path: Path, picture: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    images.save(np.repeat(picture[:, :, None], 3, 2), path)
    return path


def listing(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_a_description_says_how_many_how_bright_and_what_the_crowd_says() -> None:
    pictures = np.stack([np.full((4, 4), v, np.uint8) for v in (10, 10, 250, 100)])
    votes = np.array([[5, 5], [1, 9], [0, 0], [2, 8]], np.float32)
    people = ("S001", "S001", "", "S002")
    data = FaceDataset(pictures, np.array([0, 0, 0, 1]), ("happy", "sad"), tuple("abcd"), votes, "d", people)
    found = describe(data)
    assert (found.faces, found.width, found.height, found.people, found.copies) == (4, 4, 4, 2, 1)
    assert found.counts == {"happy": 3, "sad": 1}
    assert found.imbalance == 3
    assert found.brightness.mean == 92.5
    assert found.brightness_by_label["happy"].mean == 90
    assert found.contrast.mean == 0
    assert sum(found.brightness_histogram) == 4
    assert found.votes is not None
    assert found.votes.faces == 3
    assert found.votes.agreement == pytest.approx(2 / 3)
    assert found.votes.by_label == {"happy": 0.5, "sad": 1.0}
    assert found.votes.top_share == pytest.approx((0.5 + 0.9 + 0.8) / 3)
    assert found.to_dict()["votes"]["faces"] == 3


def test_samples_are_of_their_label_and_the_same_every_time() -> None:
    data = dataset(20)
    chosen = sample_indices(data, 4, seed=3)
    assert {label: set(data.targets[where]) for label, where in chosen.items()} == {"happy": {0}, "sad": {1}}
    assert all(len(set(where)) == 4 for where in chosen.values())
    assert chosen["sad"].tolist() == sample_indices(data, 4, seed=3)["sad"].tolist()


def test_a_sound_data_set_has_no_findings(tmp_path: Path) -> None:
    write_folder({"train": dataset(30), "test": dataset(40).subset(np.arange(30, 40))}, tmp_path / "d")
    report = check(tmp_path / "d")
    assert report.sound, report
    assert report.sizes == {(48, 48): 40}


def test_a_check_finds_what_is_wrong_and_goes_on(tmp_path: Path) -> None:
    root = tmp_path / "d"
    write_folder({"train": dataset(20), "test": dataset(30).subset(np.arange(20, 30))}, root)
    save(root / "test" / "sad" / "copy.png", blobs(0))
    darker = np.clip(blobs(1).astype(int) * 0.8 + 5, 0, 255).astype(np.uint8)
    save(root / "train" / "sad" / "darker.jpg", darker)
    save(root / "train" / "sad" / "large.png", blobs(99, side=64))
    (root / "train" / "happy" / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    report = check(root)
    assert report.faces == 33
    assert [("torn.png" in where, bool(why)) for where, why in report.unreadable] == [(True, True)]
    assert [(Path(w.strip("'")).name, size) for w, size in report.wrong_size] == [("large.png", (64, 64))]
    exact, near = report.copies
    assert (exact.kind, exact.across_splits, exact.conflicting) == ("exact", True, True)
    assert (near.kind, near.across_splits, near.conflicting) == ("near", False, False)
    assert [Path(where.strip("'")).name for where in near.where] == ["1.png", "darker.jpg"]
    assert report.to_dict()["copies"][0]["faces"][1]["split"] == "test"
    assert len(check(root, near=False).copies) == 1


def test_a_check_names_the_rows_of_a_table(tmp_path: Path) -> None:
    rows = ["emotion,pixels", "3,1 2 3 4", "9,1 2 3 5", "3,1 2 3", "4,1 2 3 4"]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    report = check(tmp_path / "t.csv")
    assert [why.split(":")[0][-6:] for _, why in report.unreadable[1:]] == ["line 4"]
    assert "'9'" in report.unreadable[0][1]
    assert report.copies[0].conflicting


def test_a_check_lists_every_fault_of_folders(tmp_path: Path) -> None:
    root = tmp_path / "d"
    write_folder({"train": dataset(20), "test": dataset(30).subset(np.arange(20, 30))}, root)
    for folder in ("train/happiness", "train/joy", "train/bored", "train/fear", "val", "extra"):
        (root / folder).mkdir()
    save(root / "train" / "joy" / "a.png", blobs(50))
    save(root / "train" / "bored" / "b.png", blobs(51))
    report = check(root)
    assert not report.sound
    assert report.faces == 31  # the one below joy/ too, but not what no emotion is known of
    found = "\n".join(report.faults)
    assert len(report.faults) == 5, found
    assert "folders of splits (test/, train/, val/) beside others (extra/)" in found
    assert "no known emotion: bored;" in found
    assert "the same emotion, happy: happiness/, happy/, joy/" in found
    assert "has no pictures for fear" in found
    assert "split validation" in found
    assert "has nothing in it" in found
    assert report.to_dict()["faults"] == list(report.faults)
    with pytest.raises(DatasetError, match="beside others"):
        load_splits(root)
    for folder in ("extra", "val"):
        (root / folder).rmdir()
    (root / "training").mkdir()
    assert "the same split: train/, training/" in check(root).faults[0]


def test_a_check_goes_through_every_table(tmp_path: Path) -> None:
    rows = ["emotion,pixels", "3,1 2 3", "3,1 2 3 4", "4,1 2 x 4", "4,9 2 3 4", "bored,1 2 3 4"]
    (tmp_path / "train.csv").write_text("\n".join([*rows, "4,1 2 3 4 5 6 7 8 9"]))
    (tmp_path / "validation.csv").write_text("emotion,pixels\n")
    (tmp_path / "test.csv").write_bytes(b"emotion,pixels\n3,1 2 3 4\n\xff\xfe")
    report = check(tmp_path)
    assert [why.partition(".csv', ")[2][:6] for _, why in report.unreadable] == ["line 2", "line 4", "line 6"]
    assert [(where[-6:], size) for where, size in report.wrong_size] == [("line 7", (3, 3))]
    assert ["no text" in report.faults[0], "no rows" in report.faults[1]] == [True, True]
    (tmp_path / "other.csv").write_text("a,b\n")
    assert "needs a column 'pixels'" in check(tmp_path / "other.csv").faults[0]
    (tmp_path / "head.csv").write_text("emotion,pixels\n")
    assert not check(tmp_path / "head.csv").sound


def test_faces_go_into_a_table_and_back(tmp_path: Path) -> None:
    people = tuple(f"S{i:03}" for i in range(6))
    parts = {"train": dataset(6, groups=people), "public-test": dataset(8).subset(np.array([6, 7]))}
    write_table(parts, tmp_path / "t.csv", codes=True)
    assert (tmp_path / "t.csv").read_text().startswith("emotion,pixels,Usage,name,subject\n3,")
    write_folder(load_splits(tmp_path / "t.csv"), tmp_path / "d")
    assert "public-test/happy/6.png" in listing(tmp_path / "d")
    write_table(load_splits(tmp_path / "d"), tmp_path / "again.csv")
    again = load_splits(tmp_path / "again.csv")
    for split, faces in parts.items():
        order = sorted(range(len(faces)), key=lambda i: faces.targets[i])
        sorted_faces = faces.subset(np.array(order))
        assert again[split].names == sorted_faces.names
        assert again[split].digest() == sorted_faces.digest()
    assert load_splits(tmp_path / "t.csv")["train"].groups == people


@pytest.mark.parametrize("link", [False, True])
def test_a_split_is_written_whole_and_the_same_every_time(tmp_path: Path, link: bool) -> None:
    write_folder({"": dataset(40)}, tmp_path / "d")
    parts = write_splits(tmp_path / "d", tmp_path / "one", validation=0.2, test=0.1, seed=4, link=link)
    assert {name: len(faces) for name, faces in parts.items()} == {"train": 28, "validation": 8, "test": 4}
    assert list(parts) == ["train", "validation", "test"]
    written = load_splits(tmp_path / "one")
    assert {n: set(f.names) for n, f in written.items()} == {n: set(f.names) for n, f in parts.items()}
    original, copied = (tmp_path / "d/happy/0.png", next((tmp_path / "one").rglob("0.png")))
    assert copied.read_bytes() == original.read_bytes()
    assert (copied.stat().st_ino == original.stat().st_ino) == link
    write_splits(tmp_path / "d", tmp_path / "two", validation=0.2, test=0.1, seed=4)
    assert listing(tmp_path / "two") == listing(tmp_path / "one")
    write_splits(tmp_path / "d", tmp_path / "t.csv", test=0.1, seed=4)
    assert {n: len(f) for n, f in load_splits(tmp_path / "t.csv").items()} == {"train": 36, "test": 4}


def test_what_is_there_already_stays(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").touch()
    with pytest.raises(OutputError, match="there already"):
        write_folder({"": dataset(4)}, tmp_path / "out")
    with pytest.raises(DatasetError, match="leave some"):
        write_splits(tmp_path, tmp_path / "x", validation=0.5, test=0.5)
    assert listing(tmp_path) == ["out/mine.txt"]


@pytest.fixture
def serve() -> Iterator[Callable[[bytes], tuple[str, str]]]:
    """Gives an address of this machine that sends the bytes, and their SHA-256."""
    sent: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(sent[-1])))
            self.end_headers()
            self.wfile.write(sent[-1])

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()

        def send(body: bytes) -> tuple[str, str]:
            sent.append(body)
            return f"http://127.0.0.1:{server.server_port}/faces.csv?x=1", hashlib.sha256(body).hexdigest()

        yield send
        server.shutdown()
        thread.join()


def zipped(*members: tuple[str, bytes], mode: int = 0) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def tarred(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, target: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.size = kind, target, len(content)
        archive.addfile(info, io.BytesIO(content))
    # Without the time: it would be in the tests' names, on which processes that test together have to agree.
    return gzip.compress(buffer.getvalue(), mtime=0)


@pytest.mark.parametrize(
    ("body", "files"),
    [
        (zipped(("d/", b""), ("d/a.txt", b"a"), ("./b.txt", b"b")), ["b.txt", "d/a.txt"]),
        (tarred("d/a.txt", b"a"), ["d/a.txt"]),
        (b"emotion,pixels\n", ["faces.csv"]),
    ],
)
def test_what_is_fetched_is_unpacked(tmp_path: Path, serve, body: bytes, files: list[str]) -> None:
    url, digest = serve(body)
    fetch(url, tmp_path / "out", sha256=digest.upper())
    assert listing(tmp_path) == [f"out/{name}" for name in files]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (zipped(("a.txt", b"a"), ("../b.txt", b"b")), "leads out"),
        (zipped(("d\\..\\..\\b.txt", b"b")), "leads out"),
        (zipped(("/b.txt", b"b")), "absolute"),
        (zipped(("C:/b.txt", b"b")), "absolute"),
        (zipped(("a", b"../x"), mode=stat.S_IFLNK | 0o777), "link"),
        (zipped(("a", b"1"), ("./a", b"2")), "same name"),
        (zipped(("bomb", bytes(80 << 20))), "far more"),
        (zipped(("a.txt", bytes(range(200)))).replace(bytes(range(90, 99)), bytes(9)), "damaged"),
        (tarred("a.txt", bytes(range(250)) * 99)[:300], "damaged"),
        (tarred("../b.txt", b"b"), "leads out"),
        (tarred("/b.txt", b"b"), "absolute"),
        (tarred("a", kind=tarfile.SYMTYPE, target="../x"), "link"),
        (tarred("a", kind=tarfile.LNKTYPE, target="../x"), "link"),
        (tarred("a", kind=tarfile.FIFOTYPE), "device"),
    ],
)
def test_a_hostile_archive_leaves_nothing(tmp_path: Path, serve, body: bytes, says: str) -> None:
    url, digest = serve(body)
    with pytest.raises(DatasetError, match=says):
        fetch(url, tmp_path / "out", sha256=digest)
    assert list(tmp_path.iterdir()) == []


def test_a_torn_archive_is_not_kept_as_it_is(tmp_path: Path, serve) -> None:
    url, digest = serve(zipped(("a.txt", bytes(range(200))))[:-30])
    with pytest.raises(DatasetError, match=r"faces\.zip is no archive"):
        fetch(url.replace(".csv", ".zip"), tmp_path / "out", sha256=digest)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_digest_or_too_much_leaves_nothing(tmp_path: Path, serve) -> None:
    url, digest = serve(zipped(("a", b"a" * 5000)))
    with pytest.raises(DownloadError, match="SHA-256"):
        fetch(url, tmp_path / "out", sha256="0" * 64)
    with pytest.raises(OptionError, match="64 hexadecimal"):
        fetch(url, tmp_path / "out", sha256="abc")
    with pytest.raises(DatasetError, match="limit"):
        fetch(url, tmp_path / "out", sha256=digest, max_bytes=1000)
    with pytest.raises(DownloadError):
        fetch(url, tmp_path / "out", sha256=digest, max_bytes=10)
    assert list(tmp_path.iterdir()) == []
    assert fetching.MAX_BYTES > 1 << 30


HAAR = AnalysisOptions(detector="haar")


def photo_of(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def test_photos_in_folders_of_emotions_become_crops(tmp_path: Path) -> None:
    for place, name in (("happy/a.jpg", "eileen-collins.jpg"), ("Furie/a.jpg", "grace-hopper.jpg")):
        path = tmp_path / "photos" / place
        path.parent.mkdir(parents=True)
        path.write_bytes(photo_of(name))
    (tmp_path / "photos/happy/none.jpg").write_bytes(photo_of("rocket-launch.jpg"))
    (tmp_path / "photos/happy/torn.jpg").write_bytes(b"\xff\xd8\xff\xe0 torn")
    report = cut_faces(tmp_path / "photos", tmp_path / "out", options=HAAR)
    assert report.faces == {"angry": 1, "happy": 1}
    assert report.photos == 4
    assert [Path(where.strip("'")).name for where in report.without_face] == ["none.jpg"]
    assert len(report.unreadable) == 1
    assert listing(tmp_path / "out") == ["angry/a.png", "happy/a.png"]
    data = load_dataset(tmp_path / "out")
    assert data.images.shape == (2, 48, 48)
    assert data.images.std() > 10


def test_other_photos_are_sorted_by_a_model_or_not(tmp_path: Path) -> None:
    for place in ("holiday/x.jpg", "x.jpg"):
        path = tmp_path / "photos" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo_of("eileen-collins.jpg"))
    cut_faces(tmp_path / "photos", tmp_path / "flat", options=HAAR, side=32)
    assert listing(tmp_path / "flat") == ["x-2.png", "x.png"]
    model = fake_model(("happy", "sad"), [0.0, 9.0])
    cut_faces(tmp_path / "photos", tmp_path / "sorted", options=HAAR, model=model)
    assert listing(tmp_path / "sorted") == ["sad/x-2.png", "sad/x.png"]
    unsure = fake_model(("happy", "sad"), [0.0, 0.1], threshold=0.9)
    report = cut_faces(tmp_path / "photos", tmp_path / "unsure", options=HAAR, model=unsure)
    assert report.faces == {"uncertain": 2}


def test_photos_without_any_face_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.jpg").write_bytes(photo_of("rocket-launch.jpg"))
    with pytest.raises(DatasetError, match="no face was found in the 1 photos"):
        cut_faces(tmp_path / "photos", tmp_path / "out", options=HAAR)
    assert listing(tmp_path) == ["photos/a.jpg"]
