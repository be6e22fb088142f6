"""The annotator: boxes, emotions and confidences drawn onto a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.core.colours import ink_on
from mien.core.emotions import display_name
from mien.core.errors import OptionError
from mien.core.results import Face, ImageAnalysis
from mien.render import _draw
from mien.render._bars import bars_panel, bars_size
from mien.render._layout import HARMLESS, Layout, Rect
from mien.render._text import SMALLEST, Typeface, clean
from mien.render.style import Style


class Annotator:
    """Draws what was found: a box a face, the emotion in words, its confidence, all scores if wanted.

    An uncertain face gets a dashed grey box and the word "uncertain"; its best guess is given with a
    question mark. Text and lines grow with the picture and with the face; plates stay inside the picture
    and avoid each other and other faces. Safe to share between threads.
    """

    def __init__(
        self,
        language: str = "en",
        *,
        bars: bool = False,
        confidence: bool = True,
        landmarks: bool = False,
        style: Style | None = None,
    ) -> None:
        """Choose what is drawn.

        Args:
            language: of the labels: "en", "vi" or "ro".
            bars: also draw the score of every label, where a panel finds free room beside the face.
            confidence: write the confidence behind the emotion.
            landmarks: also mark the five points.
            style: colours, scale and font.
        """
        display_name(None, language)  # an unknown language is an error now, not at the first picture
        self._language = language
        self._bars = bars
        self._confidence = confidence
        self._landmarks = landmarks
        self._style = style or Style()
        self._typeface = Typeface(self._style.font)

    def annotate(
        self, image: NDArray[np.uint8], analysis: ImageAnalysis | Sequence[Face]
    ) -> NDArray[np.uint8]:
        """Return a new picture with the faces drawn; the given one stays as it was.

        Args:
            image: RGB uint8 (height, width, 3), the upright picture that was analysed, in its own size.
            analysis: of this picture, or only its faces.

        Raises:
            OptionError: the array has another shape or type, or the analysis is of another size.
        """
        check_image(image, analysis)
        canvas = np.array(image, dtype=np.uint8, order="C", copy=True)
        self.draw(canvas, analysis.faces if isinstance(analysis, ImageAnalysis) else tuple(analysis))
        return canvas

    def draw(self, canvas: NDArray[np.uint8], faces: Sequence[Face]) -> None:
        """Draw faces onto a picture itself, uint8 (height, width, 3) RGB, its rows without gaps."""
        height, width = canvas.shape[:2]
        for face in reversed(faces):  # a small face in front of a large one keeps its whole box
            self._draw_face(canvas, face)
        layout = Layout(width, height, [face.box for face in faces])
        plates = [self._plate(canvas, layout, index, face) for index, face in enumerate(faces)]
        for face, (place, _) in zip(faces, plates, strict=True):
            self._draw_leader(canvas, face, place)
        for place, picture in plates:
            if picture is not None:
                _draw.paste(canvas, picture, place)

    def _draw_face(self, canvas: NDArray[np.uint8], face: Face) -> None:
        thickness = self._thickness(canvas, face)
        colour = self._style.colour(face.emotion)
        _draw.frame(canvas, face.box, thickness, colour, dashed=face.emotion is None)
        if self._landmarks and face.landmarks is not None:
            for x, y in face.landmarks.as_array():
                _draw.dot(canvas, float(x), float(y), max(thickness, face.box.width // 60), colour)

    def _plate(
        self, canvas: NDArray[np.uint8], layout: Layout, index: int, face: Face
    ) -> tuple[Rect, NDArray[np.uint8] | None]:
        """Choose the words for a face and their place; None where the picture has no room for a word."""
        text, size = self._fitting_text(canvas, face)
        if not text:
            return Rect(0, 0, 0, 0), None
        gap = self._thickness(canvas, face) + 1
        panel = self._panel(canvas, layout, index, face, size, gap) if self._bars else None
        if panel is not None:
            return panel
        smaller = max(SMALLEST, min(size, round(0.8 * size)))
        attempts = [(text, size), (text, smaller)]
        shortest = self._texts(face)[-1]
        if self._typeface.width(shortest, smaller) < self._typeface.width(text, smaller):
            attempts.append((shortest, smaller))
        found: list[Rect] = []
        harms: list[float] = []
        for attempt in attempts:
            place = layout.find(index, self._typeface.plate_size(*attempt), gap)
            found.append(place.rect)
            harms.append(round(place.harm, 1) if place.harm >= HARMLESS else 0.0)
            if place.harm < HARMLESS:
                break
        # Where nothing is free, the least bad, and the fullest text among equals.
        choice = harms.index(min(harms))
        layout.keep(found[choice])
        colour = self._style.colour(face.emotion)
        return found[choice], self._typeface.plate(*attempts[choice], ink_on(colour), colour)

    def _panel(
        self, canvas: NDArray[np.uint8], layout: Layout, index: int, face: Face, size: int, gap: int
    ) -> tuple[Rect, NDArray[np.uint8]] | None:
        """Return the panel of all scores; None where it finds no room, even in the smallest text."""
        height, width = canvas.shape[:2]
        names = [self._name(label) for label in face.scores]
        title = self._texts(face)[-1] if face.emotion is None else self._texts(face)[0]
        for text_size in dict.fromkeys((size, max(SMALLEST, round(0.75 * size)), SMALLEST)):
            needed = bars_size(self._typeface, title, names, text_size)
            if needed[0] > width or needed[1] > height:
                continue
            place = layout.find(index, needed, gap, near=True)
            if place.harm < HARMLESS:
                layout.keep(place.rect)
                return place.rect, bars_panel(self._typeface, self._style, title, names, face, text_size)
        return None

    def _draw_leader(self, canvas: NDArray[np.uint8], face: Face, place: Rect) -> None:
        """Tie a plate that had to move away from its face to the box."""
        thickness = self._thickness(canvas, face)
        above, below = face.box.y - (place.y + place.height), place.y - face.box.bottom
        if place.width == 0 or max(above, below) <= thickness + 2:
            return
        x = min(max(face.box.x, place.x), place.x + place.width - thickness)
        top, bottom = (place.y + place.height, face.box.y) if above > 0 else (face.box.bottom, place.y)
        _draw.post(canvas, x, top, bottom, thickness, self._style.colour(face.emotion))

    def _thickness(self, canvas: NDArray[np.uint8], face: Face) -> int:
        of_picture: float = (1 + min(canvas.shape[:2]) / 600) * self._style.scale
        of_face = min(face.box.width, face.box.height) / 20 * self._style.scale
        return max(1, round(min(of_picture, of_face)))

    def _fitting_text(self, canvas: NDArray[np.uint8], face: Face) -> tuple[str, int]:
        """Return the fullest text that fits into the picture, in the largest size up to the wanted one."""
        height, width = canvas.shape[:2]
        wanted = self._text_size(width, height, face)
        texts = self._texts(face)
        if face.emotion is None and len(texts) > 1:
            # The guess is worth its room only where the face is large enough to carry it.
            too_wide = self._typeface.plate_size(texts[0], wanted)[0] > max(1.5 * face.box.width, 12 * wanted)
            texts = texts[1:] if too_wide else texts
        for size in range(wanted, SMALLEST - 1, -1):
            for text in texts:
                plate = self._typeface.plate_size(text, size)
                if plate[0] <= width and plate[1] <= height:
                    return text, size
        if self._typeface.plate_size("", SMALLEST)[1] > height:
            return "", SMALLEST
        room = width - self._typeface.plate_size("", SMALLEST)[0]
        return self._typeface.shortened(texts[-1], SMALLEST, room), SMALLEST

    def _text_size(self, width: int, height: int, face: Face) -> int:
        """Return the pixels of the text: a share of the face, within limits that follow the picture."""
        short = min(width, height)
        least, most = max(11.0, short / 75), max(11.0, short / 28)
        of_face = min(face.box.width, face.box.height) / 7
        return max(SMALLEST, round(min(max(of_face, least), most) * self._style.scale))

    def _texts(self, face: Face) -> list[str]:
        """Return what may stand on the plate, the fullest first."""
        prefix = "" if face.track_id is None else f"#{face.track_id} "
        percent = f"{face.confidence:.0%}"
        name = prefix + self._name(face.emotion)
        if face.emotion is not None:
            return [f"{name} {percent}", name] if self._confidence else [name]
        guess = display_name(face.top, self._language)
        guess = clean(f"{guess}? {percent}" if self._confidence else f"{guess}?")
        return [f"{name} ({guess})", name]

    def _name(self, label: str | None) -> str:
        name = clean(display_name(label, self._language))
        return name[:1].upper() + name[1:]


def check_image(image: Any, analysis: ImageAnalysis | Sequence[Face]) -> None:
    """Raise OptionError unless `image` is RGB uint8 (height, width, 3) in the size of `analysis`."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        kind = image.dtype if isinstance(image, np.ndarray) else type(image).__name__
        raise OptionError(f"image has to be a uint8 array, not {kind}; mien.core.images.load makes one")
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise OptionError(f"image has to be RGB of shape (height, width, 3), not {image.shape}")
    if isinstance(analysis, ImageAnalysis) and image.shape[:2] != (analysis.height, analysis.width):
        raise OptionError(
            f"the analysis is of a picture of {analysis.width}×{analysis.height} pixels, the image has "
            f"{image.shape[1]}×{image.shape[0]}; give the upright picture in its original size"
        )
