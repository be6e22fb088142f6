"""Subtitles, ELAN documents and summaries say what the timeline says."""

from __future__ import annotations

import itertools
import json
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

import pytest
from film_records import LABELS, person, summary
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from record_strategies import names

from mien.core.errors import OptionError, OutputError
from mien.records import SUMMARY_FORMATS, read_summary, write_summary
from mien.records.elan import eaf
from mien.records.subtitles import Cue, cues, srt, vtt

NASTY = ("<b>&1", "a --> b\n\n2", "{x}")
CLOCK = re.compile(r"(\d\d+):(\d\d):(\d\d)[,.](\d{3})")
relaxed = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])

TWO = summary(
    person(0, ("happy", 0, 2), (None, 2, 3), ("happy", 3, 5)),
    person(1, ("sad", 1, 4)),
    person(2, ("angry", 1, 1.1), brief=True),
)


def spans(text: str) -> list[tuple[float, float]]:
    times = [int(h) * 3600 + int(m) * 60 + int(s) + int(ms) / 1000 for h, m, s, ms in CLOCK.findall(text)]
    return list(zip(times[::2], times[1::2], strict=True))


def test_a_cue_lasts_while_its_text_stays_the_same() -> None:
    shown = [(cue.start_ms, cue.end_ms, cue.lines) for cue in cues(TWO)]
    assert shown == [
        (0, 1000, ("#0 happy",)),
        (1000, 2000, ("#0 happy", "#1 sad")),
        (2000, 3000, ("#0 uncertain", "#1 sad")),
        (3000, 4000, ("#0 happy", "#1 sad")),
        (4000, 5000, ("#0 happy",)),
    ]


def test_equal_neighbours_are_one_cue_and_nobody_is_none() -> None:
    film = summary(person(0, ("happy", 0, 1), ("happy", 1, 2), ("sad", 4, 5)))
    assert [(cue.start_ms, cue.end_ms) for cue in cues(film)] == [(0, 2000), (4000, 5000)]
    assert list(
        cues(summary(person(0, ("happy", 0, 0.0001)), person(1, ("sad", 1, 1.0), ("sad", 3, 4))))
    ) == [Cue(3000, 4000, ("#1 sad",))]
    assert srt(summary()) == ""
    assert vtt(summary()) == "WEBVTT\n"


def test_the_texts_of_both_formats() -> None:
    assert srt(TWO).startswith("1\n00:00:00,000 --> 00:00:01,000\n#0 happy\n\n2\n00:00:01,000 --> ")
    assert vtt(TWO).startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n#0 happy\n\n")
    assert "#0 Fericire\n#1 Tristețe" in vtt(TWO, "ro")
    assert "Không chắc chắn" in srt(TWO, "vi")
    long = summary(person(0, ("sad", 360_000.5, 360_001)))
    assert "100:00:00,500 --> 100:00:01,000" in srt(long)


def test_names_of_emotions_cannot_break_out() -> None:
    film = summary(
        person(0, (NASTY[0], 0, 1), (NASTY[1], 1, 2), (NASTY[2], 2, 3), labels=NASTY), labels=NASTY
    )
    assert "#0 &lt;b&gt;&amp;1" in vtt(film)
    assert vtt(film).count("-->") == srt(film).count("-->") == 3
    assert srt(film).count("\n\n") == vtt(film).count("\n\n") - 1 == 2
    assert "<" not in srt(film)


segments = st.lists(st.tuples(st.sampled_from([*LABELS, None]), st.floats(0, 9), st.floats(0, 2)), min_size=1)


@given(people=st.lists(segments, max_size=3))
def test_any_timeline_gives_cues_in_order(people: list) -> None:
    tracks = []
    for number, parts in enumerate(people):
        at, made = 0.0, []
        for label, gap, length in parts:
            made.append((label, at + gap, at + gap + length))
            at += gap + length
        tracks.append(person(number, *made))
    film = summary(*tracks)
    shown = list(cues(film))
    assert all(cue.start_ms < cue.end_ms and cue.lines for cue in shown)
    for before, after in itertools.pairwise(shown):
        assert before.end_ms <= after.start_ms
        assert before.end_ms < after.start_ms or before.lines != after.lines
    assert spans(srt(film)) == spans(vtt(film))
    check_eaf(eaf(film), len(people))


def check_eaf(text: str, tiers: int) -> ET.Element:
    """What the schema of EAF 3.0 asks for, as far as these documents use it."""
    root = ET.fromstring(text)
    assert root.tag == "ANNOTATION_DOCUMENT"
    assert {"AUTHOR", "DATE", "VERSION"} <= set(root.attrib)
    datetime.fromisoformat(root.attrib["DATE"])
    order = [child.tag for child in root]
    assert order == ["HEADER", "TIME_ORDER", *["TIER"] * tiers, "LINGUISTIC_TYPE"]
    for media in root.iter("MEDIA_DESCRIPTOR"):
        assert {"MEDIA_URL", "MIME_TYPE"} <= set(media.attrib)
    slots = {one.attrib["TIME_SLOT_ID"]: int(one.attrib["TIME_VALUE"]) for one in root.iter("TIME_SLOT")}
    assert len(slots) == len(root[1])
    kinds = {one.attrib["LINGUISTIC_TYPE_ID"] for one in root.iter("LINGUISTIC_TYPE")}
    identities = [one.attrib["ANNOTATION_ID"] for one in root.iter("ALIGNABLE_ANNOTATION")]
    assert len(set(identities)) == len(identities)
    assert not set(identities) & set(slots)
    names = [tier.attrib["TIER_ID"] for tier in root.iter("TIER")]
    assert len(set(names)) == len(names)
    for tier in root.iter("TIER"):
        assert tier.attrib["LINGUISTIC_TYPE_REF"] in kinds
        end = 0
        for one in tier.iter("ALIGNABLE_ANNOTATION"):
            start, stop = slots[one.attrib["TIME_SLOT_REF1"]], slots[one.attrib["TIME_SLOT_REF2"]]
            assert end <= start < stop
            assert [child.tag for child in one] == ["ANNOTATION_VALUE"]
            end = stop
    return root


def test_the_elan_document() -> None:
    root = check_eaf(eaf(TWO, "ro", folder="results"), 2)
    assert [tier.attrib["TIER_ID"] for tier in root.iter("TIER")] == ["#0", "#1"]
    values = [one.text for one in root.iter("ANNOTATION_VALUE")]
    assert values == ["Fericire", "Nesigur", "Fericire", "Tristețe"]
    media = next(root.iter("MEDIA_DESCRIPTOR"))
    assert media.attrib["RELATIVE_MEDIA_URL"] == "../films/talk.mp4"
    assert media.attrib["MIME_TYPE"] == "video/mp4"
    when = datetime(2024, 5, 1, tzinfo=UTC)
    assert eaf(TWO, written=when) == eaf(TWO, written=when)


@pytest.mark.parametrize("name", ["rtsp://me:secret@10.0.0.1/live.mp4", "camera 0"])
def test_what_is_no_file_is_not_named_in_it(name: str) -> None:
    text = eaf(summary(person(0, ("sad", 0, 1)), name=name))
    check_eaf(text, 1)
    assert "secret" not in text
    assert "MEDIA_DESCRIPTOR" not in text


@relaxed
@given(name=names, label=names)
def test_any_name_makes_files_that_can_be_read(tmp_path: Path, name: str, label: str) -> None:
    labels = (label, label + "x")
    film = summary(person(0, (label, 0, 1), (None, 1, 2), labels=labels), name=f"{name}.mp4", labels=labels)
    for suffix in SUMMARY_FORMATS:
        write_summary(film, tmp_path / f"film{suffix}")
    assert read_summary(tmp_path / "film.json") == film
    check_eaf((tmp_path / "film.eaf").read_text("utf-8"), 1)
    for suffix in (".srt", ".vtt"):
        assert len(spans((tmp_path / f"film{suffix}").read_text("utf-8"))) == 2


def test_the_summary_is_plain_json(tmp_path: Path) -> None:
    write_summary(TWO, tmp_path / "film.json")
    data = json.loads((tmp_path / "film.json").read_text("utf-8"))
    assert (data["persons"], data["complete"], data["head"]["source"]["name"]) == (2, True, "films/talk.mp4")
    assert data["tracks"][0]["segments"][0]["label"] == "happy"


def test_bad_requests_say_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"\.json, \.srt, \.vtt, \.eaf"):
        write_summary(TWO, tmp_path / "film.ass")
    with pytest.raises(OptionError, match="language 'xx'"):
        write_summary(TWO, tmp_path / "film.srt", language="xx")
    with pytest.raises(OutputError, match="nowhere"):
        write_summary(TWO, tmp_path / "nowhere" / "film.srt")
    (tmp_path / "film.json").write_text("[]")
    with pytest.raises(OptionError, match="record"):
        read_summary(tmp_path / "film.json")
    assert [path.name for path in tmp_path.iterdir()] == ["film.json"]
