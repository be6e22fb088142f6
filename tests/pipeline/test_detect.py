from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mien
from mien.core.errors import DigestError, ModelError, ModelNotFoundError, OptionError
from mien.core.images import load
from mien.core.options import AnalysisOptions
from mien.pipeline.detect import BoxRule, Detection, Detector, create_detector
from mien.pipeline.detect._pool import Pool
from mien.pipeline.detect.base import Candidate
from mien.pipeline.detect.haar import HaarBackend
from mien.pipeline.detect.search import SearchingDetector
from mien.pipeline.detect.yunet import YuNetBackend

SAMPLES = Path(mien.__file__).parent / "samples"
ASTRONAUT = SAMPLES / "eileen-collins.jpg"
HOPPER = SAMPLES / "grace-hopper.jpg"
ROCKET = SAMPLES / "rocket-launch.jpg"
UPRIGHT = AnalysisOptions(rotate=False)


@pytest.fixture(scope="module")
def haar() -> Detector:
    return SearchingDetector(HaarBackend())


@pytest.fixture(scope="module")
def yunet(shared: Path) -> Detector:
    return SearchingDetector(YuNetBackend(shared / "models" / "face_detection_yunet_2023mar.onnx"))


@pytest.fixture(params=["haar", "yunet"])
def detector(request: pytest.FixtureRequest) -> Detector:
    return request.getfixturevalue(request.param)


class PaintedFaces:
    """A backend that finds rectangles of pure red whose top row is pure green: upright ones only."""

    name = "painted"
    rule = BoxRule(0, 0, 48, 48)
    threshold = 0.5
    margin = 0.0

    def __init__(self, score: float = 0.9) -> None:
        self.seen: list[tuple[int, ...]] = []
        self.score = score

    def find(self, image: np.ndarray, threshold: float, min_side: float) -> list[Candidate]:
        self.seen.append(image.shape)
        rows, columns = np.nonzero((image[..., 0] > 200) & (image[..., 2] < 50))
        if len(rows) == 0 or self.score < threshold:
            return []
        left, right, top, bottom = columns.min(), columns.max() + 1, rows.min(), rows.max() + 1
        face = image[top:bottom, left:right]
        quarter = max(1, (bottom - top) // 4)
        if face[:quarter, :, 1].mean() < 2 * max(face[-quarter:, :, 1].mean(), 1):
            return []
        width, height = right - left, bottom - top
        points = [(0.3, 0.3), (0.7, 0.3), (0.5, 0.5), (0.4, 0.8), (0.6, 0.8)]
        marks = np.array([(left + x * width, top + y * height) for x, y in points])
        return [Candidate((left, top, width, height), self.score, landmarks=marks, eyes=marks[:2])]


def painted(width: int, height: int, box: tuple[int, int, int, int]) -> np.ndarray:
    x, y, w, h = box
    picture = np.zeros((height, width, 3), np.uint8)
    picture[y : y + h, x : x + w, 0] = 255
    picture[y : y + h // 2, x : x + w, 1] = 255
    return picture


def one(faces: list[Detection]) -> Detection:
    assert len(faces) == 1
    return faces[0]


def as_tuple(face: Detection) -> tuple[int, int, int, int]:
    return face.box.x, face.box.y, face.box.width, face.box.height


def turned_back(points: np.ndarray, turns: int, width: int, height: int) -> np.ndarray:
    """Where points of an upright picture lie after `numpy.rot90(picture, turns)`."""
    for _ in range(turns):
        points = np.column_stack([points[:, 1], width - 1 - points[:, 0]])
        width, height = height, width
    return points


@given(
    st.integers(0, 3),
    st.integers(130, 400),
    st.integers(130, 400),
    st.tuples(st.floats(0, 0.5), st.floats(0, 0.5), st.floats(0.25, 0.5), st.floats(0.25, 0.5)),
)
@settings(deadline=None, max_examples=50)
def test_a_turned_picture_gives_the_same_face_mapped_back(
    turns: int, width: int, height: int, shares: tuple[float, float, float, float]
) -> None:
    x, y, w, h = (int(s * n) for s, n in zip(shares, (width, height, width, height), strict=True))
    upright = painted(width, height, (x, y, w, h))
    detector = SearchingDetector(PaintedFaces())
    expected = one(detector.detect(upright, AnalysisOptions()))
    assert as_tuple(expected) == (x, y, w, h)
    face = one(detector.detect(np.ascontiguousarray(np.rot90(upright, turns)), AnalysisOptions()))
    assert expected.landmarks is not None
    assert face.landmarks is not None
    for got, want in (
        (face.corners, expected.corners),
        (face.landmarks.as_array(), expected.landmarks.as_array()),
        (np.array(face.eyes), np.array(expected.eyes)),
    ):
        np.testing.assert_allclose(got, turned_back(want, turns, width, height), atol=1e-9)
    low, high = face.corners.min(axis=0) + 0.5, face.corners.max(axis=0) + 0.5
    np.testing.assert_allclose(as_tuple(face), (*low, *(high - low)), atol=1e-9)


def test_turning_is_an_option_and_only_a_second_try() -> None:
    sideways = np.rot90(painted(200, 200, (20, 20, 60, 80))).copy()
    backend = PaintedFaces()
    assert SearchingDetector(backend).detect(sideways, UPRIGHT) == []
    assert len(backend.seen) == 1
    assert SearchingDetector(backend).detect(painted(200, 200, (20, 20, 60, 80)), AnalysisOptions())
    assert len(backend.seen) == 2


def test_detection_happens_at_the_bounded_side() -> None:
    backend = PaintedFaces()
    picture = painted(1000, 500, (100, 200, 300, 200))
    face = one(SearchingDetector(backend).detect(picture, AnalysisOptions(detection_side=250)))
    assert backend.seen == [(125, 250, 3)]
    assert as_tuple(face) == (100, 200, 300, 200)


def test_only_tiny_pictures_are_enlarged() -> None:
    backend = PaintedFaces()
    picture = painted(60, 40, (10, 5, 30, 30))
    face = one(SearchingDetector(backend).detect(picture, UPRIGHT))
    assert backend.seen == [(128, 192, 3)]
    np.testing.assert_allclose(as_tuple(face), (10, 5, 30, 30), atol=1)
    SearchingDetector(backend).detect(painted(130, 100, (10, 5, 30, 30)), UPRIGHT)
    assert backend.seen[-1] == (100, 130, 3)


class Scattered:
    """A backend with the answers it was given, whatever it sees."""

    name = "scattered"
    rule = BoxRule(0, 0, 48, 48)
    threshold = 0.5
    margin = 0.0

    def __init__(self, *candidates: Candidate) -> None:
        self.candidates = list(candidates)

    def find(self, image: np.ndarray, threshold: float, min_side: float) -> list[Candidate]:
        return self.candidates


def test_boxes_are_clipped_ordered_limited_and_large_enough() -> None:
    backend = Scattered(
        Candidate((10, 10, 30, 30), 0.6),
        Candidate((-20, 150, 60, 70), 0.7),
        Candidate((100, 20, 60, 60), 0.8),
        Candidate((60, 60, 10, 40), 0.9),
        Candidate((500, 500, 50, 50), 0.9),
        Candidate((190, 100, 60, 60), 0.9),
    )
    picture = np.zeros((200, 200, 3), np.uint8)
    faces = SearchingDetector(backend).detect(picture, UPRIGHT)
    assert [as_tuple(face) for face in faces] == [(100, 20, 60, 60), (0, 150, 40, 50), (10, 10, 30, 30)]
    np.testing.assert_allclose(faces[1].corners[0], (-20.5, 149.5))
    few = SearchingDetector(backend).detect(picture, AnalysisOptions(max_faces=1, rotate=False))
    assert [as_tuple(face) for face in few] == [(100, 20, 60, 60)]
    large = SearchingDetector(backend).detect(picture, AnalysisOptions(min_face=45, rotate=False))
    assert [as_tuple(face) for face in large] == [(100, 20, 60, 60)]


def test_the_threshold_is_the_callers_or_the_backends_own() -> None:
    picture = painted(200, 200, (20, 20, 60, 80))
    detector = SearchingDetector(PaintedFaces(score=0.55))
    assert detector.detect(picture, UPRIGHT)
    assert not detector.detect(picture, AnalysisOptions(detection_threshold=0.6, rotate=False))


def test_a_real_face_is_found(detector: Detector) -> None:
    for path, box in ((ASTRONAUT, (178, 64, 90, 110)), (HOPPER, (183, 120, 170, 213))):
        face = max(detector.detect(load(path), UPRIGHT), key=lambda face: face.box.area)
        x, y, w, h = box
        assert abs(face.box.x + face.box.width / 2 - (x + w / 2)) < 0.15 * w
        assert abs(face.box.y + face.box.height / 2 - (y + h / 2)) < 0.15 * h
        assert face.score is not None
        assert 0.5 <= face.score <= 1


def test_a_picture_without_a_face_has_none(detector: Detector) -> None:
    assert detector.detect(load(ROCKET), AnalysisOptions()) == []
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    assert detector.detect(noise, AnalysisOptions()) == []


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_photo_gives_the_same_face(detector: Detector, turns: int) -> None:
    picture = load(HOPPER)
    upright = detector.detect(picture, UPRIGHT)[0]
    turned = detector.detect(np.ascontiguousarray(np.rot90(picture, turns)), AnalysisOptions())[0]
    height, width = picture.shape[:2]
    want = turned_back(upright.corners, turns, width, height).mean(axis=0)
    assert np.abs(turned.corners.mean(axis=0) - want).max() < 0.2 * upright.box.width


def test_yunet_gives_the_persons_own_right_eye_first(yunet: Detector) -> None:
    landmarks = yunet.detect(load(ASTRONAUT), UPRIGHT)[0].landmarks
    assert landmarks is not None
    assert landmarks.right_eye.x < landmarks.nose.x < landmarks.left_eye.x
    assert landmarks.right_eye.y < landmarks.nose.y < landmarks.right_mouth.y


def test_haar_finds_eyes_where_it_can(haar: Detector) -> None:
    face = haar.detect(load(ASTRONAUT), UPRIGHT)[0]
    assert face.landmarks is None
    assert face.eyes is not None
    right, left = face.eyes
    assert np.abs(np.array([right, left]) - [(200, 101), (247, 102)]).max() < 6


def test_the_scale_of_detection_hardly_moves_the_face(yunet: Detector) -> None:
    picture = load(ASTRONAUT).repeat(3, axis=0).repeat(3, axis=1)
    small = yunet.detect(picture[:, :, :].copy(), AnalysisOptions(detection_side=512))[0]
    large = yunet.detect(load(ASTRONAUT), UPRIGHT)[0]
    np.testing.assert_allclose(small.corners / 3, large.corners, atol=3)


@pytest.mark.parametrize(
    ("width", "height"), [(1, 1), (1_000_000, 1), (1, 50_000), (2, 3), (100_000, 30), (31, 17), (24, 24)]
)
def test_any_shape_of_picture_can_be_searched(detector: Detector, width: int, height: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    for face in detector.detect(picture, AnalysisOptions(min_face=1)):
        assert face.box.clipped(width, height) == face.box


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_extreme_thresholds_are_allowed(detector: Detector, threshold: float) -> None:
    options = AnalysisOptions(detection_threshold=threshold, rotate=False)
    found = detector.detect(load(ASTRONAUT), options)
    assert bool(found) == (threshold == 0.0)


def test_threads_share_a_detector(detector: Detector) -> None:
    pictures = [load(ASTRONAUT), load(HOPPER), load(ASTRONAUT)[:, ::-1].copy()] * 4
    alone = [[as_tuple(face) for face in detector.detect(picture, UPRIGHT)] for picture in pictures]
    with ThreadPoolExecutor(4) as threads:
        found = threads.map(lambda picture: detector.detect(picture, UPRIGHT), pictures)
        assert [[as_tuple(face) for face in faces] for faces in found] == alone


def test_a_pool_never_lends_one_thing_twice() -> None:
    pool: Pool[object] = Pool(object)
    both = threading.Barrier(2, timeout=20)

    def take(_: int) -> int:
        with pool.borrow() as item:
            both.wait()
            return id(item)

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(take, range(2))
    assert first != second


def test_a_pool_takes_back_after_an_error() -> None:
    pool: Pool[object] = Pool(object)
    with pool.borrow() as item:
        pass
    with pytest.raises(KeyError), pool.borrow():
        raise KeyError
    with pool.borrow() as again:
        assert again is item


def install_yunet(monkeypatch: pytest.MonkeyPatch, folder: Path, content: bytes) -> None:
    monkeypatch.setenv("MIEN_DATA", str(folder))
    target = folder / "detectors" / "face_detection_yunet_2023mar.onnx"
    target.parent.mkdir()
    target.write_bytes(content)


def test_auto_takes_the_best_present(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shared: Path) -> None:
    monkeypatch.setenv("MIEN_DATA", str(tmp_path))
    assert create_detector("auto").name == "haar"
    content = (shared / "models" / "face_detection_yunet_2023mar.onnx").read_bytes()
    install_yunet(monkeypatch, tmp_path, content)
    assert create_detector("auto").name == "yunet"
    assert create_detector("yunet") is create_detector("auto")
    assert create_detector("haar").name == "haar"


def test_a_detector_that_is_not_here_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MIEN_DATA", str(tmp_path))
    with pytest.raises(ModelNotFoundError, match="mien models pull yunet"):
        create_detector("yunet")


def test_a_damaged_detector_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install_yunet(monkeypatch, tmp_path, b"not a network")
    with pytest.raises(DigestError):
        create_detector("auto")
    with pytest.raises(ModelError, match="not a YuNet network"):
        YuNetBackend(tmp_path / "detectors" / "face_detection_yunet_2023mar.onnx")
    with pytest.raises(ModelError, match="cannot be read"):
        YuNetBackend(tmp_path)


def test_an_unknown_detector_is_named() -> None:
    with pytest.raises(OptionError, match=r"'retina'.*auto, yunet, haar"):
        create_detector("retina")
