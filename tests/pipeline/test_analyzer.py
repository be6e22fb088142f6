from __future__ import annotations

import io
import itertools
import json
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mien
from mien.core.emotions import DEFAULT_LABELS
from mien.core.errors import ImageError, MienError, ModelError, ModelNotFoundError, OptionError
from mien.core.geometry import FER2013_TEMPLATE, Box, Landmarks
from mien.core.options import AnalysisOptions
from mien.core.results import ImageAnalysis
from mien.pipeline.analyzer import Analyzer, analyze
from mien.testing import FakeSession, fake_card, fake_model, picture, write_model
from mien.zoo.card import Card, ModelInput
from mien.zoo.registry import Model

SAMPLES = Path(mien.__file__).parent / "samples"
ASTRONAUT = SAMPLES / "eileen-collins.jpg"
HOPPER = SAMPLES / "grace-hopper.jpg"
ROCKET = SAMPLES / "rocket-launch.jpg"
POINTS = np.array(FER2013_TEMPLATE)


@pytest.fixture
def analyzer() -> Analyzer:
    return Analyzer(model=fake_model(), detector="haar", rotate=False)


def gray(level: int, size: int = 100) -> np.ndarray:
    return np.full((size, size, 3), level, np.uint8)


def test_a_photo_gives_its_faces(analyzer: Analyzer) -> None:
    analysis = analyzer.analyze(ASTRONAUT)
    assert (analysis.width, analysis.height) == (512, 512)
    assert analysis.detector == "haar"
    assert analysis.source == str(ASTRONAUT)
    assert analysis.model == analyzer.model.reference
    assert analysis.options == analyzer.options.digest()
    assert analysis.elapsed_s > 0
    face = analysis.faces[0]
    assert tuple(face.scores) == DEFAULT_LABELS
    assert face.emotion == face.top
    assert face.quality.reasons == ()
    assert 0 <= face.detection_score <= 1


def test_a_result_survives_json(analyzer: Analyzer) -> None:
    analysis = analyzer.analyze(HOPPER)
    assert ImageAnalysis.from_dict(json.loads(json.dumps(analysis.to_dict()))) == analysis


def test_every_kind_of_source_reads_alike(analyzer: Analyzer) -> None:
    png = io.BytesIO()
    with Image.open(ASTRONAUT) as opened:
        rgb = np.asarray(opened.convert("RGB"))
        opened.save(png, "PNG")
        expected = analyzer.analyze(ASTRONAUT).faces
        assert analyzer.analyze(opened).faces == expected
    assert expected
    assert analyzer.analyze(str(ASTRONAUT)).faces == expected
    assert analyzer.analyze(png.getvalue()).faces == expected
    assert analyzer.analyze(rgb).faces == expected
    assert analyzer.analyze(rgb[..., ::-1], color="bgr").faces == expected


def test_no_face_is_an_empty_tuple_and_no_call(analyzer: Analyzer) -> None:
    assert analyzer.analyze(ROCKET).faces == ()
    assert analyzer.model.session.batches == []


@pytest.mark.parametrize(("width", "height"), [(1, 1), (100_000, 2), (3, 5000)])
def test_extreme_pictures_are_read(width: int, height: int) -> None:
    analysis = Analyzer(model=fake_model(), detector="haar").analyze(picture(width, height))
    assert (analysis.width, analysis.height, analysis.faces) == (width, height, ())


def test_given_boxes_skip_detection(analyzer: Analyzer) -> None:
    scene = gray(0)
    scene[:, 50:] = 255
    analysis = analyzer.analyze(scene, boxes=[(5, 5, 20, 30), Box(60, 20, 38, 50)])
    assert analysis.detector == "given"
    assert [face.box for face in analysis.faces] == [Box(60, 20, 38, 50), Box(5, 5, 20, 30)]
    assert [face.emotion for face in analysis.faces] == ["surprise", "angry"]
    assert all(face.detection_score is None and face.landmarks is None for face in analysis.faces)
    assert analyzer.analyze(scene, boxes=[]).faces == ()


def test_given_landmarks_skip_detection(analyzer: Analyzer) -> None:
    face = analyzer.analyze(gray(130), landmarks=[POINTS * 1.5 + 5]).faces[0]
    assert face.landmarks == Landmarks.from_array(POINTS * 1.5 + 5)
    assert face.quality.pose is not None


def test_a_wrong_box_is_refused(analyzer: Analyzer) -> None:
    with pytest.raises(OptionError, match="outside"):
        analyzer.analyze(gray(0), boxes=[(500, 0, 10, 10)])


def test_below_the_threshold_a_face_is_uncertain() -> None:
    logits = np.log([0.4, 0.3, 0.1, 0.05, 0.05, 0.05, 0.05])
    boxes = [(10, 10, 50, 60)]

    def emotion(card: float, option: float | None) -> str | None:
        model = fake_model(logits=logits, threshold=card)
        face = Analyzer(model=model, detector="haar", threshold=option).analyze(gray(9), boxes=boxes).faces[0]
        assert face.top == "angry"
        assert face.confidence == pytest.approx(0.4)
        return face.emotion

    assert emotion(0.0, None) == "angry"
    assert emotion(0.5, None) is None
    assert emotion(0.5, 0.3) == "angry"
    assert emotion(0.0, 0.41) is None


def test_another_label_set_size_and_colour_come_from_the_card() -> None:
    session = FakeSession(("calm", "cross"), [0.0, 1.0], input_shape=(3, 64, 56))
    card = Card("mine", ("calm", "cross"), ModelInput(56, 64, "rgb", 0.5, 0.5))
    analyzer = Analyzer(model=Model("mine", card, session, "ab"), detector="haar", clahe=True, median=3)
    face = analyzer.analyze(ASTRONAUT).faces[0]
    assert tuple(face.scores) == ("calm", "cross")
    assert face.emotion == "cross"
    assert session.batches[0][1:] == (3, 64, 56)


def test_filters_reach_the_network_and_not_the_quality() -> None:
    seen: list[np.ndarray] = []

    def logits(batch: np.ndarray) -> np.ndarray:
        seen.append(batch.copy())
        return np.zeros((len(batch), 7))

    boxes = [(10, 10, 60, 70)]
    plain, filtered = (
        Analyzer(model=fake_model(logits=logits), detector="haar", **options).analyze(picture(), boxes=boxes)
        for options in ({}, {"clahe": True, "median": 3})
    )
    assert not np.array_equal(seen[0], seen[1])
    assert plain.faces[0].quality == filtered.faces[0].quality


def test_with_tta_a_face_and_its_mirror_image_read_alike() -> None:
    def lopsided(batch: np.ndarray) -> np.ndarray:
        left, right = batch[:, 0, :, :24].mean((1, 2)), batch[:, 0, :, 24:].mean((1, 2))
        return np.stack([left, right, *[np.zeros(len(batch))] * 5], 1)

    image, box = picture(), (10, 10, 60, 70)
    turned_box = (image.shape[1] - 70, 10, 60, 70)

    def scores(pixels: np.ndarray, place: tuple[int, int, int, int], **options: bool) -> list[float]:
        analyzer = Analyzer(model=fake_model(logits=lopsided), detector="haar", **options)
        return list(analyzer.analyze(pixels, boxes=[place]).faces[0].scores.values())

    turned = np.ascontiguousarray(image[:, ::-1])
    assert scores(image, box) != pytest.approx(scores(turned, turned_box), abs=0.02)
    both = scores(image, box, tta=True)
    assert both == pytest.approx(scores(turned, turned_box, tta=True), abs=2e-3)  # crops are rounded
    means = np.mean([scores(image, box), scores(turned, turned_box)], 0)
    assert both == pytest.approx(list(means), abs=2e-3)


def test_many_pictures_are_classified_together_and_in_order() -> None:
    model = fake_model()
    analyzer = Analyzer(model=model, detector="haar", rotate=False)
    sources = [ASTRONAUT, ROCKET, HOPPER, ASTRONAUT, HOPPER]
    found = list(analyzer.analyze_many(sources, batch_size=4))
    assert [item.source for item in found] == [str(path) for path in sources]
    assert len(model.session.batches) == 2
    for item, path in zip(found, sources, strict=True):
        assert item.faces == analyzer.analyze(path).faces
        assert item.elapsed_s > 0


def test_one_bad_picture_takes_only_its_own_place(analyzer: Analyzer, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(ASTRONAUT.read_bytes()[:200])
    sources = [ASTRONAUT, broken, tmp_path / "missing.png", 7, HOPPER]
    found = list(analyzer.analyze_many(sources, batch_size=3))
    assert [isinstance(item, MienError) for item in found] == [False, True, True, True, False]
    assert isinstance(found[1], ImageError)
    assert isinstance(found[3], OptionError)
    assert found[4].source == str(HOPPER)


def test_a_source_that_breaks_while_it_is_read_takes_only_its_own_place(analyzer: Analyzer) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise RuntimeError("the camera went away")

    before, broken, after = analyzer.analyze_many([ROCKET, Broken(), ROCKET])
    assert isinstance(broken, ImageError)
    assert isinstance(broken.__cause__, RuntimeError)
    assert isinstance(before, ImageAnalysis)
    assert isinstance(after, ImageAnalysis)


def test_an_error_of_the_program_is_not_taken_for_one_of_a_picture() -> None:
    def broken(batch: np.ndarray) -> np.ndarray:
        raise RuntimeError("a mistake in the network's code")

    faulty = Analyzer(model=fake_model(logits=broken), detector="haar", rotate=False)
    with pytest.raises(RuntimeError, match="a mistake"):
        list(faulty.analyze_many([ASTRONAUT]))


def test_a_failing_network_takes_every_picture_with_a_face() -> None:
    model = fake_model(logits=lambda batch: np.full((len(batch), 7), np.nan))
    analyzer = Analyzer(model=model, detector="haar", rotate=False)
    with pytest.raises(ModelError):
        analyzer.analyze(ASTRONAUT)
    found = list(analyzer.analyze_many([ROCKET, ASTRONAUT, "missing.jpg"]))
    assert isinstance(found[0], ImageAnalysis)
    assert [type(item) for item in found[1:]] == [ModelError, ImageError]


def test_pictures_are_taken_as_they_are_needed(analyzer: Analyzer) -> None:
    taken: list[int] = []

    def endless() -> Iterator[np.ndarray]:
        for number in itertools.count():
            taken.append(number)
            yield gray(5)

    results = analyzer.analyze_many(endless(), batch_size=2)
    assert taken == []
    next(results)
    assert taken == [0, 1]
    next(results)
    next(results)
    assert taken == [0, 1, 2, 3]


def test_a_batch_keeps_no_pixels_of_its_pictures(analyzer: Analyzer) -> None:
    def large() -> Iterator[np.ndarray]:
        for _ in range(12):
            yield np.zeros((1500, 2000, 3), np.uint8)

    tracemalloc.start()
    try:
        for _ in analyzer.analyze_many(large(), batch_size=12):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * 1500 * 2000 * 3


def test_no_pictures_are_no_results(analyzer: Analyzer) -> None:
    assert list(analyzer.analyze_many([])) == []


@pytest.mark.parametrize("size", [0, -1, 1.5, True])
def test_a_batch_has_at_least_one_picture(analyzer: Analyzer, size: object) -> None:
    with pytest.raises(OptionError, match="batch_size"):
        analyzer.analyze_many([], batch_size=size)  # type: ignore[arg-type]


def test_threads_share_an_analyzer(analyzer: Analyzer) -> None:
    sources = [ASTRONAUT, HOPPER, ROCKET] * 4
    alone = [analyzer.analyze(source).faces for source in sources]
    with ThreadPoolExecutor(4) as threads:
        together = [analysis.faces for analysis in threads.map(analyzer.analyze, sources)]
    assert together == alone


def test_a_turned_photo_is_read_upright() -> None:
    model = fake_model()
    upright = Analyzer(model=model, detector="haar", rotate=False)
    turned = Analyzer(model=model, detector="haar")
    with Image.open(HOPPER) as opened:
        sideways = np.rot90(np.asarray(opened.convert("RGB")), 1)
    assert upright.analyze(sideways).faces == ()
    want, got = upright.analyze(HOPPER).faces[0], turned.analyze(sideways).faces[0]
    assert got.quality.brightness == pytest.approx(want.quality.brightness, rel=0.05)
    x, y = want.box.y, 512 - want.box.right
    assert abs(got.box.x - x) < 20
    assert abs(got.box.y - y) < 20


def test_options_are_given_as_an_object_by_name_or_both() -> None:
    both = Analyzer(AnalysisOptions(min_face=50, rotate=False), model=fake_model(), detector="haar")
    assert (both.options.min_face, both.options.rotate, both.detector) == (50, False, "haar")
    with pytest.raises(OptionError, match=r"'min_faces'.*min_face"):
        Analyzer(model=fake_model(), min_faces=3)
    with pytest.raises(OptionError, match="detector"):
        Analyzer(model=fake_model(), detector="retina")


def test_auto_is_named_by_what_it_came_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MIEN_DATA", str(tmp_path))
    analyzer = Analyzer(model=fake_model())
    assert analyzer.detector == "haar"
    assert analyzer.analyze(gray(3), boxes=[(0, 0, 50, 50)]).detector == "given"


def test_an_analyzer_is_a_context_manager() -> None:
    with Analyzer(model=fake_model(), detector="haar") as analyzer:
        assert analyzer.analyze(gray(3)).faces == ()


def test_the_function_does_what_the_analyzer_does(analyzer: Analyzer) -> None:
    once = analyze(ASTRONAUT, model=analyzer.model, detector="haar", rotate=False)
    assert once.faces == analyzer.analyze(ASTRONAUT).faces
    given = mien.analyze(gray(3), model=analyzer.model, detector="haar", boxes=[(1, 1, 40, 50)])
    assert given.detector == "given"
    with pytest.raises(OptionError, match="unknown option"):
        mien.analyze(ASTRONAUT, model=analyzer.model, min_faces=2)


def test_model_path_is_looked_at_in_every_call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("first", "second"):
        monkeypatch.setenv("MODEL_PATH", str(write_model(tmp_path, fake_card(name=name))))
        assert mien.analyze(gray(3), detector="haar").model.name == name
    monkeypatch.setenv("MODEL_PATH", str(tmp_path / "gone.onnx"))
    with pytest.raises(ModelNotFoundError, match="MODEL_PATH"):
        mien.analyze(gray(3), detector="haar")


def test_an_unknown_model_is_named() -> None:
    with pytest.raises(ModelNotFoundError, match="no-such-model"):
        mien.analyze(ASTRONAUT, model="no-such-model")


@pytest.mark.parametrize("one", ["photos", b"bytes", Path("photos")])
def test_many_needs_more_than_one(one: object, analyzer: Analyzer) -> None:
    with pytest.raises(OptionError, match="several pictures, not one"):
        analyzer.analyze_many(one)  # type: ignore[arg-type]


def test_what_was_read_before_the_sources_fail_is_not_lost(analyzer: Analyzer) -> None:
    def sources() -> Iterator[np.ndarray]:
        yield from (gray(10), gray(20), gray(30))
        raise RuntimeError("the camera went away")

    results = analyzer.analyze_many(sources(), batch_size=2)
    assert [type(result) for result in itertools.islice(results, 3)] == [ImageAnalysis] * 3
    with pytest.raises(RuntimeError, match="camera"):
        next(results)
