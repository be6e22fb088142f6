"""`/api/v1/analyses`, batches, statistics: sent, listed by cursor, deleted, never made twice."""

from __future__ import annotations

import datetime
import json
import uuid
from contextlib import suppress

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from web_api_support import API, is_problem, program, set_mien, upload

from mien.web.analyses.models import AnalysedFace, Analysis, Batch
from mien.web.api.models import Repeatable

pytestmark = pytest.mark.django_db


@pytest.fixture
def anns(ann):
    """Ann's program."""
    return program(ann)


def send(client, content: bytes, key: str | None = None, name: str = "photo.jpg"):
    headers = {} if key is None else {"HTTP_IDEMPOTENCY_KEY": key}
    return client.post(f"{API}/analyses", {"image": upload(content, name)}, **headers)


def test_a_photo_is_read_as_the_library_reads_it(anns, photo) -> None:
    from mien.web import engine

    response = send(anns, photo, name="Ana și Bo.jpg")
    assert response.status_code == 201
    made = response.json()
    (face,) = made["faces"]
    expected = engine.analyze(photo).faces[0].to_dict()
    expected.pop("track_id")
    assert face == expected
    assert list(face["scores"]) == list(expected["scores"])
    assert (made["name"], made["source"], made["batch"]) == ("Ana și Bo.jpg", "api", None)
    assert anns.get(response["Location"]).json() == made


def test_a_photo_without_faces_is_an_analysis(anns, empty_photo) -> None:
    assert send(anns, empty_photo).json()["faces"] == []


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\\b\\c.jpg", "x" * 3000, "=cmd()", "\u202egpj.exe", 'a";x="b', "a\nb"]
)
def test_hostile_names_are_only_shown(anns, photo, name: str) -> None:
    shown = send(anns, photo, name=name).json()["name"]
    assert len(shown) <= 200
    assert "/" not in shown
    assert shown.isprintable()


def test_what_is_no_photo_leaves_nothing(anns, photo) -> None:
    for content in (b"", b"x", photo[:300]):
        assert is_problem(send(anns, content), 422)
    assert is_problem(anns.post(f"{API}/analyses", {"image": "text"}), 422)
    assert is_problem(anns.post(f"{API}/analyses", b"{}", content_type="application/json"), 422)
    assert not Analysis.objects.exists()


def test_no_analysis_without_consent(make_user, photo) -> None:
    new = program(make_user("new", agreed=False))
    assert is_problem(send(new, photo), 403)
    assert is_problem(new.post(f"{API}/batches", {"images": [upload(photo)]}), 403)


def test_pages_by_cursor_are_not_shifted_by_what_comes_and_goes(anns, ann, make_analysis) -> None:
    same = timezone.now() - datetime.timedelta(days=1)
    made = [make_analysis(ann) for _ in range(7)]
    Analysis.objects.update(created=same)
    expected = [str(one.uid) for one in reversed(made)]
    seen, cursor = [], ""
    while cursor is not None:
        told = anns.get(f"{API}/analyses", {"limit": 3, "cursor": cursor}).json()
        seen += [item["id"] for item in told["items"]]
        cursor = told["next"]
        make_analysis(ann)
        Analysis.objects.filter(uid=seen[0]).delete()
    assert seen == expected


@pytest.mark.parametrize("cursor", ["x", "%00", "é", "eyJ9", "MjAyNiA1", "=" * 50, "OTk5OS0xMi0zMSAx"])
def test_a_cursor_that_is_none_of_ours(anns, cursor: str) -> None:
    assert is_problem(anns.get(f"{API}/analyses", {"cursor": cursor}), 422)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(max_size=60), st.binary(max_size=60))
def test_no_cursor_is_an_error_of_ours(text: str, noise: bytes) -> None:
    import base64

    from mien.web.api.paging import _read
    from mien.web.api.problems import ProblemError

    for cursor in (text, base64.urlsafe_b64encode(noise).decode()):
        with suppress(ProblemError):
            created, number = _read(cursor)
            assert created.tzinfo is not None
            assert number > 0


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=101", "limit=x", "since=x", "batch=1", "source=mail", "emotion=%00"),
        *("since=0001-01-01T00:00:00%2B14:00", "until=9999-12-31T23:59:59-14:00", "since=NaN", "since=1e400"),
    ],
)
def test_what_cannot_be_wanted(anns, query: str) -> None:
    response = anns.get(f"{API}/analyses?{query}")
    assert is_problem(response, 422)
    assert response.json()["errors"]


def test_what_is_wanted_is_found(anns, ann, make_analysis) -> None:
    one = make_analysis(ann, source="camera")
    old = make_analysis(ann, batch=Batch.objects.create(owner=ann))
    Analysis.objects.filter(pk=old.pk).update(created=timezone.now() - datetime.timedelta(days=9))
    label = one.faces.first().emotion
    week = (timezone.now() - datetime.timedelta(days=7)).isoformat()

    def found(**wanted: object) -> list[str]:
        return [item["id"] for item in anns.get(f"{API}/analyses", wanted).json()["items"]]

    assert found(source="camera") == found(since=week) == [str(one.uid)]
    assert found(until=week) == found(batch=old.batch.uid) == [str(old.uid)]
    assert found(emotion=label) == found() == [str(one.uid), str(old.uid)]
    assert found(emotion="none such") == found(batch=uuid.uuid4()) == []


def test_lists_take_as_many_queries_for_many(anns, ann, make_analysis, django_assert_max_num_queries) -> None:
    for _ in range(5):
        make_analysis(ann)
    with django_assert_max_num_queries(14):
        anns.get(f"{API}/analyses")


def test_deleted_is_gone(anns, ann, make_analysis) -> None:
    place = f"{API}/analyses/{make_analysis(ann).uid}"
    assert anns.delete(place).status_code == 204
    assert is_problem(anns.delete(place), 404)
    assert not AnalysedFace.objects.exists()


def test_a_key_makes_it_once(anns, photo) -> None:
    first, second = send(anns, photo, "a-key"), send(anns, photo, "a-key")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert first["Location"] == second["Location"]
    assert second["Idempotency-Replayed"] == "true"
    assert Analysis.objects.count() == 1
    assert send(anns, photo, "another").json()["id"] != first.json()["id"]


def test_a_key_is_of_one_content_and_one_user(anns, bob, photo, empty_photo) -> None:
    send(anns, photo, "a-key")
    assert is_problem(send(anns, empty_photo, "a-key"), 409)
    assert is_problem(send(anns, photo, "a-key", name="other.jpg"), 409)
    images = {"images": [upload(photo)]}
    assert is_problem(anns.post(f"{API}/batches", images, HTTP_IDEMPOTENCY_KEY="a-key"), 409)
    assert send(program(bob), photo, "a-key").status_code == 201


def test_a_key_of_what_failed_is_free_again(anns, photo) -> None:
    assert is_problem(send(anns, b"no picture", "a-key"), 422)
    assert not Repeatable.objects.exists()
    assert send(anns, photo, "a-key").status_code == 201


def test_a_key_that_is_being_worked_on_and_one_that_was_abandoned(anns, photo) -> None:
    send(anns, photo, "a-key")
    Repeatable.objects.update(made=None)
    Analysis.objects.all().delete()
    response = send(anns, photo, "a-key")
    assert is_problem(response, 409)
    assert response["Retry-After"] == "1"
    Repeatable.objects.update(started=timezone.now() - datetime.timedelta(minutes=11))
    assert send(anns, photo, "a-key").status_code == 201


def test_what_a_key_made_and_was_deleted_does_not_come_back(anns, photo) -> None:
    place = send(anns, photo, "a-key")["Location"]
    anns.delete(place)
    assert is_problem(send(anns, photo, "a-key"), 410)


def test_keys_are_forgotten_after_a_day(anns, photo) -> None:
    send(anns, photo, "a-key")
    Repeatable.objects.update(started=timezone.now() - datetime.timedelta(hours=25))
    assert "Idempotency-Replayed" not in send(anns, photo, "a-key")


@pytest.mark.parametrize("key", ["", "é", "a b", "x" * 201])
def test_a_key_that_cannot_be(anns, photo, key: str) -> None:
    assert is_problem(send(anns, photo, key), 422)


def test_a_batch_reads_what_it_can(anns, photo, empty_photo) -> None:
    images = [upload(photo, "a.jpg"), upload(b"x", "bad.jpg"), upload(empty_photo, "c.jpg")]
    response = anns.post(f"{API}/batches", {"images": images, "title": "Ana"})
    assert response.status_code == 201
    made = response.json()
    assert (made["total"], made["done"], made["failed"], made["finished"]) == (3, 2, 1, True)
    assert [failure["name"] for failure in made["failures"]] == ["bad.jpg"]
    assert anns.get(response["Location"]).json() == made
    found = anns.get(f"{API}/analyses", {"batch": made["id"]}).json()["items"]
    assert sorted(item["name"] for item in found) == ["a.jpg", "c.jpg"]
    assert anns.get(f"{API}/batches").json()["items"] == [made]
    assert anns.delete(response["Location"]).status_code == 204
    assert not Analysis.objects.exists()


def test_a_batch_is_made_once(anns, photo) -> None:
    def post():
        return anns.post(f"{API}/batches", {"images": [upload(photo)]}, HTTP_IDEMPOTENCY_KEY="b")

    assert post().content == post().content
    assert Batch.objects.count() == 1


def test_batches_that_cannot_be(anns, photo, settings) -> None:
    assert is_problem(anns.post(f"{API}/batches", {}), 422)
    assert is_problem(anns.post(f"{API}/batches", {"images": [upload(photo)], "title": "x" * 201}), 422)
    set_mien(settings, batch_photos=1)
    assert is_problem(anns.post(f"{API}/batches", {"images": [upload(photo), upload(photo)]}), 413)


def test_anothers_batch_does_not_exist(anns, bob) -> None:
    place = f"{API}/batches/{Batch.objects.create(owner=bob).uid}"
    assert is_problem(anns.get(place), 404)
    assert is_problem(anns.delete(place), 404)


@pytest.mark.django_db(transaction=True)
def test_statistics_are_those_of_the_dashboard(anns, photo, bob, make_analysis) -> None:
    send(anns, photo)
    make_analysis(bob)
    told = anns.get(f"{API}/statistics", {"period": "7d"}).json()
    assert (told["analyses"], told["faces"], told["sources"][0]["source"]) == (1, 1, "api")
    assert told["period"]["last"] == timezone.now().date().isoformat()


@pytest.mark.parametrize(
    "query", ["period=x", "first=2026-13-01", "first=2026-02-01&last=2026-01-01", "time_zone=Moon"]
)
def test_statistics_of_no_period(anns, query: str) -> None:
    assert is_problem(anns.get(f"{API}/statistics?{query}"), 422)


def test_pictures_are_kept_where_that_is_wanted_only(anns, ann, photo, settings) -> None:
    assert not send(anns, photo).json()["picture_kept"]
    kept = anns.post(f"{API}/analyses", {"image": upload(photo), "keep_picture": "true"}).json()
    assert kept["picture_kept"]
    ann.keep_pictures = True
    ann.save()
    assert send(anns, photo).json()["picture_kept"]
    set_mien(settings, keep_pictures=False)
    assert not send(anns, photo).json()["picture_kept"]


def test_exports_have_what_is_wanted(anns, ann, photo, bob, make_analysis) -> None:
    make_analysis(bob)
    images = [upload(photo, "=a.jpg"), upload(b"x", "bad.jpg")]
    made = anns.post(f"{API}/batches", {"images": images}).json()
    make_analysis(ann, name="page.jpg")

    def exported(**wanted: object) -> bytes:
        response = anns.get(f"{API}/export", wanted)
        assert response.status_code == 200
        assert "attachment" in response["Content-Disposition"]
        return response.getvalue()

    everything = exported(format="csv").decode()
    assert "page.jpg" in everything
    assert "\n=a.jpg" not in everything
    batch = exported(format="csv", batch=made["id"]).decode()
    assert "page.jpg" not in batch
    assert "bad.jpg" in batch
    assert exported(format="xlsx")[:2] == exported(format="zip")[:2] == b"PK"
    assert len(json.loads(exported(format="json", source="api"))["results"]) == 1
    assert is_problem(anns.get(f"{API}/export", {"format": "exe"}), 422)
    assert is_problem(anns.get(f"{API}/export"), 422)
