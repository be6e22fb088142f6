"""What is installed: packaged and user models, files of detectors; adding, getting and checking them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, fields
from pathlib import Path

from mien.core.errors import CardError, DigestError, DownloadError, MienError, ModelError, OptionError
from mien.core.files import atomic_write, ensure_folder, reason, shown
from mien.zoo import registry
from mien.zoo._entries import Entry, data_folder, installed, lone_cards, packaged_folder, user_folder
from mien.zoo.card import Card
from mien.zoo.download import Progress, check_address, download
from mien.zoo.session import OnnxSession, is_ort, read_weights
from mien.zoo.write import write_files

__all__ = [
    "ASSETS",
    "Asset",
    "Check",
    "Entry",
    "add_model",
    "asset_file",
    "asset_path",
    "check_name",
    "data_folder",
    "find_asset",
    "installed",
    "packaged_folder",
    "pull",
    "read_twin",
    "user_folder",
    "verify",
]


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that Mien can use but does not ship: one exact content at one official address."""

    name: str
    file: str
    url: str
    sha256: str
    size: int
    licence: str
    use: str


ASSETS: dict[str, Asset] = {
    "yunet": Asset(
        name="yunet",
        file="face_detection_yunet_2023mar.onnx",
        # The repository keeps the file in Git LFS; github.com/…/raw/… redirects here.
        url="https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models/"
        "face_detection_yunet/face_detection_yunet_2023mar.onnx",
        sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
        size=232_589,
        licence="MIT, Shiqi Yu",
        use="face detector with landmarks: finds more faces than haar, and faster",
    ),
}


@dataclass(frozen=True, slots=True)
class Check:
    """What `verify` found for one file: `problem` is None for a sound one."""

    name: str
    origin: str
    path: Path
    problem: str | None


def find_asset(name: str) -> Asset:
    """Return what is known about the asset `name`; an unknown one raises OptionError."""
    try:
        return ASSETS[name]
    except KeyError:
        raise OptionError(f"there is no file {name!r} to get; choose one of {', '.join(ASSETS)}") from None


def asset_file(name: str) -> Path:
    """Return where the file of the asset `name` belongs, whether it is there or not."""
    return data_folder() / "detectors" / find_asset(name).file


def asset_path(name: str) -> Path | None:
    """Return the file of the asset `name` ("yunet"), or None where it is not here.

    Raises:
        OptionError: unknown name.
        DigestError: the file is there and is not the right one.
        ModelError: the file is there and cannot be read.
    """
    asset = find_asset(name)
    path = asset_file(asset.name)
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ModelError(
            f"file {shown(path)} cannot be read: {reason(error)}; remove it and run `mien models pull {name}`"
        ) from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != asset.sha256:
        raise DigestError(
            f"file {shown(path)} has the SHA-256 {digest} and not {asset.sha256}; "
            f"get it again with `mien models pull {name}`"
        )
    return path


def pull(name: str, *, source: str | None = None, progress: Progress | None = None) -> Path:
    """Bring the asset `name` to this machine and return its file; one that is here already stays.

    Args:
        name: "yunet".
        source: another address (https) or a local file to take it from; the content is checked all the same.
        progress: called with the bytes that have arrived and the bytes expected.

    Raises:
        OptionError: unknown name.
        DownloadError: the address is not allowed, the transfer fails, or it brings another file.
        OutputError: the file cannot be written.
    """
    asset = find_asset(name)
    try:
        if (present := asset_path(name)) is not None:
            return present
    except ModelError:
        pass  # a damaged file is replaced
    target = asset_file(asset.name)
    if source is not None and "://" not in source:
        content = _local_content(Path(source), asset)
        ensure_folder(target.parent)
        atomic_write(target, content)
        return target
    url = source or asset.url
    check_address(url)
    ensure_folder(target.parent)
    download(url, target, sha256=asset.sha256, limit=asset.size, progress=progress)
    return target


def _local_content(path: Path, asset: Asset) -> bytes:
    try:
        # A file of another size is not read: it may be anything.
        content = path.read_bytes() if path.is_file() and path.stat().st_size == asset.size else None
    except OSError as error:
        raise DownloadError(f"file {shown(path)} cannot be read: {reason(error)}; check the path") from error
    if content is None and not path.is_file():
        raise DownloadError(f"file {shown(path)} does not exist or is not a file; check the path")
    if content is None or hashlib.sha256(content).hexdigest() != asset.sha256:
        raise DownloadError(
            f"file {shown(path)} is not {asset.file} with the SHA-256 {asset.sha256}; "
            f"the official one is at {asset.url}"
        )
    return content


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def add_model(weights: Path, card: Path, *, replace_existing: bool = False) -> Entry:
    """Check a classifier and its card and copy both to the user's models, the card with the file's SHA-256.

    The network runs once on a zero picture. The model then goes by the name in its card. Where weights to
    fine-tune lie beside the ONNX file (`<name>.safetensors`, as `mien export` writes them), they come along.

    Args:
        weights: ONNX file.
        card: its card, JSON; `sha256` may be missing.
        replace_existing: put it in the place of the user's model of that name.

    Raises:
        ModelError: the file is not a classifier, or disagrees with the card (CardError, DigestError).
        OptionError: the name is taken.
        OutputError: the user's folder cannot be written.
    """
    content = read_weights(weights)
    if is_ort(content):
        raise ModelError(f"{shown(weights)} is in ORT format, for phones; add the ONNX file it was made from")
    given = Card.read(card)
    check_name(given.name, replace_existing)
    model = registry.open_content(content, weights, beside=given, device="cpu")
    _check_same_card(model, weights)
    twin = read_twin(Entry("", weights, "file"), given)
    entry = Entry(given.name, user_folder() / f"{given.name}.onnx", "user")
    write_files(entry.path, content, given, twin)
    if twin is None:
        entry.twin_path.unlink(missing_ok=True)  # of the model that was replaced
    return entry


def read_twin(entry: Entry, card: Card) -> bytes | None:
    """Return the weights to fine-tune that lie beside a model, or None where there are none.

    Raises:
        DigestError: they are not those that the card describes.
        ModelError: they cannot be read.
    """
    if not entry.twin_path.is_file():
        return None
    content = read_weights(entry.twin_path)
    digest = hashlib.sha256(content).hexdigest()
    if card.safetensors_sha256 is not None and card.safetensors_sha256.lower() != digest:
        raise DigestError(
            f"{shown(entry.twin_path)} has the SHA-256 {digest} and the card says {card.safetensors_sha256}; "
            "it was changed or damaged: get the model again, or remove that file to do without fine-tuning"
        )
    return content


def check_name(name: str, replace_existing: bool) -> None:
    """Refuse a name that no model can be added by: malformed (CardError), or taken (OptionError)."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise CardError(
            f"card name {name!r} cannot name a model; use letters, digits, '.', '_' and '-', 100 at most"
        )
    # Some systems' file names do not tell capitals from small letters.
    taken = {entry.name.casefold(): entry for entry in reversed(installed())}
    present = taken.get(name.casefold())
    if present is None:
        return
    if present.origin == "packaged":
        raise OptionError(f"{present.name!r} ships with Mien and stays; give the card another name")
    if not replace_existing:
        raise OptionError(
            f"there is a model {present.name!r} already; give the card another name, or replace it"
        )


def verify() -> tuple[Check, ...]:
    """Check everything that is installed: digest, card inside and beside, and a run of the network.

    The default model has to be there, and no card may be without its model.
    """
    entries = installed()
    checks = [_verified(entry) for entry in entries]
    if registry.DEFAULT_MODEL not in [entry.name for entry in entries if entry.origin == "packaged"]:
        path = packaged_folder() / f"{registry.DEFAULT_MODEL}.onnx"
        problem = "the default model is missing; install Mien again"
        checks.insert(0, Check(registry.DEFAULT_MODEL, "packaged", path, problem))
    checks += [
        Check(entry.name, entry.origin, entry.path, f"model file {entry.path.name} is missing; add it again")
        for entry in lone_cards()
    ]
    for asset in ASSETS.values():
        if asset_file(asset.name).exists():
            checks.append(_verified_asset(asset))
    return tuple(checks)


def _verified(entry: Entry) -> Check:
    try:
        model = registry.open_entry(entry, threads=1, device="cpu")
        _check_same_card(model, entry.path, required=entry.origin == "packaged")
        if model.card.name != entry.name:
            raise CardError(f"card {shown(entry.card_path)} is of the model {model.card.name!r}")
        if read_twin(entry, model.card) is None and model.card.safetensors_sha256 is not None:
            again = "install Mien again" if entry.origin == "packaged" else "add the model again"
            raise ModelError(f"the weights to fine-tune {shown(entry.twin_path)} are missing; {again}")
    except MienError as error:
        return Check(entry.name, entry.origin, entry.path, str(error))
    return Check(entry.name, entry.origin, entry.path, None)


def _verified_asset(asset: Asset) -> Check:
    try:
        asset_path(asset.name)
    except MienError as error:
        return Check(asset.name, "detector", asset_file(asset.name), str(error))
    return Check(asset.name, "detector", asset_file(asset.name), None)


def _check_same_card(model: registry.Model, path: Path, *, required: bool = False) -> None:
    """Raise CardError where the card inside the file differs from the one beside it in anything."""
    session = model.session
    inside = registry.metadata_card(session, path) if isinstance(session, OnnxSession) else None
    if inside is None:
        if required:
            raise CardError(f"model {shown(path)} has no card in its metadata; install Mien again")
        return
    beside, inside = model.card.without_digest(), inside.without_digest()
    different = [f.name for f in fields(Card) if getattr(beside, f.name) != getattr(inside, f.name)]
    if different:
        raise CardError(
            f"the card beside model {shown(path)} and the one in its metadata differ in "
            f"{', '.join(different)}; use the card that was exported with the file"
        )
