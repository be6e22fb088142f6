"""From a name or a path to a model that is ready to run, checked against its card."""

from __future__ import annotations

import difflib
import hashlib
import os
import threading
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from weakref import WeakValueDictionary

import numpy as np

from mien.core.errors import CardError, DigestError, ModelError, ModelNotFoundError, OptionError
from mien.core.files import shown
from mien.core.results import ModelReference
from mien.zoo._entries import Entry, card_file, installed
from mien.zoo.card import METADATA_KEY, Card
from mien.zoo.session import OnnxSession, Session, check_threads, read_weights, resolve_device

DEFAULT_MODEL = "mien-base"


@dataclass(frozen=True, slots=True)
class Model:
    """A classifier that is ready to run: its card, its session, and the SHA-256 of its file."""

    name: str
    card: Card
    session: Session
    digest: str

    @property
    def reference(self) -> ModelReference:
        """The name and digest that every result carries."""
        return ModelReference(self.name, self.digest)


def list_models() -> tuple[Entry, ...]:
    """Return every installed model: those of the package, then the user's, by name."""
    return installed()


def load_model(
    model: str | os.PathLike[str] | None = None, *, threads: int | None = None, device: str = "auto"
) -> Model:
    """Load a classifier and check it against its card.

    The file's SHA-256 is compared with the card's, the labels and the input with the network, and the network
    runs once on a zero picture. Models of the same file, threads and device share one session.

    Args:
        model: a name that `list_models` knows, or the path of an ONNX file with its card beside it (.json)
            or in its metadata, or of the folder of a run that was exported; a file in ORT format (.ort, its
            card .ort.json) will do too. Without it the
            MODEL_PATH environment variable, then `DEFAULT_MODEL`.
        threads: how many threads one call may use; without it every processor this process may use.
        device: "auto", "cpu" or "cuda".

    Raises:
        ModelNotFoundError: no such name or file.
        CardError: the card is missing, malformed, or disagrees with the network.
        DigestError: the file is not the one its card describes.
        ModelError: the file is not an ONNX classifier, or the device is not to be had.
        OptionError: unknown device or threads below 1.
    """
    return open_entry(find(model), threads=threads, device=device)


def find(model: str | os.PathLike[str] | None = None) -> Entry:
    """Return where `model` lies, without reading it; the name is empty for a path, the card knows it.

    Raises:
        ModelNotFoundError: no such name or file.
        OptionError: `model` is neither a name nor a path.
    """
    hint = ""
    if model is None:
        model = os.environ.get("MODEL_PATH") or DEFAULT_MODEL
        hint = "MODEL_PATH points to it; " if os.environ.get("MODEL_PATH") else ""
    if not isinstance(model, (str, os.PathLike)):
        raise OptionError(f"model has to be a name, such as {DEFAULT_MODEL!r}, or a path, not {model!r}")
    text = os.fspath(model)
    entries = installed()
    if not isinstance(model, os.PathLike):
        for entry in entries:
            if entry.name == text:
                return entry
        if not hint and not _looks_like_path(text):
            raise ModelNotFoundError(_unknown(text, [entry.name for entry in entries]))
    path = _in_folder(Path(text))
    if not path.is_file():
        folder = "is a folder without one model that has its name or is alone"
        problem = folder if path.is_dir() else "is not a file" if path.exists() else "does not exist"
        raise ModelNotFoundError(
            f"model file {shown(text)} {problem}; {hint}give the path of an .onnx file or the name of a model"
        )
    return Entry("", path, "file")


def _in_folder(path: Path) -> Path:
    """Return the model in a folder, such as that of a training run: the one of its name, or the only one."""
    if not path.is_dir():
        return path
    found = sorted(path.glob("*.onnx"))
    own = path / f"{path.resolve().name}.onnx"
    return own if own in found else found[0] if len(found) == 1 else path


def open_entry(entry: Entry, *, threads: int | None = None, device: str = "auto") -> Model:
    """Load the classifier of `entry`; see `load_model`."""
    content = read_weights(entry.path)
    beside = _card_beside(entry)
    return open_content(
        content, entry.path, beside=beside, name=entry.name or None, threads=threads, device=device
    )


def open_content(
    content: bytes,
    path: Path,
    *,
    beside: Card | None,
    name: str | None = None,
    threads: int | None = None,
    device: str = "auto",
) -> Model:
    """Make a model of the content of an ONNX file and the card beside it; `path` is for messages."""
    digest = hashlib.sha256(content).hexdigest()
    if beside is not None:
        check_digest(beside, digest, path)
    session = _shared_session(content, digest, path, threads, device)
    inside = metadata_card(session, path)
    card = beside or inside
    if card is None:
        raise CardError(
            f"model {shown(path)} has no card; put {card_file(path).name} beside it with its labels and input"
        )
    if beside is not None and inside is not None:
        _check_same_network(beside, inside, path)
    check_agreement(card, session, path)
    return Model(name or card.name, card, session, digest)


def _card_beside(entry: Entry) -> Card | None:
    """An installed model always has a JSON card with a digest; a file may keep its card inside instead."""
    if entry.origin == "file" and not entry.card_path.exists():
        return None
    card = entry.card()
    if entry.origin != "file" and card.sha256 is None:
        raise CardError(f"card {str(entry.card_path)!r} lacks the sha256 of its model; add the model again")
    return card


def check_digest(card: Card, digest: str, path: Path) -> None:
    """Raise DigestError where the card states another SHA-256 than `digest`."""
    if card.sha256 is not None and card.sha256.lower() != digest:
        raise DigestError(
            f"model file {shown(path)} has the SHA-256 {digest} and its card says {card.sha256}; "
            "it was changed or damaged: get the file and its card again"
        )


def metadata_card(session: OnnxSession, path: Path) -> Card | None:
    """Return the card inside the ONNX metadata, or None where there is none."""
    text = session.metadata.get(METADATA_KEY)
    if text is None:
        return None
    try:
        return Card.from_json(text)
    except CardError as error:
        raise CardError(f"in the metadata of model {shown(path)}: {error}") from error


def check_agreement(card: Card, session: Session, path: Path) -> None:
    """Raise CardError where the card does not describe the network, ModelError where it does not run."""
    wanted = (card.input.channels, card.input.height, card.input.width)
    names = ("channels", "height", "width")
    for name, says, has in zip(names, wanted, session.input_shape, strict=True):
        if has is not None and has != says:
            raise CardError(
                f"the card of model {shown(path)} says input {name} {says} and the network reads {has}; "
                "correct the card"
            )
    zero = np.full((2, *wanted), -card.input.mean / card.input.std, dtype=np.float32)
    logits = session.run(zero)
    if logits.shape != (2, len(card.labels)):
        raise CardError(
            f"the card of model {shown(path)} has {len(card.labels)} labels ({', '.join(card.labels)}) "
            f"and the network gives {logits.shape[-1]} numbers; correct the card"
        )
    if not np.isfinite(logits).all():
        raise ModelError(
            f"the network of model {shown(path)} gives numbers that are not finite; export it again"
        )
    if (logits >= 0).all() and np.allclose(logits.sum(axis=1), 1.0, atol=1e-4):
        raise ModelError(
            f"the network of model {shown(path)} ends in a softmax; export it without, "
            "so that the card's temperature can be applied to its logits"
        )


def _check_same_network(beside: Card, inside: Card, path: Path) -> None:
    """Temperature, threshold and texts may be tuned in the JSON; what the network is may not."""
    for name in ("labels", "input", "template"):
        differences = _differences(name, getattr(beside, name), getattr(inside, name))
        if differences:
            raise CardError(
                f"the card beside model {shown(path)} and the one in its metadata have different "
                f"{'; '.join(differences)}; use the card of this file"
            )


def _differences(name: str, beside: object, inside: object) -> list[str]:
    """Say what differs as plain values, field by field where a value has fields."""
    if beside == inside:
        return []
    if is_dataclass(beside) and is_dataclass(inside):
        pairs = [
            (f"{name} {f.name}", getattr(beside, f.name), getattr(inside, f.name)) for f in fields(beside)
        ]
        return [line for pair in pairs for line in _differences(*pair)]
    return [f"{name}: {_plain(beside)} and {_plain(inside)}"]


def _plain(value: object) -> str:
    if not isinstance(value, tuple):
        return str(value)
    return ", ".join(f"({_plain(part)})" if isinstance(part, tuple) else str(part) for part in value)


# The process is part of the key: a session's threads do not survive a fork.
_sessions: WeakValueDictionary[tuple[int, str, int, str], OnnxSession] = WeakValueDictionary()
# Sessions start one at a time, so that a second thread that asks for the same one finds it made.
_starting = threading.Lock()


def _shared_session(content: bytes, digest: str, path: Path, threads: int | None, device: str) -> OnnxSession:
    key = (os.getpid(), digest, check_threads(threads), resolve_device(device))
    with _starting:
        session = _sessions.get(key)
        # What "auto" started may have fallen back on the processor; "cuda" may not, so it tries and says why.
        if session is None or (device == "cuda" and session.device != "cuda"):
            session = OnnxSession(content, threads=threads, device=device, source=f"model file {shown(path)}")
            _sessions[key] = session
        return session


def _looks_like_path(text: str) -> bool:
    separators = [os.sep, *([os.altsep] if os.altsep else [])]
    return text.endswith((".onnx", ".ort")) or any(separator in text for separator in separators)


def _unknown(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    guess = f"; did you mean {close[0]!r}?" if close else "."
    return (
        f"unknown model {name!r}{guess} Installed: {', '.join(known) or 'none'}. "
        "Give one of these, or the path of an .onnx file"
    )
