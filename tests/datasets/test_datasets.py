"""Readers, votes, splits and shared faces, through the room's public names."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.core import images
from mien.core.errors import DatasetError
from mien.datasets import (
    FaceDataset,
    drop_shared,
    load_dataset,
    read_folder,
    read_votes,
    stratified_split,
    with_votes,
)


def dataset(targets: list[int], labels: tuple[str, ...] = ("happy", "sad"), side: int = 4) -> FaceDataset:
    """Faces that all differ: the number of the face is written into its pixels."""
    pictures = np.zeros((len(targets), side, side), np.uint8)
    for number, picture in enumerate(pictures):
        picture[0, :2] = divmod(number, 256)
    names = tuple(f"{i}.png" for i in range(len(targets)))
    return FaceDataset(pictures, np.array(targets, np.int64), labels, names)


def write_faces(root: Path, faces: dict[str, list[np.ndarray]]) -> Path:
    for label, pictures in faces.items():
        (root / label).mkdir(parents=True)
        for number, picture in enumerate(pictures):
            images.save(np.repeat(picture[:, :, None], 3, 2), root / label / f"{number}.png")
    return root


def grey(value: int, side: int = 6) -> np.ndarray:
    return np.full((side, side), value, np.uint8)


def test_folder_names_in_any_language_become_labels_in_the_default_order(tmp_path: Path) -> None:
    folder = write_faces(
        tmp_path / "d", {"Tristețe": [grey(9)], "happiness": [grey(200), grey(7)], "anger": [grey(1)]}
    )
    data = read_folder(folder)
    assert data.labels == ("angry", "happy", "sad")
    assert data.counts() == {"angry": 1, "happy": 2, "sad": 1}
    assert [int(p[0, 0]) for p in data.images] == [1, 200, 7, 9]
    assert data.images.dtype == np.uint8
    assert data.images.shape == (4, 6, 6)


@pytest.mark.parametrize(
    ("faces", "says"),
    [
        ({"happy": [grey(1)], "hungry": [grey(2)]}, "hungry"),
        ({"happy": [grey(1)], "sad": []}, "no pictures for sad"),
        ({"happy": [grey(1)], "joy": [grey(2)]}, "two folders for the same emotion"),
        ({"happy": [grey(1)]}, "one emotion only, happy; two or more are needed"),
        ({"happy": [grey(1)], "sad": [grey(2, side=7)]}, "7×7"),
    ],
)
def test_a_folder_that_is_no_data_set_is_refused_with_the_reason(
    tmp_path: Path, faces: dict[str, list[np.ndarray]], says: str
) -> None:
    with pytest.raises(DatasetError, match=says):
        read_folder(write_faces(tmp_path / "d", faces))


def test_a_split_is_named_with_its_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_faces(tmp_path / "fer2013" / "test", {"happy": [grey(1)], "sad": [grey(2)]})
    write_faces(tmp_path / "faces", {"happy": [grey(1)], "sad": [grey(2)]})
    assert read_folder(tmp_path / "faces").source == "faces"
    monkeypatch.chdir(tmp_path / "fer2013")
    assert read_folder("test").source == "fer2013/test"


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="does not exist"):
        read_folder(tmp_path / "nowhere")


def test_votes_follow_the_labels_and_leave_other_columns_out(tmp_path: Path) -> None:
    table = tmp_path / "votes.csv"
    table.write_text(
        "Usage,Image name,neutral,happiness,sadness,contempt,unknown,NF\nTraining,0.png,1,6,2,1,2,1\n"
    )
    votes = read_votes(table)
    assert votes["0.png"] == {"neutral": 1, "happy": 6, "sad": 2, "contempt": 1, "other": 3}
    data = with_votes(dataset([0, 1]), votes)
    assert data.votes is not None
    assert data.votes.tolist() == [[6, 2], [0, 0]]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Usage,neutral\nTraining,1\n", "Image name"),
        ("Image name,happiness\na.png,1\nb.png,many\n", "line 3"),
        ("Image name,happiness\na.png\n", "line 2"),
    ],
)
def test_a_damaged_vote_table_names_the_place(tmp_path: Path, text: str, says: str) -> None:
    table = tmp_path / "votes.csv"
    table.write_text(text)
    with pytest.raises(DatasetError, match=says):
        read_votes(table)


@pytest.mark.parametrize("content", [b"Image name,happiness\n\xff\xfe.png,1\n", b"\xff\xfeI\0m\0a\0"])
def test_a_vote_table_that_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    table = tmp_path / "votes.csv"
    table.write_bytes(content)
    with pytest.raises(DatasetError, match=r"votes\.csv"):
        read_votes(table)


def test_votes_for_other_pictures_are_refused() -> None:
    with pytest.raises(DatasetError, match="none of the data set"):
        with_votes(dataset([0, 1]), {"other.png": {"happy": 3}})


def test_votes_for_a_name_that_two_faces_have_are_refused() -> None:
    data = dataset([0, 1, 1])
    data = replace(data, names=("a.png", "a.png", "b.png"))
    with pytest.raises(DatasetError, match=r"2 faces have the name 'a\.png'"):
        with_votes(data, {"a.png": {"happy": 3}})
    assert with_votes(data, {"b.png": {"happy": 3}}).votes is not None


def test_labels_are_left_out_and_put_in_another_order() -> None:
    data = dataset([0, 1, 2, 1], ("angry", "happy", "sad"))
    data = with_votes(data, {"1.png": {"angry": 1, "happy": 7, "sad": 2}})
    fewer = data.with_labels(["Tristețe", "happiness"])
    assert fewer.labels == ("sad", "happy")
    assert fewer.names == ("1.png", "2.png", "3.png")
    assert fewer.targets.tolist() == [1, 0, 1]
    assert fewer.votes is not None
    assert fewer.votes[0].tolist() == [2, 7]
    assert data.with_labels(data.labels) is data


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (["happy", "hungry"], "no label hungry; it has happy, sad"),
        (["happy", "joy"], "different"),
        ([], "two"),
    ],
)
def test_labels_that_cannot_be_chosen_are_refused(labels: list[str], says: str) -> None:
    with pytest.raises(DatasetError, match=says):
        dataset([0, 1]).with_labels(labels)


@given(
    counts=st.lists(st.integers(2, 60), min_size=2, max_size=5),
    fraction=st.floats(0.05, 0.5),
    seed=st.integers(0, 2**31),
)
def test_a_split_keeps_every_face_once_and_every_labels_share(
    counts: list[int], fraction: float, seed: int
) -> None:
    targets = [label for label, count in enumerate(counts) for _ in range(count)]
    data = dataset(targets, tuple("abcde"[: len(counts)]))
    rest, apart = stratified_split(data, fraction, seed)
    assert sorted(rest.names + apart.names) == sorted(data.names)
    for label, count in zip(data.labels, counts, strict=True):
        assert apart.counts()[label] == max(1, round(fraction * count))
    again, _ = stratified_split(data, fraction, seed)
    assert again.names == rest.names


def test_copies_of_one_picture_stay_on_one_side() -> None:
    data = dataset([0, 1] * 40)
    pictures = data.images.copy()
    pictures[40:] = pictures[:40]
    data = FaceDataset(pictures, data.targets, data.labels, data.names)
    rest, apart = stratified_split(data, 0.3, 1)
    assert not {p.tobytes() for p in rest.images} & {p.tobytes() for p in apart.images}


def test_faces_that_stand_in_the_test_split_are_dropped() -> None:
    data = dataset([0, 1, 0, 1])
    kept = drop_shared(data, data.subset(np.array([1, 3])))
    assert kept.names == ("0.png", "2.png")
    assert drop_shared(kept, data.subset(np.array([1]))) is kept


def test_faces_may_be_left_out_without_a_second_copy_of_the_others() -> None:
    data = dataset([0, 1, 0, 1] * 300)
    other = data.subset(np.arange(0, 1200, 7))
    apart = drop_shared(data, other)
    kept = drop_shared(data, other, in_place=True)
    assert np.shares_memory(kept.images, data.images)
    assert kept.names == apart.names
    assert kept.digest() == apart.digest()


def test_fer2013_reads_whole(shared: Path) -> None:
    data = with_votes(
        read_folder(shared / "fer2013" / "test"), read_votes(shared / "fer2013" / "ferplus.csv")
    )
    assert len(data) == 3589
    assert data.counts()["disgust"] == 56
    assert data.votes is not None
    assert data.votes[data.votes.sum(1) > 0].sum(1).mean() > 8


def test_pictures_of_one_name_are_told_apart_by_their_place(tmp_path: Path) -> None:
    generator = np.random.default_rng(8)
    for folder in ("train/happy", "train/sad", "test/happy", "test/sad"):
        (tmp_path / "d" / folder).mkdir(parents=True)
        face = generator.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        images.save(face, tmp_path / "d" / folder / "1.png")
    for cache in (False, True, True):  # read, kept, and read from what was kept
        data = load_dataset(tmp_path / "d", "test", cache=cache)
        assert data.names == ("1.png", "1.png")
        assert data.places == ("test/happy/1.png", "test/sad/1.png")
        assert data.subset(np.array([1])).places == ("test/sad/1.png",)
    assert load_dataset(tmp_path / "d" / "train").places == ("happy/1.png", "sad/1.png")
