"""The history: found, paged, noted, tagged, deleted; always only one's own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import transaction

from mien.core.errors import OptionError
from mien.web.analyses import history_views, store
from mien.web.analyses.models import AnalysedFace, Analysis, Batch, Picture, Tag


@pytest.fixture
def rich(ann, make_analysis):
    """Analyses of ann's that differ in everything a filter looks at; by name."""

    def make(
        name: str, emotion: str | None, day: int, *, source: str = "upload", notes: str = "", tags: str = ""
    ) -> Analysis:
        analysis = make_analysis(ann, name=name, source=source)
        analysis.created, analysis.notes = datetime(2026, 3, day, 23, 30, tzinfo=UTC), notes
        analysis.save()
        analysis.faces.update(emotion=emotion)
        analysis.tags.set([Tag.objects.get_or_create(owner=ann, name=tag)[0] for tag in tags.split()])
        return analysis

    make("beach.jpg", "happy", 1, notes="a day by the sea", tags="summer family")
    make("office.jpg", "sad", 2, source="api", tags="work")
    make("fog.jpg", None, 3, notes="100%_ sure")
    none = make("hill.jpg", None, 4)
    none.faces.all().delete()
    none.face_count = 0
    none.save()


def names(answer) -> list[str]:
    return [analysis.name.removesuffix(".jpg") for analysis in answer.context["page"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "hill fog office beach"),
        ("order=oldest", "beach office fog hill"),
        ("order=name", "beach fog hill office"),
        ("order=faces", "fog office beach hill"),
        ("q=BEACH", "beach"),
        ("q=sea", "beach"),
        ("q=famil", "beach"),
        ("q=%25_", "fog"),
        ("q=zzz", ""),
        ("emotion=happy", "beach"),
        ("emotion=-uncertain", "fog"),
        ("emotion=-none", "hill"),
        ("emotion=angry", ""),
        ("source=api", "office"),
        ("tag=summer", "beach"),
        ("since=2026-03-02&until=2026-03-03", "fog office"),
        ("until=2026-03-01", "beach"),
        ("since=2026-03-04", "hill"),
        ("tag=work&source=upload", ""),
        ("emotion=nonsense", ""),
        ("since=yesterday", ""),
        ("until=0001-01-01", ""),
        ("until=9998-12-31", "hill fog office beach"),
        ("until=9999-12-31", ""),
        ("since=9999-12-31", ""),
        ("tag=%00", ""),
        ("q=%00", ""),
        ("page=99", "hill fog office beach"),
        ("page=x", "hill fog office beach"),
    ],
)
def test_a_filter_shows_what_fits(client_of, ann, rich, query: str, expected: str) -> None:
    answer = client_of(ann).get(f"/history/?{query}")
    assert answer.status_code == 200
    assert names(answer) == expected.split()


def test_the_history_is_ones_own(client_of, bob, rich) -> None:
    page = client_of(bob).get("/history/")
    assert "Nothing has been read yet" in page.content.decode()
    answer = client_of(bob).get("/history/?tag=summer")
    assert names(answer) == []
    assert 'value="summer"' not in answer.content.decode()


def test_a_filter_without_result_says_so(client_of, ann, rich) -> None:
    page = client_of(ann).get("/history/?q=zzz").content.decode()
    assert "No analysis fits" in page
    assert "Clear the filters" in page


def test_pages_follow_each_other_and_keep_the_filter(client_of, ann, make_analysis, monkeypatch) -> None:
    monkeypatch.setattr(history_views, "PER_PAGE", 2)
    for number in range(5):
        make_analysis(ann, name=f"{number}.jpg")
    client = client_of(ann)
    seen = [name for page in (1, 2, 3) for name in names(client.get(f"/history/?q=jpg&page={page}"))]
    assert seen == ["4", "3", "2", "1", "0"]
    page = client.get("/history/?q=jpg&page=2").content.decode()
    assert 'href="?page=3&amp;q=jpg"' in page
    assert 'aria-current="page"' in page


def test_the_number_of_queries_does_not_grow(
    client_of, ann, make_analysis, django_assert_max_num_queries
) -> None:
    client = client_of(ann)
    for number in range(12):
        make_analysis(ann, name=f"{number}.jpg", picture=number % 2 == 0)
    with django_assert_max_num_queries(16):
        client.get("/history/")


def test_notes_and_tags_are_written(client_of, ann, make_analysis) -> None:
    client, analysis = client_of(ann), make_analysis(ann)
    address = f"/history/{analysis.uid}/"
    answer = client.post(
        address, {"notes": "<b>by the sea</b>", "words": " summer,  Summer, two  words ,,"}, follow=True
    )
    assert answer.redirect_chain == [(address, 302)]
    analysis.refresh_from_db()
    assert analysis.notes == "<b>by the sea</b>"
    assert "<b>by the sea" not in answer.content.decode()
    assert [tag.name for tag in analysis.tags.all()] == ["Summer", "two words"]
    client.post(address, {"notes": "", "words": "SUMMER"})
    assert [tag.name for tag in Tag.objects.of(ann)] == [
        "Summer"
    ]  # the word is known, the other one forgotten


@pytest.mark.parametrize(
    "data",
    [
        {"notes": "n" * 10_001},
        {"notes": "", "words": "w" * 41},
        {"notes": "", "words": ",".join("abcdefghijklmnopqrstu")},
        {"notes": "a\0b"},
    ],
    ids=["long notes", "long tag", "many tags", "nul"],
)
def test_notes_that_cannot_be_are_said(client_of, ann, make_analysis, data: dict[str, str]) -> None:
    analysis = make_analysis(ann)
    answer = client_of(ann).post(f"/history/{analysis.uid}/", data)
    assert answer.status_code == 422
    assert "is-invalid" in answer.content.decode()
    analysis.refresh_from_db()
    assert analysis.notes == ""
    assert not Tag.objects.exists()


def test_the_tags_of_others_are_not_taken(client_of, ann, bob, make_analysis) -> None:
    theirs = Tag.objects.create(owner=bob, name="summer")
    Tag.analyses.through.objects.create(tag=theirs, analysis=make_analysis(bob))
    analysis = make_analysis(ann)
    client_of(ann).post(f"/history/{analysis.uid}/", {"notes": "", "words": "summer"})
    assert analysis.tags.get() != theirs


def everything() -> list[int]:
    return [model.objects.count() for model in (Analysis, AnalysedFace, Picture, Tag, Batch)]


def test_one_is_deleted_with_all_that_belongs_to_it(
    client_of, ann, make_analysis, settings, django_capture_on_commit_callbacks
) -> None:
    client = client_of(ann)
    analysis, other = make_analysis(ann, picture=True), make_analysis(ann, picture=True)
    client.post(f"/history/{analysis.uid}/", {"notes": "x", "words": "gone"})
    question = client.post("/history/delete/", {"which": "chosen", "uid": str(analysis.uid)})
    assert "Delete 1 analysis?" in question.content.decode()
    assert Analysis.objects.count() == 2  # only asked
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(
            "/history/delete/", {"which": "chosen", "uid": str(analysis.uid), "confirmed": "yes"}, follow=True
        )
    assert "1 analysis was deleted." in answer.content.decode()
    assert everything() == [1, 1, 1, 0, 0]
    files = [path.stem for path in Path(settings.MEDIA_ROOT).rglob("*.jpg")]
    assert files == [other.uid.hex]


def test_what_a_filter_finds_is_deleted(client_of, ann, rich) -> None:
    data = {"which": "filtered", "query": "q=jpg&emotion=sad"}
    client_of(ann).post("/history/delete/", {**data, "confirmed": "yes"})
    assert {analysis.name for analysis in Analysis.objects.all()} == {"beach.jpg", "fog.jpg", "hill.jpg"}
    assert {tag.name for tag in Tag.objects.all()} == {"summer", "family"}


def test_a_filter_that_makes_no_sense_deletes_nothing(client_of, ann, rich) -> None:
    for query in ("since=yesterday", "emotion=nonsense", "tag=nobody"):
        client_of(ann).post("/history/delete/", {"which": "filtered", "query": query, "confirmed": "yes"})
    assert Analysis.objects.count() == 4


def test_everything_is_deleted_and_nothing_of_others(client_of, ann, bob, rich, make_analysis) -> None:
    make_analysis(bob)
    Batch.objects.create(owner=ann, total=1, failed=1)
    client_of(ann).post("/history/delete/", {"which": "all", "confirmed": "yes"})
    assert everything() == [1, 1, 0, 0, 0]
    assert Analysis.objects.get().owner == bob


def test_a_batch_is_deleted_with_its_photos(client_of, ann, make_analysis) -> None:
    batch = Batch.objects.create(owner=ann, total=2, done=1, failed=1)
    make_analysis(ann, batch=batch)
    kept = make_analysis(ann)
    client_of(ann).post("/history/delete/", {"which": "batch", "batch": str(batch.uid), "confirmed": "yes"})
    assert list(Analysis.objects.all()) == [kept]
    assert not Batch.objects.exists()


def test_what_is_anothers_is_not_deleted(client_of, bob, ann, make_analysis) -> None:
    analysis = make_analysis(ann)
    batch = Batch.objects.create(owner=ann, total=1)
    client = client_of(bob)
    client.post("/history/delete/", {"which": "chosen", "uid": str(analysis.uid), "confirmed": "yes"})
    refusal = client.post("/history/delete/", {"which": "batch", "batch": str(batch.uid), "confirmed": "yes"})
    assert refusal.status_code == 404
    assert everything() == [1, 1, 0, 0, 1]


@pytest.mark.parametrize(
    "data", [{}, {"which": "nonsense"}, {"which": "chosen"}, {"which": "chosen", "uid": "x"}]
)
def test_to_delete_nothing_says_so(client_of, ann, data: dict[str, str], make_analysis) -> None:
    make_analysis(ann)
    answer = client_of(ann).post("/history/delete/", {**data, "confirmed": "yes"}, follow=True)
    assert "Nothing was chosen." in answer.content.decode()
    assert Analysis.objects.count() == 1


def test_a_deletion_that_fails_loses_no_picture(ann, make_analysis, settings) -> None:
    analysis = make_analysis(ann, picture=True)

    def fail() -> None:
        with transaction.atomic():
            analysis.delete()
            raise OptionError("no")

    with pytest.raises(OptionError):
        fail()
    assert len(list(Path(settings.MEDIA_ROOT).rglob("*.jpg"))) == 1


def test_the_report_of_a_batch_counts(client_of, ann, make_analysis, empty_photo: bytes) -> None:
    from mien.web import engine

    failures = [{"name": "<i>bad.jpg", "why": "This file is empty."}]
    batch = Batch.objects.create(owner=ann, total=5, done=3, failed=1, failures=failures)
    make_analysis(ann, batch=batch, picture=True)
    make_analysis(ann, batch=batch).faces.update(emotion=None)
    store.keep(ann, engine.analyze(empty_photo), batch=batch)
    answer = client_of(ann).get(f"/history/batches/{batch.uid}/")
    report, page = answer.context["report"], answer.content.decode()
    assert (report.photos, report.faces, report.without_face, report.kept) == (3, 2, 1, 1)
    assert sum(share.faces for share in report.shares) == 2
    assert sum(share.share for share in report.shares) == pytest.approx(1)
    assert None in [share.emotion for share in report.shares]
    assert "&lt;i&gt;bad.jpg" in page
    assert "Not all photos arrived: 3 read and 1 failed of 5." in page
