"""The annotator: what is on the picture, and what is not touched."""

from __future__ import annotations

import subprocess
import sys
from importlib import resources
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from mien.core.emotions import DEFAULT_LABELS, LANGUAGES, Emotion, display_name
from mien.core.errors import OptionError
from mien.core.geometry import Box, Landmarks
from mien.core.results import Face, ImageAnalysis, ModelReference, Quality
from mien.render import Annotator, Style, contrast, face_sheet
from mien.render._layout import Layout, Rect
from mien.render._text import Typeface, load_font

Picture = NDArray[np.uint8]


def face(box: tuple[int, int, int, int], top: str = "happy", *, certain: bool = True, **more: object) -> Face:
    labels = dict.fromkeys((*DEFAULT_LABELS, top))
    scores = {label: 0.79 if label == top else 0.21 / (len(labels) - 1) for label in labels}
    quality = Quality(min(box[2:]), 100.0, 120.0)
    return Face(Box(*box), scores, top if certain else None, quality, **more)  # type: ignore[arg-type]


def analysis(image: Picture, *faces: Face) -> ImageAnalysis:
    height, width = image.shape[:2]
    return ImageAnalysis(
        faces, width, height, ModelReference("test", "0" * 64), "given", "0" * 16, 0.0, "a.jpg"
    )


def plain(width: int, height: int, grey: int = 128) -> Picture:
    return np.full((height, width, 3), grey, np.uint8)


def has_colour(image: Picture, colour: tuple[int, int, int]) -> bool:
    return bool((image == np.array(colour)).all(axis=2).any())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("bars", [False, True])
def test_a_new_picture_of_the_same_size_comes_back(language: str, bars: bool) -> None:
    image = plain(640, 480)
    before = image.copy()
    result = Annotator(language, bars=bars).annotate(image, analysis(image, face((200, 150, 120, 120))))
    assert (result.shape, result.dtype) == (image.shape, np.uint8)
    assert result is not image
    assert not np.shares_memory(result, image)
    np.testing.assert_array_equal(image, before)
    assert has_colour(result, Style().colour("happy"))


def test_only_the_surroundings_of_faces_change() -> None:
    image = np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), dtype=np.uint8)
    result = Annotator().annotate(image, analysis(image, face((200, 300, 100, 100))))
    changed = np.argwhere((result != image).any(axis=2))
    assert changed.min(axis=0).tolist() > [250, 150]
    assert changed.max(axis=0)[0] < 420
    assert changed.max(axis=0)[1] < 420
    inside = np.s_[310:390, 210:290]
    np.testing.assert_array_equal(result[inside], image[inside])


def test_no_face_gives_an_equal_copy() -> None:
    image = plain(64, 64)
    result = Annotator().annotate(image, analysis(image))
    np.testing.assert_array_equal(result, image)
    assert not np.shares_memory(result, image)


@pytest.mark.parametrize("grey", [0, 40, 118, 200, 255])
@pytest.mark.parametrize("emotion", [*DEFAULT_LABELS, None])
def test_box_and_label_stand_out_on_any_background(grey: int, emotion: str | None) -> None:
    image = plain(320, 240, grey)
    one = face((100, 80, 90, 90), emotion or "happy", certain=emotion is not None)
    result = Annotator().annotate(image, analysis(image, one))
    # A piece of the left side of the box (a dash and a gap are shorter), and the label from above.
    for part in (result[110:140, 90:115], result[50:85, 120:121]):
        colours = {tuple(int(v) for v in pixel) for pixel in part.reshape(-1, 3)}
        assert max(contrast(colour, (grey, grey, grey)) for colour in colours) >= 3  # type: ignore[arg-type]


def test_an_uncertain_face_is_not_drawn_as_its_best_guess() -> None:
    image = plain(640, 480)
    sure = Annotator().annotate(image, analysis(image, face((200, 150, 120, 120))))
    unsure = Annotator().annotate(image, analysis(image, face((200, 150, 120, 120), certain=False)))
    assert has_colour(sure, Style().colour("happy"))
    assert not has_colour(unsure, Style().colour("happy"))
    assert has_colour(unsure, Style().uncertain)
    # Its box is dashed: the line has dark stretches.
    side = unsure[160:260, 200]
    assert has_colour(side[:, None], (0, 0, 0))
    assert not has_colour(sure[160:260, 200][:, None], (0, 0, 0))


def test_an_uncertain_face_says_so_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    plate = Typeface.plate
    monkeypatch.setattr(
        Typeface, "plate", lambda self, text, *rest: (written.append(text), plate(self, text, *rest))[1]
    )
    image = plain(1200, 900)
    big = (200, 150, 500, 500)
    Annotator().annotate(image, [face(big, certain=False)])
    Annotator("vi").annotate(image, [face((200, 150, 60, 60), certain=False)])
    Annotator("ro").annotate(image, [face(big, "sad", track_id=7)])
    Annotator(confidence=False).annotate(image, [face(big)])
    Annotator().annotate(image, [face(big, "my own\nlabel")])
    assert written == [
        "Uncertain (happy? 79%)",
        "Không chắc chắn",
        "#7 Tristețe 79%",
        "Happy",
        "My own\ufffdlabel 79%",
    ]


boxes = st.tuples(st.integers(-50, 400), st.integers(-50, 300), st.integers(1, 400), st.integers(1, 300))


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 400),
    height=st.integers(1, 300),
    places=st.lists(boxes, max_size=6),
    bars=st.booleans(),
    language=st.sampled_from(LANGUAGES),
)
def test_any_box_in_any_picture_can_be_drawn(
    width: int, height: int, places: list[tuple[int, int, int, int]], bars: bool, language: str
) -> None:
    image = plain(width, height, 60)
    faces = [face(place, DEFAULT_LABELS[k], certain=k % 3 > 0, track_id=k) for k, place in enumerate(places)]
    result = Annotator(language, bars=bars, landmarks=True).annotate(image, faces)
    assert result.shape == image.shape


@settings(max_examples=60, deadline=None)
@given(
    places=st.lists(boxes, min_size=1, max_size=8), size=st.tuples(st.integers(1, 200), st.integers(1, 60))
)
def test_plates_stay_inside_the_picture(
    places: list[tuple[int, int, int, int]], size: tuple[int, int]
) -> None:
    layout = Layout(400, 300, [Box(*place) for place in places])
    for index in range(len(places)):
        rect, _ = layout.find(index, size, 3)
        assert 0 <= rect.x <= 400 - size[0]
        assert 0 <= rect.y <= 300 - size[1]
        layout.keep(rect)


def test_labels_of_many_faces_do_not_cover_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Rect] = []
    keep = Layout.keep
    monkeypatch.setattr(Layout, "keep", lambda self, rect: (kept.append(rect), keep(self, rect))[1])
    image = plain(1920, 1080)
    places = [(250 + 150 * (k % 7) + 17 * (k % 3), 200 + 190 * (k // 7), 120, 140) for k in range(20)]
    faces = [face(place, DEFAULT_LABELS[k % 7], certain=k % 4 > 0) for k, place in enumerate(places)]
    Annotator("vi").annotate(image, faces)
    assert len(kept) == 20
    for index, one in enumerate(kept):
        for other in kept[:index]:
            across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
            down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
            assert max(across, 0) * max(down, 0) <= 0.02 * one.width * one.height


def test_text_grows_with_the_picture_and_the_face() -> None:
    def drawn(width: int, height: int, side: int) -> int:
        image = plain(width, height)
        result = Annotator().annotate(image, [face((width // 3, height // 3, side, side))])
        return int((result == np.array(Style().colour("happy"))).all(axis=2).sum())

    assert drawn(640, 480, 40) < drawn(640, 480, 200) < drawn(4000, 3000, 1200)


def test_landmarks_are_marked_where_there_are_any() -> None:
    image = plain(320, 240)
    points = Landmarks.from_array([(120, 110), (160, 110), (140, 130), (125, 150), (155, 150)])
    result = Annotator(landmarks=True).annotate(image, [face((100, 80, 80, 90), landmarks=points)])
    assert tuple(result[130, 140]) == Style().colour("happy")
    Annotator(landmarks=True).annotate(image, [face((100, 80, 80, 90))])


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 4), np.uint8), "shape"),
        (np.zeros((4, 4, 4), np.uint8), "shape"),
        (np.zeros((0, 4, 3), np.uint8), "shape"),
        (np.zeros((4, 4, 3), np.float32), "float32"),
        ("photo.jpg", "str"),
        (np.zeros((9, 8, 3), np.uint8), "640×480"),
    ],
)
def test_other_pictures_are_refused(image: Picture, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Annotator().annotate(image, analysis(plain(640, 480)))


def test_an_unknown_language_or_font_is_refused_at_once(tmp_path: object) -> None:
    with pytest.raises(OptionError, match=r"'xx'.*en, vi, ro"):
        Annotator("xx")
    with pytest.raises(OptionError, match="font"):
        Annotator(style=Style(font=f"{tmp_path}/none.ttf"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_font_has_every_letter(language: str) -> None:
    font = load_font(None, 20)
    words = "".join(display_name(label, language) for label in (*Emotion, None))
    missing = bytes(font.getmask("\U0001f600"))
    for letter in set(words + words.upper() + "0123456789%#?()… \ufffd") - {" "}:
        assert bytes(font.getmask(letter)) != missing, letter


def test_a_face_sheet_shows_every_face() -> None:
    image = np.random.default_rng(1).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    faces = [face((10, 10, 80, 90)), face((350, 250, 50, 50), "sad"), face((0, 0, 400, 300), certain=False)]
    sheet = face_sheet([(image, analysis(image, *faces)), (image, analysis(image))], columns=2, cell=100)
    assert sheet.dtype == np.uint8
    assert sheet.shape[1] == 2 * 100 + 3 * 8
    for colour in (Style().colour("happy"), Style().colour("sad"), Style().uncertain):
        assert has_colour(sheet, colour)


def test_a_face_sheet_needs_a_face_and_fair_options() -> None:
    image = plain(40, 40)
    with pytest.raises(OptionError, match="at least one face"):
        face_sheet([(image, analysis(image))])
    for wrong in ({"cell": 10}, {"columns": 0}, {"language": "xx"}):
        with pytest.raises(OptionError):
            face_sheet([(image, analysis(image, face((1, 1, 9, 9))))], **wrong)  # type: ignore[arg-type]


def test_the_samples_ship_with_their_sources() -> None:
    folder = resources.files("mien") / "samples"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".jpg"))
    assert len(names) == 3
    sources = (folder / "SOURCES.md").read_text(encoding="utf-8")
    for name in names:
        data = (folder / name).read_bytes()
        assert len(data) < 250_000
        assert f"`{name}`" in sources
        Image.open(BytesIO(data)).verify()


def test_importing_render_loads_no_drawing_library() -> None:
    code = "import sys, mien.render; print({'PIL', 'cv2', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
