"""Every figure is drawn, in both forms and themes, from what users can give it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien import figures
from mien.core.errors import MissingExtraError, OptionError
from mien.figures import DARK, LIGHT, Line, Plot

pytest.importorskip("matplotlib", reason="needs matplotlib, of the report extra")

LABELS = ("angry", "happy", "tức giận", "$x_1^2$ & <b>")
FACES = np.random.default_rng(0).integers(0, 256, (5, 48, 48), dtype=np.uint8)
STEPS = np.linspace(0, 1, 900)


def every_plot() -> dict[str, Plot]:
    counts = np.array([[8, 1, 1, 0], [2, 7, 0, 1], [0, 0, 0, 0], [5, 0, 0, 5]])
    lines = [Line(label, STEPS, np.sqrt(STEPS), 0.67) for label in LABELS]
    bins = (STEPS[:15], STEPS[:15], np.arange(15), 0.04)
    shares = {"precision": 0.8, "recall": 0.75, "f1": 0.77}
    log = {"epoch": [1, 2], "train_loss": [1.5, 1.2], "validation_loss": [1.4, 1.3]}
    log |= {"validation_accuracy": [0.4, 0.5], "train_accuracy": [0.4, 0.6], "learning_rate": [0.1, 0.05]}
    bands = [figures.Band(n, n + 0.8, (*LABELS, None)[n % 5]) for n in range(90)]
    marks = [figures.Mark(1, 2, 3, LABELS[0])]
    lanes = [figures.Lane(f"#{n}", bands[n:], STEPS * 90, STEPS / 2, marks[n:]) for n in range(3)]
    plots = [
        figures.film_timeline(lanes, LABELS, 90, language="ro"),
        figures.confusion_matrix(counts, counts / np.maximum(counts.sum(1, keepdims=True), 1), LABELS),
        figures.per_class_bars(dict.fromkeys(LABELS, shares)),
        figures.roc_curves(lines),
        figures.precision_recall_curves(lines),
        figures.reliability_diagram(np.linspace(0, 1, 16), {"before": bins, "after": bins}),
        figures.risk_coverage_curve(STEPS, STEPS / 2, (0.4, 0.2)),
        figures.corruption_bars((0.7, 0.68, 0.72), {"low_resolution": (0.4, 0.38, 0.42)}),
        figures.class_distribution({"train": dict.fromkeys(LABELS, 90), "test": {"happy": 4}}),
        figures.score_bars(dict(zip(LABELS, (0.1, 0.6, 0.2, 0.1), strict=True)), threshold=0.5),
        figures.training_curves({**log, "best": [1, 1]}),
        figures.sample_sheet({label: FACES[: 1 + i] for i, label in enumerate(LABELS)}),
        figures.histogram("light", "Light", "grey", [0, 1, 2], {"train": [3, 1], "test": [0, 0]}),
        figures.ranges(
            "range", "Range", "grey", 255, {"a": {LABELS[3]: (3, 40, 99)}, "b": {"happy": (1, 2, 3)}}
        ),
        figures.mistakes_sheet([(face, "sad", LABELS[3], 0.987) for face in FACES]),
        figures.heat_maps(FACES[0], [(label, 0.3, STEPS[:48, None] * np.ones(48)) for label in LABELS], 2),
        figures.occlusion_map(FACES[0], STEPS[:48, None] - np.full(48, 0.02), LABELS[3], (12, 12)),
        figures.layer_sheet(
            [
                figures.LayerMaps("Conv + Relu", f"name, {'1, ' * 90}", FACES[:3].astype(np.float32)),
                figures.LayerMaps(
                    "ReduceMean", "another", np.arange(120, dtype=np.float32).reshape(120, 1, 1)
                ),
            ]
        ),
    ]
    return {plot.name: plot for plot in plots}


PLOTS = every_plot()


@pytest.mark.parametrize("name", PLOTS)
def test_a_figure_is_drawn_in_its_theme(name: str) -> None:
    plot = PLOTS[name]
    picture = Image.open(BytesIO(plot.png(DARK)))
    assert picture.width == 864
    assert picture.convert("RGB").getpixel((1, 1)) == (0x17, 0x19, 0x1E)
    assert len(picture.convert("RGB").resize((120, 120)).getcolors(20000) or ()) > 10  # something is drawn
    text = plot.svg(LIGHT)
    assert ET.fromstring(text).tag.endswith("svg")
    assert plot.title in text


def test_the_same_data_give_the_same_file() -> None:
    assert PLOTS["roc"].svg() == every_plot()["roc"].svg()
    assert PLOTS["scores"].png() == every_plot()["scores"].png()


def test_a_figure_without_its_title_is_lower() -> None:
    with_title, without = (
        Image.open(BytesIO(PLOTS["scores"].png(titled=titled))).height for titled in (True, False)
    )
    assert without < with_title


def test_one_label_one_face_and_none_can_be_drawn() -> None:
    figures.sample_sheet({"happy": FACES[:0], "sad": FACES[:1]}).png()
    figures.mistakes_sheet([]).png()
    figures.risk_coverage_curve(np.ones(1), np.zeros(1)).svg()
    log = {"epoch": [1], "train_loss": [1.0], "validation_loss": [1.0], "validation_accuracy": [0.5]}
    figures.training_curves(log).svg()


def test_many_labels_and_a_script_that_the_font_lacks_can_be_drawn() -> None:
    names = [f"expression number {n}" for n in range(19)] + ["怒り"]
    figures.confusion_matrix(np.eye(20, dtype=int), np.eye(20), names).png()
    figures.roc_curves([Line(name, STEPS, STEPS, 0.5) for name in names]).png()


def test_timelines_of_nobody_of_a_moment_and_of_very_many_bands() -> None:
    figures.film_timeline([], LABELS, 0).png()
    none = np.empty(0)
    moment = figures.Lane("#0", [figures.Band(0, 0.001, None)], np.array([0.0]), np.array([0.5]))
    figures.film_timeline([moment, figures.Lane("#1", [], none, none)], LABELS, 0.001).svg()
    bands = [figures.Band(n / 4, n / 4 + 0.25, LABELS[n % 3]) for n in range(40_000)]
    text = figures.film_timeline([figures.Lane("#0", bands, STEPS * 10_000, STEPS)], LABELS, 10_000).svg()
    assert len(text) < 400_000


def test_a_timeline_shows_emotions_in_their_colours() -> None:
    lanes = [figures.Lane("#0", [figures.Band(0, 10, "happy")], STEPS * 10, np.ones(900))]
    for theme in (LIGHT, DARK):
        drawn = Image.open(BytesIO(figures.film_timeline(lanes, ["happy"], 10).png(theme))).convert("RGB")
        colours = {colour: count for count, colour in drawn.getcolors(1 << 20)}
        assert colours[(245, 239, 89)] > 10_000


@pytest.mark.parametrize(
    ("language", "short", "long"),
    [
        (
            "en",
            ("Emotions over time", "seconds", "happy", "uncertain", "event, apex", "0.5"),
            "time in the film",
        ),
        ("vi", ("Cảm xúc theo thời gian", "giây", "Vui vẻ", "sự kiện, đỉnh", "0,5"), "thời gian trong phim"),
        ("ro", ("Emoțiile în timp", "secunde", "Fericire", "eveniment, apex", "0,5"), "timpul în film"),
    ],
)
def test_a_timeline_speaks_one_language(language: str, short: tuple[str, ...], long: str) -> None:
    bands = [figures.Band(0, 1, "happy"), figures.Band(1, 2, None)]
    lane = figures.Lane("#0", bands, STEPS * 2, STEPS, [figures.Mark(0, 1, 2, "happy")])

    def words(end_s: float, lanes: list[figures.Lane]) -> str:
        return figures.film_timeline(lanes, ["happy"], end_s, language=language).svg(small=True)

    for expected in short:
        assert expected in words(2, [lane])
    assert long in words(90, [lane])
    if language != "en":
        assert "no face" not in words(2, [])
    with pytest.raises(OptionError, match="language"):
        figures.film_timeline([], [], 1, language="tlh")


def test_curves_are_thinned_and_keep_their_ends() -> None:
    steep = Line("x", np.linspace(0, 1, 50_000), np.linspace(0, 1, 50_000) ** 0.05, 0.9)
    assert len(figures.roc_curves([steep]).svg()) < 120_000


def test_maps_of_one_value_or_of_none_can_be_drawn() -> None:
    flat = np.zeros((48, 48))
    figures.heat_maps(FACES[0], [("a", 1.0, flat)], 0).png()
    figures.occlusion_map(FACES[0], flat, "a", (12, 12)).png()
    assert np.array_equal(figures.overlaid(FACES[0], flat)[..., 1], FACES[0])
    assert figures.layer_picture(np.full((2, 4, 4), np.nan)).shape == (4, 9, 4)


def test_the_room_between_maps_is_transparent() -> None:
    sheet = figures.layer_picture(FACES[:3].astype(np.float32), columns=2)
    assert sheet.shape == (2 * 48 + 3, 2 * 48 + 3, 4)
    assert sheet[0, 0, 3] == 255
    assert sheet[0, 48, 3] == sheet[-1, -1, 3] == 0
    assert Image.open(BytesIO(figures.png_bytes(sheet))).mode == "RGBA"


def test_figures_made_of_pictures_are_files_of_pictures(tmp_path: Path) -> None:
    PLOTS["occlusion"].save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["occlusion-dark.png", "occlusion.png"]


def test_files_are_named_after_the_figure_and_the_theme(tmp_path: Path) -> None:
    PLOTS["scores"].save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "scores-dark.png",
        "scores-dark.svg",
        "scores.png",
        "scores.svg",
    ]
    PLOTS["scores"].write(tmp_path / "one.SVG", DARK)
    assert DARK.background in (tmp_path / "one.SVG").read_text(encoding="utf-8")
    with pytest.raises(OptionError, match="pdf"):
        PLOTS["scores"].write(tmp_path / "one.pdf")


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"mien\[report\]"):
        PLOTS["scores"].png()


def test_drawing_leaves_the_settings_of_the_process_alone() -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    PLOTS["scores"].svg(DARK)
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_every_line_stands_out_from_the_background(theme: figures.Theme) -> None:
    def luminance(colour: str) -> float:
        values = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for colour, least in [*((c, 3.0) for c in theme.series), (theme.text, 7.0), (theme.muted, 4.5)]:
        dark, light = sorted((luminance(colour), luminance(theme.background)))
        assert (light + 0.05) / (dark + 0.05) >= least, colour
