from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from zoo_support import Places, Server, sends

from mien.core.errors import CardError, DigestError, DownloadError, ModelError, OptionError, OutputError
from mien.testing import fake_card, tiny_onnx, write_model
from mien.zoo import store
from mien.zoo.card import Card
from mien.zoo.registry import DEFAULT_MODEL, load_model

CONTENT = b"stands for a detector" * 100


@pytest.fixture
def asset(monkeypatch: pytest.MonkeyPatch, server: Server) -> store.Asset:
    """YuNet's place, with a content of our own on this machine."""
    small = replace(
        store.ASSETS["yunet"],
        url=server.url("/yunet", sends(CONTENT)),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        size=len(CONTENT),
    )
    monkeypatch.setitem(store.ASSETS, "yunet", small)
    return small


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MIEN_DATA", str(tmp_path / "mine"))
    assert store.data_folder() == tmp_path / "mine"
    monkeypatch.delenv("MIEN_DATA")
    assert store.data_folder().name == "mien"


def test_the_table_of_assets_is_yunet_as_the_opencv_zoo_has_it(shared: Path) -> None:
    yunet = store.ASSETS["yunet"]
    content = (shared / "models" / yunet.file).read_bytes()
    assert len(content) == yunet.size
    assert hashlib.sha256(content).hexdigest() == yunet.sha256
    assert yunet.url.startswith("https://media.githubusercontent.com/media/opencv/opencv_zoo/")
    assert yunet.url.endswith(yunet.file)


def test_pull_brings_the_file_once(places: Places, asset: store.Asset, server: Server) -> None:
    assert store.asset_path("yunet") is None
    told: list[int] = []
    path = store.pull("yunet", progress=lambda done, total: told.append(done))
    assert path == store.asset_path("yunet") == places.detectors / asset.file
    assert path.read_bytes() == CONTENT
    assert told[-1] == len(CONTENT)
    assert store.pull("yunet") == path
    assert server.requests == ["/yunet"]


def test_pull_from_another_address_or_a_file(
    places: Places, asset: store.Asset, server: Server, tmp_path: Path
) -> None:
    mirror = server.url("/mirror", sends(CONTENT))
    store.pull("yunet", source=mirror).unlink()
    assert server.requests == ["/mirror"]
    (tmp_path / "copy").write_bytes(CONTENT)
    assert store.pull("yunet", source=str(tmp_path / "copy")).read_bytes() == CONTENT


@pytest.mark.parametrize("content", [CONTENT[::-1], b"", CONTENT + b"more"])
def test_pull_from_a_wrong_file(places: Places, asset: store.Asset, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "copy").write_bytes(content)
    with pytest.raises(DownloadError, match=asset.sha256):
        store.pull("yunet", source=str(tmp_path / "copy"))
    with pytest.raises(DownloadError, match="does not exist"):
        store.pull("yunet", source=str(tmp_path / "nowhere"))
    assert not places.data.exists()


def test_a_broken_pull_leaves_nothing(places: Places, asset: store.Asset, server: Server) -> None:
    server.url("/yunet", sends(CONTENT[:50], length=len(CONTENT)))
    with pytest.raises(DownloadError, match="broke off"):
        store.pull("yunet")
    assert files(places.data) == []
    assert store.asset_path("yunet") is None


def test_a_forbidden_address_makes_no_folder(places: Places, asset: store.Asset) -> None:
    with pytest.raises(DownloadError, match="not allowed"):
        store.pull("yunet", source="http://example.org/yunet")
    assert not places.data.exists()


def test_a_damaged_asset_is_told_and_replaced(places: Places, asset: store.Asset) -> None:
    store.pull("yunet").write_bytes(b"damaged")
    with pytest.raises(DigestError, match="mien models pull yunet"):
        store.asset_path("yunet")
    assert store.pull("yunet").read_bytes() == CONTENT


def test_an_unknown_asset(places: Places) -> None:
    with pytest.raises(OptionError, match=r"'yunett'.*yunet"):
        store.pull("yunett")
    with pytest.raises(OptionError):
        store.asset_path("yunett")


def test_a_data_folder_that_is_a_file(places: Places, asset: store.Asset, tmp_path: Path) -> None:
    places.data.write_text("in the way")
    assert store.asset_path("yunet") is None
    with pytest.raises(OutputError):
        store.pull("yunet")
    with pytest.raises(OutputError):
        add(tmp_path)


# Adding a model


def pair(folder: Path, card: Card, **network: Any) -> tuple[Path, Path]:
    weights, text = folder / "given.onnx", folder / "given-card.json"
    weights.write_bytes(tiny_onnx(card, **network))
    text.write_text(card.to_json(), encoding="utf-8")
    return weights, text


def add(folder: Path, card: Card | None = None, *, replacing: bool = False, **network: Any) -> store.Entry:
    weights, text = pair(folder, card or fake_card(name="mine"), **network)
    return store.add_model(weights, text, replace_existing=replacing)


def test_an_added_model_can_be_used_by_name(places: Places, tmp_path: Path) -> None:
    entry = add(tmp_path)
    assert files(places.data) == ["mine.json", "mine.onnx"]
    assert entry.card().sha256 == hashlib.sha256(entry.path.read_bytes()).hexdigest()
    assert load_model("mine").card.without_digest() == fake_card(name="mine")


def test_a_metadata_card_is_not_needed(places: Places, tmp_path: Path) -> None:
    assert add(tmp_path, metadata="").card().name == "mine"


def test_a_packaged_name_is_not_shadowed(places: Places, tmp_path: Path) -> None:
    write_model(places.packaged, fake_card(name="mien-base"))
    for name in ("mien-base", "Mien-Base"):
        with pytest.raises(OptionError, match="ships with Mien"):
            add(tmp_path, fake_card(name=name), replacing=True)
    assert files(places.data) == []


def test_a_user_model_is_replaced_only_on_request(places: Places, tmp_path: Path) -> None:
    add(tmp_path)
    other = fake_card(["yes", "no"], name="mine")
    with pytest.raises(OptionError, match="already"):
        add(tmp_path, other)
    assert len(load_model("mine").card.labels) == 7
    add(tmp_path, other, replacing=True)
    assert load_model("mine").card.labels == ("yes", "no")
    assert files(places.data) == ["mine.json", "mine.onnx"]


@pytest.mark.parametrize("name", ["", ".", "..", "../up", "a/b", "a\\b", ".hidden", "new\nline", "x" * 101])
def test_a_name_that_cannot_be_a_file(places: Places, tmp_path: Path, name: str) -> None:
    with pytest.raises(CardError, match="card name"):
        add(tmp_path, fake_card(name=name))
    assert files(places.data) == []


@pytest.mark.parametrize(
    ("network", "error"),
    [
        ({"outputs": 5}, CardError),
        ({"last": "Softmax"}, ModelError),
        ({"metadata": fake_card(name="another")}, CardError),
        ({"metadata": fake_card(name="mine", threshold=0.5)}, CardError),
        ({"metadata": "[]"}, CardError),
    ],
)
def test_a_model_that_does_not_fit_its_card_is_not_added(
    places: Places, tmp_path: Path, network: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        add(tmp_path, **network)
    assert files(places.data) == []


def test_a_card_with_the_digest_of_another_file(places: Places, tmp_path: Path) -> None:
    with pytest.raises(DigestError):
        add(tmp_path, replace(fake_card(name="mine"), sha256="0" * 64))
    assert files(places.data) == []


@pytest.mark.parametrize("too_large", ["twin", "network"])
def test_a_full_disk_leaves_the_model_that_was_there(places: Places, tmp_path: Path, too_large: str) -> None:
    resource = pytest.importorskip("resource", reason="file size limits are POSIX")
    add(tmp_path)
    weights, text = pair(tmp_path, fake_card(["yes", "no"], name="mine"))
    small = weights.stat().st_size if too_large == "twin" else 5000
    weights.with_suffix(".safetensors").write_bytes(b"t" * (small + 1))
    # The system refuses to write larger files, as a full disk would.
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (small, before[1]))
    try:
        with pytest.raises(OutputError, match="cannot be written: file too large"):
            store.add_model(weights, text, replace_existing=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(load_model("mine").card.labels) == 7
    assert files(places.data) == ["mine.json", "mine.onnx"]


# Verifying


def problems() -> dict[str, str | None]:
    return {check.name: check.problem for check in store.verify()}


def test_sound_files_have_no_problem(places: Places, asset: store.Asset, tmp_path: Path) -> None:
    write_model(places.packaged, fake_card(name=DEFAULT_MODEL))
    add(tmp_path, metadata="")
    store.pull("yunet")
    assert problems() == {DEFAULT_MODEL: None, "mine": None, "yunet": None}


def test_a_missing_default_is_a_problem(places: Places) -> None:
    assert "install Mien again" in (problems()[DEFAULT_MODEL] or "")


def test_each_broken_file_has_its_problem(places: Places, asset: store.Asset) -> None:
    write_model(places.packaged, fake_card(name=DEFAULT_MODEL))
    places.models.mkdir(parents=True)
    for name in ("changed", "cardless", "lone", "tuned", "misnamed"):
        write_model(places.models, fake_card(name=name))
    (places.models / "changed.onnx").write_bytes(b"changed")
    (places.models / "cardless.json").unlink()
    (places.models / "lone.onnx").unlink()
    card_path = places.models / "tuned.json"
    card_path.write_text(json.dumps({**json.loads(card_path.read_text()), "temperature": 2.0}))
    for suffix in (".onnx", ".json"):
        (places.models / f"misnamed{suffix}").rename(places.models / f"renamed{suffix}")
    store.pull("yunet").write_bytes(b"damaged")
    found = problems()
    assert found.pop(DEFAULT_MODEL) is None
    words = {
        "changed": "SHA-256",
        "cardless": "is missing",
        "lone": "lone.onnx is missing",
        "tuned": "differ in temperature",
        "renamed": "'misnamed'",
        "yunet": "SHA-256",
    }
    assert found.keys() == words.keys()
    for name, word in words.items():
        assert word in (found[name] or ""), name


def test_packaged_weights_carry_their_card(places: Places) -> None:
    path = write_model(places.packaged, fake_card(name=DEFAULT_MODEL))
    bare = tiny_onnx(fake_card(name=DEFAULT_MODEL), metadata="")
    path.write_bytes(bare)
    card = replace(fake_card(name=DEFAULT_MODEL), sha256=hashlib.sha256(bare).hexdigest())
    path.with_suffix(".json").write_text(card.to_json())
    assert "metadata" in (problems()[DEFAULT_MODEL] or "")
