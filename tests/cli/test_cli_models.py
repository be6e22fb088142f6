from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from mien.cli import _cards, models
from mien.core.errors import CardError, DownloadError, MienError, ModelNotFoundError, OptionError
from mien.testing import fake_card, tiny_onnx, write_model
from mien.zoo import layers, registry, store
from mien.zoo.card import Card, Metric

LABELS = ("no", "yes")
CARD = replace(
    fake_card(LABELS, name="mien-base", threshold=0.4),
    parameters=4,
    licence="MIT",
    intended_use="Tests.",
    limits="Reads brightness only.",
    training={"data": {"name": "none"}, "epochs": [1, 2]},
    metrics=(
        Metric("accuracy", 0.6912, "FER2013 test", "one pass", 0.676, 0.707),
        Metric("macro_f1", 0.5, "x", "y"),
    ),
    confusion=((8, 2), (1, 9)),
)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A packaged default model and an empty data folder."""
    (tmp_path / "packaged").mkdir()
    write_model(tmp_path / "packaged", CARD)
    monkeypatch.setattr("mien.zoo._entries.PACKAGED", tmp_path / "packaged")
    monkeypatch.setenv("MIEN_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("MODEL_PATH", raising=False)
    return tmp_path


def run(*args: str | Path, fails_with: type[MienError] | None = None) -> Result:
    result = CliRunner().invoke(models.app, [str(arg) for arg in args])
    if fails_with is None:
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    else:
        assert isinstance(result.exception, fails_with), result.output
    return result


def lines(*args: str | Path) -> list[str]:
    result = run(*args)
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_list_in_a_pipe_is_one_line_each(folders: Path) -> None:
    first, detector = lines("list")
    size = (folders / "packaged" / "mien-base.onnx").stat().st_size
    assert first.split("\t") == ["mien-base", "packaged", str(size), "4", "0.6912", "no,yes"]
    assert detector.split("\t")[:2] == ["yunet", "detector"]
    assert detector.endswith("mien models pull yunet")


def test_list_as_json(folders: Path) -> None:
    rows = json.loads(run("list", "--json").stdout)
    assert [row["name"] for row in rows] == ["mien-base", "yunet"]
    assert rows[0]["labels"] == ["no", "yes"]
    assert rows[1]["path"] is None


def test_list_goes_on_after_a_broken_card(folders: Path) -> None:
    (folders / "packaged" / "mien-base.json").write_text("{")
    assert "not JSON" in lines("list")[0]
    assert "not JSON" in json.loads(run("list", "--json").stdout)[0]["problem"]


def test_show_in_a_pipe(folders: Path) -> None:
    text = lines("show", "mien-base")
    assert "labels: no, yes" in text
    assert "licence: MIT" in text
    assert "input: 48×48 gray, mean 0, std 1" in text
    assert "accuracy: 69.1% (95 % interval 67.6% to 70.7%), FER2013 test; one pass" in text
    assert "macro_f1: 0.500, x; y" in text
    assert "true yes: no 1, yes 9" in text
    assert "training data.name: none" in text
    assert "training epochs: 1, 2" in text
    assert "limits: Reads brightness only." in text
    assert not any(line.startswith("layer") for line in text)


def test_show_layers(folders: Path) -> None:
    layers = [line.split("\t")[1:] for line in lines("show", "mien-base", "--layers") if line[:5] == "layer"]
    assert ["dense", "Gemm", "1×2", "4"] in layers
    assert len(layers) == 4


def test_show_as_json(folders: Path) -> None:
    data = json.loads(run("show", "mien-base", "--json", "--layers").stdout)
    assert Card.from_dict(data["card"]).without_digest() == CARD
    assert data["digest"] == data["card"]["sha256"]
    assert sum(layer["parameters"] for layer in data["layers"]) == 4
    assert "layers" not in json.loads(run("show", "mien-base", "--json").stdout)


def test_show_takes_a_path(folders: Path) -> None:
    path = write_model(folders, fake_card(["a", "b"], name="apart"))
    assert "labels: a, b" in lines("show", path)


def test_show_on_a_terminal(folders: Path) -> None:
    entry = registry.find("mien-base")
    card = entry.card()
    console = Console(width=100, file=io.StringIO())
    layer = layers.Layer("[red]conv", "Conv", None, 12)
    _cards.draw(console, card, "d" * 64, entry, (layer,))
    text = console.file.getvalue()
    for words in (
        "mien-base",
        "69.1%",
        "67.6% to 70.7%",
        "Confusion",
        "Reads brightness",
        "MIT",
        "data.name",
    ):
        assert words in text
    assert "[red]conv" in text
    assert "1 in all, with 12 parameters" in text


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["list"], ["mien-base", "(default)", "69.1%", "no, yes", "pull yunet"]),
        (["verify"], ["mien-base", "ok", "lost", "is missing"]),
        (["show", "mien-base"], ["Metrics", "67.6% to 70.7%", "Confusion", "Reads brightness"]),
    ],
)
def test_tables_on_a_real_terminal(folders: Path, args: list[str], words: list[str]) -> None:
    (folders / "packaged" / "lost.json").write_text(CARD.to_json())
    code = (
        "import sys, pathlib, mien.zoo._entries as entries, mien.cli.models as models\n"
        "entries.PACKAGED = pathlib.Path(sys.argv.pop(1))\n"
        "models.app()"
    )
    terminal, end = os.openpty()
    command = [sys.executable, "-c", code, str(folders / "packaged"), *args]
    ran = subprocess.Popen(command, stdout=end, env={**os.environ, "COLUMNS": "160", "TERM": "xterm"})
    os.close(end)
    shown = b""
    with suppress(OSError):  # how Linux says that the other end is closed
        while piece := os.read(terminal, 4096):
            shown += piece
    os.close(terminal)
    assert ran.wait() == (1 if args == ["verify"] else 0)
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown.decode())
    assert "│" in text
    for word in words:
        assert word in text


def test_a_card_cannot_write_to_the_terminal(folders: Path) -> None:
    write_model(folders / "packaged", replace(CARD, name="evil", licence="MIT\x1b[2J\nlicence: free"))
    text = run("show", "evil").stdout
    assert "\x1b" not in text
    assert text.count("\nlicence: ") == 1


def test_an_unknown_model_lists_the_known(folders: Path) -> None:
    error = run("show", "mien-bas", fails_with=ModelNotFoundError).exception
    assert "did you mean 'mien-base'" in str(error)


def test_add_then_list(folders: Path) -> None:
    card = fake_card(LABELS, name="mine")
    (folders / "m.onnx").write_bytes(tiny_onnx(card))
    (folders / "m.json").write_text(card.to_json())
    assert lines("add", folders / "m.onnx", "--card", folders / "m.json")[0].startswith("added mine: ")
    assert [line.split("\t")[:2] for line in lines("list")][1] == ["mine", "user"]
    again = ("add", folders / "m.onnx", "--card", folders / "m.json")
    run(*again, fails_with=OptionError)
    assert lines(*again, "--replace")


def test_add_refuses_what_does_not_fit(folders: Path) -> None:
    (folders / "m.onnx").write_bytes(tiny_onnx(CARD, outputs=5, metadata=""))
    (folders / "m.json").write_text(replace(CARD, name="mine").to_json())
    error = run("add", folders / "m.onnx", "--card", folders / "m.json", fails_with=CardError).exception
    assert "5 numbers" in str(error)
    missing = ("add", folders / "m.onnx", "--card", folders / "nowhere.json")
    run(*missing, fails_with=CardError)
    assert run("add", folders / "m.onnx").exit_code == 2


@pytest.fixture
def address(folders: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A web server on this machine with another small file in YuNet's place."""
    content = b"stands for a detector"
    (folders / "web").mkdir()
    (folders / "web" / "yunet").write_bytes(content)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folders / "web")))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/yunet"
    asset: Any = replace(
        store.ASSETS["yunet"], url=url, sha256=hashlib.sha256(content).hexdigest(), size=len(content)
    )
    monkeypatch.setitem(store.ASSETS, "yunet", asset)
    yield url
    server.shutdown()
    thread.join()
    server.server_close()


def test_pull(folders: Path, address: str) -> None:
    [line] = lines("pull", "yunet")
    path = folders / "data" / "detectors" / store.ASSETS["yunet"].file
    assert line == f"yunet: {path}"
    assert path.is_file()
    assert lines("list")[1].endswith("here")
    assert lines("verify") == ["mien-base\tpackaged\tok", "yunet\tdetector\tok"]


def test_pull_from_a_file_or_another_address(folders: Path, address: str) -> None:
    assert lines("pull", "yunet", "--from", folders / "web" / "yunet")
    (folders / "data" / "detectors" / store.ASSETS["yunet"].file).unlink()
    assert lines("pull", "yunet", "--from", address)


def test_pull_that_fails(folders: Path, address: str) -> None:
    (folders / "web" / "yunet").unlink()
    assert "404" in str(run("pull", "yunet", fails_with=DownloadError).exception)
    run("pull", "other", fails_with=OptionError)


def test_verify_fails_where_a_file_is_broken(folders: Path) -> None:
    assert lines("verify") == ["mien-base\tpackaged\tok"]
    (folders / "packaged" / "mien-base.onnx").write_bytes(b"broken")
    result = run("verify")
    assert result.exit_code == 1
    assert "SHA-256" in result.stdout
    result = run("verify", "--json")
    assert result.exit_code == 1
    [row] = json.loads(result.stdout)
    assert row["ok"] is False
    assert "SHA-256" in row["problem"]


def test_convert_writes_a_file_for_phones(folders: Path) -> None:
    made = lines("convert", "mien-base", "--output", folders / "phone")
    assert "mien-base.ort (0.0 MB) and mien-base.ort.json" in made[0]
    assert registry.load_model(folders / "phone" / "mien-base.ort").card.labels == LABELS
    run("convert", "mien-base", "--to", "tflite", fails_with=OptionError)
    run("convert", "mien-base", "--style", "fast", fails_with=OptionError)
