"""Explaining a picture from Python: which face, which label, as what the picture is taken."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mien
from mien.core.errors import ImageError, ModelError, OptionError
from mien.evaluation import explain
from mien.testing import convolutional_onnx, crops, fake_card, picture, tiny_onnx, write_model

FACE = Path(mien.__file__).parent / "samples" / "eileen-collins.jpg"
EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    card = fake_card(name="small", threshold=0.3)
    return write_model(tmp_path_factory.mktemp("model"), card, convolutional_onnx(card))


def test_a_photo_is_explained_face_by_face_as_it_is_analysed(model: Path) -> None:
    found = explain(FACE, model=model)
    analysed = mien.analyze(FACE, model=model)
    assert found.analysis is not None
    assert [face.face for face in found.faces] == list(found.analysis.faces)
    (face,) = found.faces
    assert dict(face.scores) == pytest.approx(dict(analysed.faces[0].scores), abs=1e-6)
    assert face.label == analysed.faces[0].top
    assert face.crop.shape == face.occlusion.map.shape == (48, 48)
    assert face.grad_cam is not None
    assert face.grad_cam.over(0, 48, 48).max() in (0, 1)


def test_any_name_of_an_emotion_can_be_asked_for(model: Path) -> None:
    (face,) = explain(crops(1)[0], model=model, label="Happiness").faces
    assert (face.label, face.occlusion.label) == ("happy", 3)


def test_a_picture_of_the_models_size_is_a_face_that_is_cut_out(model: Path) -> None:
    found = explain(crops(1)[0], model=model)
    assert found.analysis is None
    assert found.source is None
    assert np.array_equal(found.faces[0].crop, crops(1)[0])
    with pytest.raises(ImageError, match="no face was found"):
        explain(crops(1)[0], model=model, crop=False)


def test_a_crop_of_another_size_is_resized_as_data_sets_are(model: Path) -> None:
    with pytest.raises(ImageError, match="--crop"):
        explain(picture(), model=model)
    assert explain(picture(), model=model, crop=True).faces[0].crop.shape == (48, 48)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"face": 2}, "has 1 face"),
        ({"face": 0}, "numbered from 1"),
        ({"label": "bored"}, "'bored'; choose from angry"),
        ({"colour": "red"}, "unknown option colour"),
    ],
)
def test_what_is_not_there_cannot_be_explained(model: Path, wrong: dict[str, object], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        explain(crops(1)[0], model=model, **wrong)


def test_a_network_without_feature_maps_has_no_grad_cam(tmp_path: Path) -> None:
    (face,) = explain(crops(1)[0], model=write_model(tmp_path)).faces
    assert face.grad_cam is None
    assert face.to_dict()["grad_cam"] is None
    assert [response.operators for response in face.responses] == [("GlobalAveragePool",)]


def test_colour_and_other_sizes_are_read_as_the_card_says(tmp_path: Path) -> None:
    from dataclasses import replace

    card = fake_card(name="colour", size=32)
    card = replace(card, input=replace(card.input, colour="rgb", height=40))
    path = write_model(tmp_path, card, convolutional_onnx(card))
    (face,) = explain(FACE, model=path).faces
    assert face.crop.shape == (40, 32, 3)
    (face,) = explain(picture(), model=path, crop=True).faces
    assert face.crop.shape == (40, 32, 3)
    assert face.occlusion.map.shape == (40, 32)


def test_the_numbers_are_plain_and_finite(model: Path) -> None:
    found = explain(FACE, model=model, label="fear").to_dict(strongest=2)
    text = json.dumps(found, allow_nan=False)
    (face,) = json.loads(text)["faces"]
    assert face["explained"] == "fear"
    assert np.array(face["grad_cam"]["maps"]["fear"]).shape == (46, 46)
    assert np.array(face["occlusion"]["drops"]).shape == (13, 13)
    assert [len(layer["strongest"]) for layer in face["layers"]] == [2, 2]
    means = [abs(channel["mean"]) for channel in face["layers"][0]["strongest"]]
    assert means == sorted(means, reverse=True)


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "srcset", "href")]
        self.ids += [value or "" for name, value in attrs if name == "id"]


def test_the_page_holds_everything_and_loads_nothing(tmp_path: Path) -> None:
    for package in ("matplotlib", "jinja2"):
        pytest.importorskip(package, reason=f"needs {package}, of the report extra")
    from mien.evaluation.explain_report import write_explanation

    card = fake_card((EVIL, "b & c"), name="small")
    path = write_model(tmp_path, card, convolutional_onnx(card, channels=60))
    photo = tmp_path / "two.png"
    with Image.open(FACE) as one:
        both = Image.new("RGB", (2 * one.width, one.height))
        both.paste(one, (0, 0))
        both.paste(one.resize((one.width // 2, one.height // 2)), (one.width, 0))
    both.save(photo)
    found = explain(photo, model=path)
    assert [face.number for face in found.faces] == [1, 2]
    page = write_explanation(tmp_path / "why", found, channels=4)
    text = page.read_text(encoding="utf-8")
    read = Page(text)
    assert EVIL not in text
    assert "script" not in read.tags
    assert all(link.startswith("data:image/") for link in read.links)
    assert len(read.ids) == len(set(read.ids)) == 2 + 2 * 3
    assert read.tags.count("img") == 1 + 2 * (3 + 2)
    for words in ("not why a person looks so", "not an inner state", "46 by 46 cells"):
        assert words in text
    names = {str(file.relative_to(page.parent)) for file in page.parent.rglob("*") if file.is_file()}
    assert {"explain.json", "faces.jpg", "face-2/grad-cam-dark.png", "face-1/scores.svg"} <= names
    assert "face-1/grad-cam.svg" not in names
    with Image.open(page.parent / "face-1" / "layers" / "01-Conv.png") as first:
        assert first.width == 4 * 46 + 3 * 3  # four maps and the room between them


def test_a_file_of_another_form_says_which_is_needed(tmp_path: Path) -> None:
    path = write_model(tmp_path, content=tiny_onnx(fake_card(name="tiny")) + b"\x00")
    with pytest.raises(ModelError):
        explain(crops(1)[0], model=path)
