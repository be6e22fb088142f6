from __future__ import annotations

import gc
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from zoo_support import Places

from mien.core.errors import CardError, DigestError, ModelError, ModelNotFoundError, OptionError
from mien.testing import fake_card, tiny_onnx, write_model
from mien.zoo import registry
from mien.zoo.card import Card
from mien.zoo.registry import DEFAULT_MODEL, list_models, load_model


def rewrite_card(path: Path, **changes: Any) -> None:
    card = Card.read(path.with_suffix(".json"))
    path.with_suffix(".json").write_text(replace(card, **changes).to_json(), encoding="utf-8")


def test_without_a_name_the_default_is_loaded(places: Places) -> None:
    write_model(places.packaged, fake_card(name=DEFAULT_MODEL))
    model = load_model()
    assert model.name == model.card.name == model.reference.name == DEFAULT_MODEL
    assert model.reference.digest == model.digest == model.card.sha256
    assert model.session.run(np.zeros((1, 1, 48, 48), dtype=np.float32)).argmax() == 0


def test_model_path_comes_before_the_default(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model(places.packaged, fake_card(name=DEFAULT_MODEL))
    monkeypatch.setenv("MODEL_PATH", str(write_model(tmp_path, fake_card(["yes", "no"], name="mine"))))
    assert load_model().card.labels == ("yes", "no")
    assert load_model(DEFAULT_MODEL).name == DEFAULT_MODEL
    monkeypatch.setenv("MODEL_PATH", "")
    assert load_model().name == DEFAULT_MODEL


@pytest.mark.parametrize("place", ["nowhere.onnx", "nowhere", "."])
def test_model_path_that_points_nowhere(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    write_model(places.packaged, fake_card(name=DEFAULT_MODEL))
    monkeypatch.setenv("MODEL_PATH", str(tmp_path / place))
    with pytest.raises(ModelNotFoundError, match="MODEL_PATH"):
        load_model()


def test_a_user_model_goes_by_its_name(places: Places) -> None:
    places.models.mkdir(parents=True)
    write_model(places.models, fake_card(name="mine"))
    write_model(places.packaged, fake_card(name="theirs"))
    assert [(entry.name, entry.origin) for entry in list_models()] == [
        ("theirs", "packaged"),
        ("mine", "user"),
    ]
    assert load_model("mine").name == "mine"


def test_a_folder_that_was_never_made_holds_no_model(places: Places) -> None:
    assert list_models() == ()
    assert not places.data.exists()


def test_an_unknown_name_lists_the_known_and_guesses(places: Places) -> None:
    write_model(places.packaged, fake_card(name="mien-base"))
    write_model(places.packaged, fake_card(name="mien-small"))
    with pytest.raises(ModelNotFoundError, match=r"did you mean 'mien-base'\? .*mien-base, mien-small"):
        load_model("mien-bass")
    with pytest.raises(ModelNotFoundError, match="Installed: mien-base, mien-small"):
        load_model("qqq")


@pytest.mark.parametrize("name", ["nowhere.onnx", "some/where", ""])
def test_a_missing_path(places: Places, name: str) -> None:
    with pytest.raises(ModelNotFoundError):
        load_model(name)


def test_a_path_needs_no_name(places: Places, tmp_path: Path) -> None:
    path = write_model(tmp_path, fake_card(name="apart"))
    renamed = path.rename(tmp_path / "other.onnx")
    path.with_suffix(".json").rename(tmp_path / "other.json")
    assert load_model(renamed).name == load_model(str(renamed)).name == "apart"


def test_the_card_may_be_in_the_metadata(places: Places, tmp_path: Path) -> None:
    path = write_model(tmp_path)
    path.with_suffix(".json").unlink()
    assert load_model(path).card == fake_card(name="tiny")


def test_a_model_without_a_card(places: Places, tmp_path: Path) -> None:
    path = tmp_path / "bare.onnx"
    path.write_bytes(tiny_onnx(fake_card(), metadata=""))
    with pytest.raises(CardError, match=r"no card; put bare\.json beside it"):
        load_model(path)


def test_an_installed_model_needs_its_card_beside_it(places: Places) -> None:
    path = write_model(places.packaged)
    rewrite_card(path, sha256=None)
    with pytest.raises(CardError, match="sha256"):
        load_model("tiny")
    path.with_suffix(".json").unlink()
    with pytest.raises(CardError, match="missing"):
        load_model("tiny")


def test_a_changed_file_is_refused(places: Places) -> None:
    path = write_model(places.packaged)
    path.write_bytes(tiny_onnx(fake_card(name="tiny"), metadata=""))
    with pytest.raises(DigestError, match=Card.read(path.with_suffix(".json")).sha256):
        load_model("tiny")


def test_a_file_that_is_no_network(places: Places, tmp_path: Path) -> None:
    path = tmp_path / "text.onnx"
    path.write_text("no network")
    path.with_suffix(".json").write_text(fake_card().to_json())
    with pytest.raises(ModelError, match=r"text\.onnx' is not an ONNX network"):
        load_model(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": ("one", "two")}, "2 labels.*7 numbers"),
        ({"input": replace(fake_card().input, colour="rgb")}, "channels 3.*reads 1"),
        ({"input": replace(fake_card().input, width=64)}, "width 64.*reads 48"),
    ],
)
def test_a_card_that_disagrees_with_the_network(
    places: Places, tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(tiny_onnx(fake_card(), metadata=""))
    path.with_suffix(".json").write_text(replace(fake_card(), **changes).to_json())
    with pytest.raises(CardError, match=words):
        load_model(path)


def test_a_metadata_card_of_another_network(places: Places, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    reordered = replace(fake_card(), labels=fake_card().labels[::-1])
    path.write_bytes(tiny_onnx(fake_card(), metadata=reordered))
    path.with_suffix(".json").write_text(fake_card().to_json())
    with pytest.raises(CardError, match=r"different labels: angry, .*, surprise and surprise, .*, angry;"):
        load_model(path)
    wide = replace(fake_card(), input=replace(fake_card().input, width=64, mean=0.5))
    path.write_bytes(tiny_onnx(fake_card(), metadata=wide))
    mean = fake_card().input.mean
    with pytest.raises(CardError, match=f"different input width: 48 and 64; input mean: {mean} and 0.5;"):
        load_model(path)
    path.write_bytes(tiny_onnx(fake_card(), metadata="{"))
    with pytest.raises(CardError, match=r"metadata of model .*not JSON"):
        load_model(path)


def test_a_threshold_may_be_tuned_beside_the_file(places: Places, tmp_path: Path) -> None:
    path = write_model(tmp_path)
    rewrite_card(path, threshold=0.7)
    assert load_model(path).card.threshold == 0.7


def test_a_network_that_ends_in_a_softmax(places: Places, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(tiny_onnx(fake_card(), last="Softmax"))
    with pytest.raises(ModelError, match="softmax"):
        load_model(path)


def test_a_network_that_gives_no_numbers(places: Places, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(tiny_onnx(fake_card(), last="Log"))  # of logits below zero
    with pytest.raises(ModelError, match="not finite"):
        load_model(path)


def test_models_of_one_file_share_a_session(places: Places, tmp_path: Path) -> None:
    path = write_model(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        loaded = list(pool.map(lambda _: load_model(path, threads=1), range(8)))
    assert len({id(model.session) for model in loaded}) == 1
    assert load_model(path, threads=2).session is not loaded[0].session
    copy = tmp_path / "copy.onnx"
    copy.write_bytes(path.read_bytes())
    assert load_model(copy, threads=1).session is loaded[0].session


def test_a_session_on_the_processor_does_not_stand_in_for_cuda(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("needs an onnxruntime on which cuda does not start")
    offered = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: offered)
    path = write_model(tmp_path)
    started: Any = load_model(path, threads=1)
    assert started.session.device == "cpu"
    with pytest.raises(ModelError, match="cuda"):
        load_model(path, threads=1, device="cuda")


def test_a_session_ends_with_its_last_model(places: Places, tmp_path: Path) -> None:
    path = write_model(tmp_path, fake_card(name="nobody-elses"))  # other tests' models may still be about
    model: Any = load_model(path, threads=1)
    digest = model.digest
    assert any(key[1] == digest for key in registry._sessions)
    del model
    gc.collect()
    assert not any(key[1] == digest for key in registry._sessions)


@pytest.mark.parametrize("options", [{"threads": 0}, {"device": "tpu"}])
def test_unknown_options(places: Places, tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        load_model(write_model(tmp_path), **options)


def test_importing_loads_no_runtime_and_makes_no_folder(tmp_path: Path) -> None:
    code = (
        "import sys, mien.zoo.store, mien.zoo.registry, mien.testing; mien.zoo.registry.list_models();"
        "print([name for name in ('onnxruntime', 'onnx', 'torch', 'cv2') if name in sys.modules])"
    )
    data = tmp_path / "data"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "MIEN_DATA": str(data)},
        check=True,
    )
    assert ran.stdout.strip() == "[]"
    assert not data.exists()
