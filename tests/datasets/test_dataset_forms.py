"""Every form of labelled faces through load_dataset: folders with splits, tables, CK+, JAFFE; the cache."""

from __future__ import annotations

import contextlib
import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mien.core.errors import DatasetError, ImageError, OptionError
from mien.datasets import FaceDataset, load_dataset, load_splits, stratified_split
from mien.datasets import load as loading


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("data")
    monkeypatch.setenv("MIEN_DATA", str(folder))
    return folder / "cache" / "datasets"


def save(path: Path, value: int, size: tuple[int, int] = (6, 6)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, value).save(path)
    return path


def table(path: Path, *rows: str, header: str = "emotion,pixels,Usage") -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def pixels(value: int, count: int = 4) -> str:
    return " ".join([str(value)] * count)


@pytest.fixture
def fer2013(tmp_path: Path) -> Path:
    return table(
        tmp_path / "fer2013.csv",
        f"3,{pixels(30)},Training",
        f"0,{pixels(1)},Training",
        f"6,{pixels(60)},PublicTest",
        f"3,{pixels(31)},PrivateTest",
    )


def first_pixels(data: FaceDataset) -> list[int]:
    return [int(image[0, 0]) for image in data.images]


def test_a_folder_with_splits(tmp_path: Path) -> None:
    for split, shift in (("Training", 0), ("test", 100)):
        for label, value in (("anger", 1), ("happy", 2)):
            save(tmp_path / "d" / split / label / "1.png", value + shift)
    splits = load_splits(tmp_path / "d")
    assert {name: first_pixels(data) for name, data in splits.items()} == {
        "train": [1, 2],
        "test": [101, 102],
    }
    assert splits["test"].source == "d/test"
    assert first_pixels(load_dataset(tmp_path / "d")) == [1, 2, 101, 102]
    assert first_pixels(load_dataset(tmp_path / "d", default="test")) == [101, 102]
    with pytest.raises(DatasetError, match="no split 'validation'; it has train, test"):
        load_dataset(tmp_path / "d", "val")
    with pytest.raises(OptionError, match="unknown split 'holiday'"):
        load_dataset(tmp_path / "d", "holiday")


def test_fer2013s_codes_and_usages(fer2013: Path) -> None:
    data = load_dataset(fer2013)
    assert data.labels == ("angry", "happy", "neutral")
    assert [data.labels[t] for t in data.targets] == ["happy", "angry", "neutral", "happy"]
    assert first_pixels(load_dataset(fer2013, "train")) == [30, 1]
    assert first_pixels(load_dataset(fer2013, "test")) == [60, 31]
    assert first_pixels(load_dataset(fer2013, "PrivateTest")) == [31]
    # Every split numbers the labels alike, although none of them has all.
    assert {faces.labels for faces in load_splits(fer2013).values()} == {data.labels}


def test_a_table_holds_faces_of_any_size_that_mien_writes(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", f"3,{pixels(130, 512 * 512)},", f"4,{pixels(1, 512 * 512)},")
    assert load_dataset(path).images.shape == (2, 512, 512)
    table(path, f"3,{pixels(130, 1100 * 1100)},")
    with pytest.raises(DatasetError, match="line 2: field larger"):
        load_dataset(path)


def test_tables_of_r4_lie_in_one_folder(tmp_path: Path) -> None:
    table(tmp_path / "train.csv", f"happy,{pixels(1)}", f"Furie,{pixels(2)}", header="emotion,pixels")
    table(tmp_path / "test.csv", pixels(9), header="pixels")
    table(tmp_path / "test_with_emotions.csv", f"4,{pixels(3)}", header="emotion,pixels")
    splits = load_splits(tmp_path)
    assert {name: faces.counts() for name, faces in splits.items()} == {
        "train": {"angry": 1, "happy": 1, "sad": 0},
        "test": {"angry": 0, "happy": 0, "sad": 1},
    }
    (tmp_path / "test_with_emotions.csv").unlink()
    assert list(load_splits(tmp_path)) == ["train"]
    with pytest.raises(DatasetError, match="no emotions"):
        load_dataset(tmp_path / "test.csv")
    unlabelled = load_dataset(tmp_path / "test.csv", labelled=False)
    assert unlabelled.labels == ()
    assert unlabelled.targets.tolist() == [-1]
    assert first_pixels(unlabelled) == [9]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (f"3,{pixels(1, 3)},Training", "line 3: 3 pixels where the rows before have 4"),
        (f"3,{pixels(1, 5)},Training", "line 3: 5 pixels"),
        ("3,1 2 x3 4,Training", "line 3: pixels have to be whole numbers, not 'x3'"),
        ("3,1 2 3 256,Training", "line 3: pixel 256"),
        ("3,,Training", "line 3: 0 pixels"),
        ("3", "line 3: 0 pixels"),
        (f"3,{pixels(1)},Holiday", "line 3: Usage 'Holiday'"),
    ],
)
def test_a_wrong_row_is_named_by_its_line(tmp_path: Path, row: str, says: str) -> None:
    with pytest.raises(DatasetError, match=says):
        load_dataset(table(tmp_path / "t.csv", f"0,{pixels(1)},Training", row))


def test_unknown_labels_are_listed(tmp_path: Path) -> None:
    rows = [f"{word},{pixels(1)}," for word in ("happy", "hungry", "9", "hungry", "sad")]
    with pytest.raises(DatasetError, match=r"'9', 'hungry'.*line 3"):
        load_dataset(table(tmp_path / "t.csv", *rows))
    rows = [row for row in rows if not row.startswith("9")]
    data = load_dataset(table(tmp_path / "t.csv", *rows), labels=["hungry", "joy"])
    assert data.labels == ("hungry", "happy")
    assert data.targets.tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "column 'pixels'"),
        ("emotion,picture\n3,1\n", "emotion, picture"),
        ("emotion,pixels\n", "no faces"),
        ("emotion,pixels\n3,1 2 3\n", "line 2: 3 pixels make no square"),
        (f"emotion,pixels\n3,{pixels(1)}\n", "one emotion only, happy"),
    ],
)
def test_a_file_that_is_no_table_of_faces(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DatasetError, match=says):
        load_dataset(tmp_path / "t.csv")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"emotion,pixels\n" + content)
    with contextlib.suppress(DatasetError):
        assert len(load_dataset(path, cache=False, labelled=False))


def write_ckplus(root: Path) -> None:
    for person, sequence, code, frames in (
        ("S005", "001", 3, 3),
        ("S010", "002", 7, 2),
        ("S010", "003", None, 2),
    ):
        for frame in range(1, frames + 1):
            name = f"{person}_{sequence}_{frame:08}"
            save(root / "cohn-kanade-images" / person / sequence / f"{name}.png", frame * 10, (10, 8))
        folder = root / "Emotion" / person / sequence
        folder.mkdir(parents=True)
        if code is not None:
            (folder / f"{person}_{sequence}_{frames:08}_emotion.txt").write_text(f"   {code:.7e}\n")


def test_ckplus_gives_the_apex_of_each_labelled_sequence_and_its_person(tmp_path: Path) -> None:
    write_ckplus(tmp_path)
    data = load_dataset(tmp_path, side=8)
    assert data.names == ("S005_001_00000003.png", "S010_002_00000002.png")
    assert [data.labels[t] for t in data.targets] == ["disgust", "surprise"]
    assert data.groups == ("S005", "S010")
    assert data.images.shape == (2, 8, 8)
    with_neutral = load_dataset(tmp_path, side=8, neutral=True)
    assert with_neutral.counts() == {"disgust": 1, "neutral": 2, "surprise": 1}
    next(tmp_path.rglob("*_emotion.txt")).write_text("8.0")
    with pytest.raises(DatasetError, match=r"_emotion.txt.*from 0 to 7, not '8.0'"):
        load_dataset(tmp_path, side=8)


def test_jaffe_says_emotion_and_person_in_its_names(tmp_path: Path) -> None:
    for name in ("KA.AN1.39.tiff", "KM.HA2.5.tiff", "KA.SU3.40.tiff"):
        save(tmp_path / name, 5)
    data = load_dataset(tmp_path)
    assert [data.labels[t] for t in data.targets] == ["angry", "surprise", "happy"]
    assert data.groups == ("KA", "KA", "KM")
    save(tmp_path / "KA.XX1.39.tiff", 5)
    with pytest.raises(DatasetError, match=r"KA\.XX1\.39"):
        load_dataset(tmp_path)


def test_other_sizes_are_listed_or_resized(tmp_path: Path) -> None:
    save(tmp_path / "d" / "happy" / "a.png", 10, (4, 4))
    save(tmp_path / "d" / "happy" / "b.png", 20, (8, 8))
    save(tmp_path / "d" / "sad" / "c.png", 30, (9, 8))
    with pytest.raises(DatasetError, match=r"4×4 \(1\), 8×8 \(1\), 9×8 \(1\)"):
        load_dataset(tmp_path / "d")
    data = load_dataset(tmp_path / "d", side=8)
    assert data.images.shape == (3, 8, 8)
    assert first_pixels(data) == [10, 20, 30]
    for found in (
        data,
        load_dataset(tmp_path / "d", side=8),
        load_dataset(tmp_path / "d", side=8, cache=False),
    ):
        assert found.sizes is not None
        assert found.sizes.tolist() == [[4, 4], [8, 8], [9, 8]]
    assert data.subset(data.targets == 1).sizes.tolist() == [[9, 8]]


def test_folders_that_an_archive_adds_are_passed(tmp_path: Path) -> None:
    for label in ("happy", "sad"):
        save(tmp_path / "d" / "archive" / "images" / "train" / label / "a.png", 1)
    (tmp_path / "d" / "__MACOSX").mkdir()
    assert load_dataset(tmp_path / "d", "train").labels == ("happy", "sad")
    assert load_dataset(tmp_path / "d").source == "d"


@pytest.mark.parametrize(
    ("folders", "says"),
    [
        (("train/happy", "train/sad", "test/"), r"split test \('.*test'\) has nothing in it"),
        (
            ("happy", "bored", "sleepy"),
            r"bored, sleepy; rename them, or give your own labels \(labels=, --labels\)",
        ),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, folders: tuple[str, ...], says: str) -> None:
    for folder in folders:
        (tmp_path / "d" / folder).mkdir(parents=True)
        if not folder.endswith("/"):
            save(tmp_path / "d" / folder / "a.png", 1)
    with pytest.raises(DatasetError, match=says):
        load_dataset(tmp_path / "d")


@pytest.mark.parametrize("where", ["nowhere", "note.txt", "empty"])
def test_what_is_no_data_set_is_refused(tmp_path: Path, where: str) -> None:
    (tmp_path / "note.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=where):
        load_dataset(tmp_path / where)


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    save(tmp_path / "d" / "happy" / "a.png", 1)
    (save(tmp_path / "d" / "sad" / "bad.png", 1)).write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    with pytest.raises(ImageError, match=r"bad\.png"):
        load_dataset(tmp_path / "d")


def test_the_second_start_reads_nothing_again(
    fer2013: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_dataset(fer2013)
    reads: list[Path] = []
    read = loading._read
    monkeypatch.setattr(loading, "_read", lambda *args: reads.append(args[1]) or read(*args))
    again = load_dataset(fer2013)
    assert reads == []
    assert again.digest() == first.digest()
    assert again.names == first.names
    again.images[:] = 0  # its own, as other arrays are
    assert load_dataset(fer2013).digest() == first.digest()

    load_dataset(fer2013, cache=False)
    assert len(reads) == 1
    table(fer2013, f"3,{pixels(7)},Training", f"0,{pixels(8)},Training")
    assert first_pixels(load_dataset(fer2013)) == [7, 8]
    assert len(reads) == 2
    assert len(list(own_cache.iterdir())) == 2  # what was kept before is gone


@pytest.mark.parametrize("suffix", [".npy", ".json"])
@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_a_damaged_cache_is_ignored(fer2013: Path, own_cache: Path, suffix: str, damage: str) -> None:
    before = load_dataset(fer2013).digest()
    [kept] = own_cache.glob(f"*{suffix}")
    content = kept.read_bytes()
    if damage == "gone":
        kept.unlink()
    elif damage == "cut":
        kept.write_bytes(content[:-3])
    elif suffix == ".npy":
        kept.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    else:
        kept.write_text(json.dumps({**json.loads(content), "crc32": 1}))
    assert load_dataset(fer2013).digest() == before


def test_without_a_place_for_the_cache_all_goes_on(
    fer2013: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MIEN_DATA", str(tmp_path / "file"))
    assert len(load_dataset(fer2013)) == 4


def test_a_person_stays_on_one_side() -> None:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (120, 4, 4), dtype=np.uint8)
    people = tuple(f"S{i // 6:03}" for i in range(120))
    data = FaceDataset(
        images, np.arange(120) % 3, ("a", "b", "c"), tuple(map(str, range(120))), groups=people
    )
    rest, apart = stratified_split(data, 0.2, 1)
    assert rest.groups is not None
    assert apart.groups is not None
    assert not set(rest.groups) & set(apart.groups)
    assert len(apart) == 24
    assert set(apart.counts().values()) == {8}
    assert stratified_split(data, 0.2, 1)[1].names == apart.names
    with pytest.raises(DatasetError, match="too few"):
        stratified_split(data.subset(np.arange(6)), 0.2, 1)


@pytest.mark.parametrize("cache", [False, True])
def test_faces_take_little_more_memory_than_their_pixels(tmp_path: Path, cache: bool) -> None:
    row = pixels(7, 96 * 96)
    path = table(tmp_path / "t.csv", *(f"{i % 2},{row}," for i in range(900)))
    few = table(tmp_path / "first.csv", f"0,{row},", f"1,{row},")
    load_dataset(few, cache=cache)  # what is imported on first use
    tracemalloc.start()
    try:
        data = load_dataset(path, cache=cache)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.2 * data.images.nbytes
