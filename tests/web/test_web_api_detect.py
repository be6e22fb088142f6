"""`POST /detect` as R3 has it: its shapes, who may call it, and how often."""

from __future__ import annotations

import pytest
from web_api_support import bearer, set_mien, upload

from mien.web.privacy import consent

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def agreed(db) -> None:
    """The operator agrees when the server first starts."""
    consent.give(None)


def test_a_face(client, photo) -> None:
    response = client.post("/detect", {"image": upload(photo)})
    assert response.status_code == 200
    assert response["Content-Type"].startswith("application/json")
    assert list(response.json()) == ["emotion", "confidence", "face_location"]
    assert list(response.json()["face_location"]) == ["x", "y", "width", "height"]
    assert 0 < response.json()["confidence"] <= 1


def test_it_is_what_the_library_says_and_always_has_a_label(client, photo) -> None:
    from mien.web import engine

    face = engine.analyze(photo).faces[0]
    answer = client.post("/detect", {"image": upload(photo)}).json()
    assert answer["emotion"] == face.top
    assert answer["confidence"] == pytest.approx(face.confidence)
    assert answer["face_location"] == face.box.to_dict()


def test_no_face(client, empty_photo) -> None:
    response = client.post("/detect", {"image": upload(empty_photo)})
    assert (response.status_code, response.json()) == (200, {"error": "No face detected"})


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"data": {"image": "text"}},
        {"data": {"picture": upload(b"x")}},
        {"data": b"{}", "content_type": "application/json"},
        {"data": b"\xff\xd8", "content_type": "image/jpeg"},
    ],
    ids=["nothing", "text", "another name", "json", "bare picture"],
)
def test_no_image(client, sent) -> None:
    response = client.post("/detect", **sent)
    assert (response.status_code, response.json()) == (400, {"error": "No image uploaded"})


def refused(response, status: int) -> bool:
    return response.status_code == status and list(response.json()) == ["error"]


def test_what_is_no_picture(client, photo) -> None:
    for content in (b"", b"no picture", photo[:200], b"\x89PNG\r\n\x1a\n" + b"0" * 50):
        assert refused(client.post("/detect", {"image": upload(content)}), 422)


def test_a_photo_over_the_limit(client, photo, settings) -> None:
    set_mien(settings, photo_mb=1)
    assert refused(client.post("/detect", {"image": upload(photo + b"\0" * 1_000_001)}), 413)


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "options", "trace"])
def test_other_methods(client, method: str) -> None:
    response = getattr(client, method)("/detect")
    assert refused(response, 405)
    assert response["Allow"] == "POST"


def test_a_damaged_form(client) -> None:
    for kind in (
        "multipart/form-data",
        "multipart/form-data; boundary=\xe9",
        "multipart/form-data; boundary=x",
    ):
        response = client.generic("POST", "/detect", b"--x\r\nno form", content_type=kind)
        assert refused(response, 400)


def test_a_hundred_thousand_parts(client) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    body = part * 100_000 + b"--x--\r\n"
    response = client.generic("POST", "/detect", body, content_type="multipart/form-data; boundary=x")
    assert refused(response, 413)


def test_nobody_without_an_account_where_that_is_set(client, photo, settings) -> None:
    set_mien(settings, anonymous_detect="off")
    assert refused(client.post("/detect", {"image": upload(photo)}), 401)
    set_mien(settings, anonymous_detect="auto", mode="production")
    assert refused(client.post("/detect", {"image": upload(photo)}), 401)


def test_an_account_by_token(client, photo, ann, settings) -> None:
    set_mien(settings, anonymous_detect="off")
    assert client.post("/detect", {"image": upload(photo)}, **bearer(ann)).status_code == 200
    assert refused(client.post("/detect", {"image": upload(photo)}, **bearer(ann, "read")), 403)
    wrong = client.post("/detect", {"image": upload(photo)}, HTTP_AUTHORIZATION="Bearer mien_wrong")
    assert refused(wrong, 401)


def test_an_account_by_session_needs_the_csrf_token(photo, client_of, ann) -> None:
    client = client_of(ann)
    client.handler.enforce_csrf_checks = True
    assert refused(client.post("/detect", {"image": upload(photo)}), 403)
    client.cookies["mien_csrf"] = "x" * 32
    assert client.post("/detect", {"image": upload(photo)}, HTTP_X_CSRFTOKEN="x" * 32).status_code == 200


def test_no_analysis_without_consent(client, photo, make_user) -> None:
    new = make_user("new", agreed=False)
    assert refused(client.post("/detect", {"image": upload(photo)}, **bearer(new)), 403)


def test_visitors_are_covered_by_the_operators_consent_only(client, photo) -> None:
    consent.withdraw(None)
    assert refused(client.post("/detect", {"image": upload(photo)}), 403)


def test_so_many_a_minute_by_address_and_by_account(client, ann, bob, settings) -> None:
    set_mien(settings, detect_per_minute=3)
    anns, bobs = bearer(ann), bearer(bob)
    for caller in ({}, {"REMOTE_ADDR": "10.0.0.2"}, anns, bobs):
        assert [client.post("/detect", **caller).status_code for _ in range(4)] == [400, 400, 400, 429]
    response = client.post("/detect", {}, **anns, REMOTE_ADDR="10.0.0.3")
    assert refused(response, 429)
    assert 1 <= int(response["Retry-After"]) <= 120


def test_nothing_is_kept(client, photo, ann) -> None:
    from mien.web.analyses.models import Analysis

    client.post("/detect", {"image": upload(photo)}, **bearer(ann))
    assert not Analysis.objects.exists()
