"""Any result that Mien could make, and names that file systems allow."""

from __future__ import annotations

from hypothesis import strategies as st

from mien.core.emotions import DEFAULT_LABELS
from mien.core.geometry import LANDMARK_NAMES, Box, Landmarks, Point
from mien.core.results import Face, ImageAnalysis, ModelReference, Pose, Quality
from mien.records import Failure

finite = st.floats(-1e6, 1e6)
probability = st.floats(0, 1)
# Surrogates from U+DC80 to U+DCFF are how Python shows bytes of a name that are not UTF-8.
names = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from("=+-@\t\r\n\x00\x0b\x1f\x85\u2028\ufffe\uffff,;\"'\\\udc80\udcff"),
    ),
    max_size=30,
)


@st.composite
def score_mappings(draw: st.DrawFn, labels: tuple[str, ...] = DEFAULT_LABELS) -> dict[str, float]:
    weights = draw(st.lists(st.floats(0.01, 1), min_size=len(labels), max_size=len(labels)))
    return {label: weight / sum(weights) for label, weight in zip(labels, weights, strict=True)}


@st.composite
def faces(draw: st.DrawFn, labels: tuple[str, ...] = DEFAULT_LABELS) -> Face:
    scores = draw(score_mappings(labels))
    box = Box(*draw(st.tuples(*[st.integers(0, 9000)] * 2, *[st.integers(1, 9000)] * 2)))
    points = st.builds(lambda x, y: Point(x, y), finite, finite)
    landmarks = st.builds(Landmarks, **{name: points for name in LANDMARK_NAMES})
    quality = st.builds(
        Quality,
        size=st.integers(1, 9000),
        sharpness=st.floats(0, 1e6),
        brightness=st.floats(0, 255),
        pose=st.none() | st.builds(Pose, finite, finite, finite),
        reasons=st.sampled_from([(), ("small",), ("dark", "turned")]),
    )
    return Face(
        box=box,
        scores=scores,
        emotion=draw(st.sampled_from([None, max(scores, key=scores.__getitem__)])),
        quality=draw(quality),
        detection_score=draw(st.none() | probability),
        landmarks=draw(st.none() | landmarks),
        track_id=draw(st.none() | st.integers(0, 10**6)),
    )


def analyses(labels: tuple[str, ...] = DEFAULT_LABELS) -> st.SearchStrategy[ImageAnalysis]:
    return st.builds(
        ImageAnalysis,
        faces=st.lists(faces(labels), max_size=3).map(tuple),
        width=st.integers(1, 20000),
        height=st.integers(1, 20000),
        model=st.builds(ModelReference, names, st.just("ab" * 32)),
        detector=st.sampled_from(["yunet", "haar", "given"]),
        options=st.just("0123456789abcdef"),
        elapsed_s=st.floats(0, 100),
        source=st.none() | names,
    )


failures = st.builds(Failure, st.none() | names, st.just("ImageFormatError"), names)
items = analyses() | failures


def analysis(
    source: str | None = "photo.jpg", *, faces: int = 1, labels: tuple[str, ...] = DEFAULT_LABELS
) -> ImageAnalysis:
    """One plain result with `faces` faces, the first label on top."""
    rest = 0.25 / (len(labels) - 1)
    scores = {label: (0.75 if label == labels[0] else rest) for label in labels}
    face = Face(
        Box(10, 20, 30, 40), scores, labels[0], Quality(30, 120.5, 99.0, reasons=("small",)), 0.9, track_id=3
    )
    return ImageAnalysis(
        (face,) * faces,
        640,
        480,
        ModelReference("mien-test", "cd" * 32),
        "yunet",
        "0123456789abcdef",
        0.25,
        source,
    )
