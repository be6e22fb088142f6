"""An explanation as files: one HTML page, every figure, every number.

Needs the extra `report`. What is written into the folder:

| file                                                     | what it holds                             |
| -------------------------------------------------------- | ----------------------------------------- |
| explain.html                                             | everything on one page, offline           |
| explain.json                                             | every number                              |
| faces.jpg                                                | the photo with its faces drawn            |
| face-N/scores, grad-cam, occlusion, layers (and -dark)   | the figures of a face                     |
| face-N/layers/NN-OPERATOR.png                            | one layer, one pixel a number             |
"""

from __future__ import annotations

import json
import re
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mien import figures as draw
from mien.core import images
from mien.core.errors import MissingExtraError
from mien.core.files import atomic_write, check_folder, ensure_folder
from mien.evaluation._html import data_uri, pictured, render
from mien.evaluation._sections import Section
from mien.evaluation.explain import STRONGEST, Explanation, FaceExplanation, strongest
from mien.figures import LayerMaps
from mien.figures.style import percent
from mien.render import Annotator
from mien.zoo.parts import Response

_PHOTO_WIDTH = 1120


def write_explanation(folder: Path, explanation: Explanation, channels: int = STRONGEST) -> Path:
    """Write the files of an explanation into `folder`, which is made where missing; return explain.html.

    Args:
        folder: files of an earlier explanation in it are replaced.
        explanation: from `explain`.
        channels: most channels shown of each layer, the strongest first.

    Raises:
        MissingExtraError: matplotlib or jinja2 is not installed.
        OutputError: a file cannot be written.
    """
    ensure_folder(folder)
    photo = None
    if explanation.analysis is not None:
        drawn = Annotator().annotate(explanation.image, explanation.analysis)
        images.save(drawn, folder / "faces.jpg", drawn=True)
        photo = data_uri(images.encode_jpeg(_shrunk(drawn), 85), "jpeg")
    faces = [_face(folder, explanation, face, channels) for face in explanation.faces]
    document = json.dumps(explanation.to_dict(channels), ensure_ascii=False, indent=1)
    atomic_write(folder / "explain.json", document + "\n")
    # Last, so that an explain.html stands for a whole explanation.
    atomic_write(folder / "explain.html", _page(explanation, faces, photo, channels))
    return folder / "explain.html"


def check_explanation(folder: Path) -> None:
    """Find out before the work whether an explanation can be written; nothing is made yet.

    Raises:
        MissingExtraError: matplotlib or jinja2 is not installed.
        OutputError: the folder cannot be made.
    """
    for module in ("matplotlib", "jinja2"):
        if find_spec(module) is None:
            raise MissingExtraError(module, "report")
    check_folder(folder)


def _page(explanation: Explanation, faces: list[dict[str, Any]], photo: str | None, channels: int) -> str:
    card = explanation.model.card
    cam = explanation.faces[0].grad_cam
    facts = [
        ("name", explanation.model.name),
        ("labels, in order", ", ".join(card.labels)),
        ("architecture", card.architecture),
        ("precision", card.precision),
        ("feature maps of Grad-CAM", "none that all later layers go through" if cam is None else cam.layer),
        ("intended use", card.intended_use),
        ("limits", card.limits),
        ("SHA-256", explanation.model.digest),
    ]
    return render(
        "explain.html.j2",
        f"What {explanation.model.name} sees in {_name(explanation)}",
        [],
        [],
        date.today(),
        facts=[(name, text) for name, text in facts if text],
        model=explanation.model,
        faces=faces,
        photo=photo,
        shown=len(explanation.faces),
        there=1 if explanation.analysis is None else len(explanation.analysis.faces),
        strongest=channels,
        cells="there are none" if cam is None else f"{cam.maps.shape[2]} by {cam.maps.shape[1]} cells",
    )


def _name(explanation: Explanation) -> str:
    return "a picture" if explanation.source is None else Path(explanation.source).name


def _face(folder: Path, explanation: Explanation, face: FaceExplanation, channels: int) -> dict[str, Any]:
    """Write the figures of a face and return what the page shows of it."""
    own = ensure_folder(folder / f"face-{face.number}")
    parts = sections(face, explanation.threshold)
    for part in parts:
        part.plot.save(own)
    layers = [layer_maps(response, channels) for response in face.responses]
    rows = []
    if layers:
        draw.layer_sheet(layers).save(own)
        ensure_folder(own / "layers")
    for number, (layer, response) in enumerate(zip(layers, face.responses, strict=True), 1):
        content = draw.png_bytes(draw.layer_picture(layer.maps))
        operator = re.sub(r"\W", "", response.operators[0])
        atomic_write(own / "layers" / f"{number:02}-{operator}.png", content)
        strip = layer.maps.shape[1:] == (1, 1)
        rows.append(
            {"title": layer.title, "about": layer.about, "picture": data_uri(content, "png"), "strip": strip}
        )
    return {"number": face.number, "title": _title(face), "parts": pictured(parts), "layers": rows}


def _title(face: FaceExplanation) -> str:
    top = max(face.scores, key=lambda label: face.scores[label])
    read = f"{top} {percent(face.scores[top])}" + ("" if face.emotion else ", below the threshold: uncertain")
    asked = "" if face.label == top else f"; explained: {face.label}"
    return f"Face {face.number}: {read}{asked}"


def sections(face: FaceExplanation, threshold: float | None = None) -> tuple[Section, ...]:
    """Return the figures of a face with the tables behind them; Grad-CAM where there is one."""
    parts = [_scores(face, threshold), _occlusion(face)]
    if face.grad_cam is not None:
        parts.insert(1, _grad_cam(face))
    return tuple(parts)


def _scores(face: FaceExplanation, threshold: float | None) -> Section:
    says = "The softmax of the network's logits at the temperature of the model's card."
    rows = tuple((label, percent(score, 1)) for label, score in face.scores.items())
    return Section(draw.score_bars(face.scores, threshold), says, ("emotion", "probability"), rows)


def _grad_cam(face: FaceExplanation) -> Section:
    assert face.grad_cam is not None
    height, width = face.crop.shape[:2]
    maps = [face.grad_cam.over(index, width, height) for index in range(len(face.scores))]
    shown = [(label, score, map_) for (label, score), map_ in zip(face.scores.items(), maps, strict=True)]
    says = (
        "Bright: the last feature maps speak for the emotion here. Each map has its own scale; one without "
        "colour has nothing that speaks for the emotion."
    )
    rows = tuple(
        (label, percent(score, 1), f"{face.grad_cam.maps[index].max():.3g}", _place(map_))
        for index, (label, score, map_) in enumerate(shown)
    )
    plot = draw.heat_maps(face.crop, shown, list(face.scores).index(face.label))
    return Section(plot, says, ("emotion", "probability", "largest (logit)", "where (x, y)"), rows)


def _occlusion(face: FaceExplanation) -> Section:
    found = face.occlusion
    says = (
        f"Orange: “{face.label}” gets less likely when a patch covers the place, so it rests on it. Blue: it "
        "gets likelier."
    )
    rows = (
        ("most is lost", _points(-found.map.max()), _place(found.map)),
        ("most is gained", _points(-found.map.min()), _place(-found.map)),
    )
    plot = draw.occlusion_map(face.crop, found.map, face.label, found.patch)
    return Section(plot, says, ("covered", "probability", "where (x, y)"), rows)


def _points(change: float) -> str:
    return f"{100 * change:+.1f} points"


def _place(values: Any) -> str:
    """The place of the largest value, in pixels of the crop."""
    if not values.max() > 0:
        return "nowhere"
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    return f"{column}, {row}"


def layer_maps(response: Response, channels: int = STRONGEST) -> LayerMaps:
    """Return what is shown of a layer: the strongest channels, or every number of one without sides."""
    count, height, width = response.values.shape
    title, size = " + ".join(response.operators), f"{response.name}, {count} × {height} × {width}"
    if (height, width) == (1, 1):
        return LayerMaps(title, size, response.values)
    chosen = strongest(response, channels)
    return LayerMaps(title, f"{size}; channels {', '.join(map(str, chosen))}", response.values[chosen])


def _shrunk(picture: Any) -> Any:
    height, width = picture.shape[:2]
    if width <= _PHOTO_WIDTH:
        return picture
    size = (_PHOTO_WIDTH, max(1, round(height * _PHOTO_WIDTH / width)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
