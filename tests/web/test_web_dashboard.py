"""The pages of numbers: whose they are, what they show, and that everyone can read them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from browser_support import faults, scrolls_sideways
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mien.web.analyses.models import AnalysedFace, Analysis

HOME, OVERALL = "/dashboard/", "/dashboard/overall/"


def shown(client, address: str = HOME) -> str:
    return client.get(address).content.decode()


def test_without_a_photo_the_page_says_so(client_of, ann) -> None:
    page = shown(client_of(ann))
    assert "No numbers yet" in page
    assert "<canvas" not in page


def test_days_without_a_photo_are_told_from_no_photo_at_all(client_of, ann, make_analysis) -> None:
    make_analysis(ann)
    page = shown(client_of(ann), f"{HOME}?first=2001-01-01&last=2001-01-31")
    assert "Nothing in these days" in page
    assert "Jan. 1, 2001" in page


def test_everyone_sees_their_own_and_administrators_all(
    client_of, ann, bob, administrator, make_analysis
) -> None:
    for owner in (ann, ann, bob):
        make_analysis(owner)
    for user, address, photos in (
        (ann, HOME, 2),
        (bob, HOME, 1),
        (administrator, OVERALL, 3),
    ):
        assert client_of(user).get(address).context["found"].analyses == photos
    assert "No numbers yet" in shown(client_of(administrator))
    assert OVERALL in shown(client_of(administrator))
    assert OVERALL not in shown(client_of(ann))


def test_a_photo_without_a_face_is_a_photo(client_of, ann, make_analysis) -> None:
    analysis = make_analysis(ann)
    analysis.faces.all().delete()
    page = client_of(ann).get(HOME)
    assert (page.context["found"].analyses, page.context["found"].faces) == (1, 0)
    assert "No face was found in these photos." in page.content.decode()


@pytest.mark.parametrize(
    "query",
    ["first=yesterday", "first=2026-02-02&last=2026-02-01", "period=eon", "zone=Mars/Olympus", "zone=%00"],
)
def test_what_cannot_be_a_period_is_said_beside_the_form(client_of, ann, make_analysis, query: str) -> None:
    make_analysis(ann)
    response = client_of(ann).get(f"{HOME}?{query}")
    assert response.status_code == 422
    assert "<canvas" in response.content.decode()


def test_the_zone_is_kept_when_the_period_changes(client_of, ann, make_analysis) -> None:
    make_analysis(ann)
    page = shown(client_of(ann), f"{HOME}?period=7d&zone=Asia/Tokyo")
    assert "as in Asia/Tokyo" in page
    assert "?period=90d&amp;zone=Asia%2FTokyo" in page


def test_a_page_asks_the_database_as_often_for_many_as_for_one(client_of, ann, make_analysis) -> None:
    from django.db import connection

    client = client_of(ann)
    make_analysis(ann)
    client.get(HOME)
    counts = []
    for _more in range(2):
        with CaptureQueriesContext(connection) as asked:
            client.get(HOME)
        counts.append(len(asked))
        assert not any('FROM "analyses_analysedface"' in query["sql"] for query in asked)
        for _photo in range(3):
            make_analysis(ann)
    assert counts[0] == counts[1]


@pytest.fixture
def month(ann, make_analysis):
    """A month of photos, and expressions of every kind."""
    labels = ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise", "contempt", None, "puzzled"]
    for number, label in enumerate(labels):
        analysis = make_analysis(ann, source=("upload", "api", "camera")[number % 3])
        moment = timezone.now() - timedelta(days=2 * number, hours=number)
        Analysis.objects.filter(pk=analysis.pk).update(created=moment)
        AnalysedFace.objects.filter(analysis=analysis).update(
            created=moment, emotion=label, confidence=number / 10
        )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_has_no_serious_fault(browse, ann, month, width: int, scheme: str) -> None:
    page = browse(ann, width=width, scheme=scheme)
    page.goto(HOME)
    for summary in page.locator("main details > summary").all():
        summary.click()
    assert page.locator("canvas").count() == 7
    assert not scrolls_sideways(page)
    assert not faults(page)


def test_charts_are_drawn_from_their_tables_in_the_colours_of_the_theme(browse, ann, month) -> None:
    page = browse(ann, language="ro-RO")
    page.goto(HOME)
    drawn = "name => { const c = Chart.getChart(document.querySelector(`[data-chart=${name}]`)); return "
    labels = page.evaluate(drawn + "c.data.labels }", "emotions")
    rows = page.locator("#emotions-table tbody th").all_text_contents()
    assert labels == rows
    assert "Fericire" in labels
    assert labels[-1] == "Nesigur"
    assert page.evaluate(drawn + "c.data.datasets[0].data }", "emotions") == [1] * 10
    ink = drawn + "c.options.scales.y.ticks.color }"
    before = page.evaluate(ink, "emotions")
    page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
    page.evaluate("document.dispatchEvent(new CustomEvent('mien:theme'))")
    assert page.evaluate(ink, "emotions") != before


def test_the_devices_own_zone_is_offered(browser, live_server, client_of, ann, month) -> None:
    context = browser.new_context(base_url=live_server.url, timezone_id="Asia/Tokyo")
    session = client_of(ann).cookies["mien_session"].value
    context.add_cookies([{"name": "mien_session", "value": session, "url": live_server.url}])
    page = context.new_page()
    page.goto(HOME)
    page.get_by_text("Other days").click()
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.get_by_role("button", name="Show").click()
    assert "as in Asia/Tokyo" in page.inner_text("main")
    context.close()
