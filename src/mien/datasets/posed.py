"""CK+ and JAFFE, data sets of posed faces, as they are distributed.

CK+: Lucey et al., The Extended Cohn-Kanade Dataset (CVPR workshops 2010). JAFFE: Lyons et al., Coding
Facial Expressions with Gabor Wavelets (FG 1998).
"""

from __future__ import annotations

from pathlib import Path

from mien.core.emotions import Emotion, parse_emotion
from mien.core.errors import DatasetError
from mien.core.files import reason, shown
from mien.datasets._items import Item, Pictures, folders_in, is_jaffe_name, pictures_in

_CK_PICTURES = ("cohn-kanade-images", "extended-cohn-kanade-images")
_CK_EMOTIONS = ("emotion", "emotion_labels")
_CK_CODES = (
    *(Emotion.NEUTRAL, Emotion.ANGRY, Emotion.CONTEMPT, Emotion.DISGUST, Emotion.FEAR, Emotion.HAPPY),
    *(Emotion.SAD, Emotion.SURPRISE),
)


def find_ckplus(root: Path) -> tuple[Path, Path] | None:
    """Return the folders of CK+'s pictures and emotion files below `root`, or None where it is not CK+."""
    pictures, emotions = _named(root, _CK_PICTURES), _named(root, _CK_EMOTIONS)
    return None if pictures is None or emotions is None else (pictures, emotions)


def _named(root: Path, names: tuple[str, ...]) -> Path | None:
    """Find a folder by name; unpacking its archive may have put it into a folder of the same kind."""
    for folder in folders_in(root):
        if folder.name.lower() in names:
            return _named(folder, names) or folder
    return None


def list_ckplus(pictures: Path, emotions: Path, *, neutral: bool) -> Pictures:
    """List the apex, the last frame, of each sequence that has an emotion.

    Args:
        pictures: holds `S005/001/S005_001_00000001.png`.
        emotions: holds `S005/001/S005_001_00000011_emotion.txt`, a code each.
        neutral: list the first frame of these sequences as neutral too.

    Raises:
        DatasetError: an emotion file cannot be read or holds no known code, or its pictures are missing.
    """
    items = []
    for file in sorted(emotions.glob("*/*/*_emotion.txt")):
        person, sequence = file.parts[-3:-1]
        frames = pictures_in(pictures / person / sequence) if (pictures / person / sequence).is_dir() else []
        if not frames:
            raise DatasetError(f"{shown(file)} has no pictures in {shown(pictures / person / sequence)}")
        chosen = {frames[-1]: _code(file)} | ({frames[0]: str(Emotion.NEUTRAL)} if neutral else {})
        items += [Item("", p.name, label, "", person, p.parent) for p, label in sorted(chosen.items())]
    return Pictures("CK+", items)


def _code(file: Path) -> str:
    try:
        text = file.read_text(encoding="ascii").strip()
    except OSError as error:
        raise DatasetError(f"{shown(file)} cannot be read: {reason(error)}") from error
    except ValueError:
        text = "something that is no text"
    try:
        number = float(text)
        return str({float(code): emotion for code, emotion in enumerate(_CK_CODES)}[number])
    except (ValueError, KeyError):
        raise DatasetError(
            f"{shown(file)} has to hold a code from 0 to {len(_CK_CODES) - 1}, not {text[:40]!r}"
        ) from None


def is_jaffe(root: Path) -> bool:
    """Tell whether `root` holds pictures called as those of JAFFE are."""
    return any(is_jaffe_name(path.name) for path in pictures_in(root))


def list_jaffe(root: Path) -> Pictures:
    """List `KA.AN1.39.tiff`: person, code of the emotion and number of the picture, and a number.

    Raises:
        DatasetError: a picture is called otherwise.
    """
    paths = pictures_in(root)
    if others := [path.name for path in paths if not is_jaffe_name(path.name)]:
        raise DatasetError(
            f"{shown(root)} holds pictures whose names are not JAFFE's (as in KA.AN1.39.tiff): "
            f"{', '.join(others[:10])}; move them away"
        )
    return Pictures("JAFFE", [_jaffe_item(path) for path in paths])


def _jaffe_item(path: Path) -> Item:
    person, code = path.name.split(".")[:2]
    return Item("", path.name, str(parse_emotion(code[:2])), "", person, path.parent)
