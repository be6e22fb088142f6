"""Upload, result, history, export, delete in a real browser, as a user goes through them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from browser_support import faults, scrolls_sideways
from web_support import FACE, NO_FACE

from mien.web.analyses.models import Analysis, Batch


def check(page) -> None:
    assert not scrolls_sideways(page), page.url
    assert not faults(page), page.url


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")], ids=["phone", "desktop"])
def test_from_the_photo_to_nothing_left(browse, ann, width: int, scheme: str, tmp_path: Path) -> None:
    page = browse(ann, width=width, scheme=scheme)
    page.goto("/history/")
    check(page)
    page.get_by_role("link", name="Read photos").click()
    check(page)
    page.set_input_files("#photos", FACE)
    page.locator("article .frame.has-picture img").wait_for()  # of the browser's memory
    assert page.locator("article meter").count() == 7
    assert "blob:" in page.locator("article img").get_attribute("src")
    check(page)
    page.get_by_role("link", name="Open in the history").click()
    assert "The picture was not kept" in page.inner_text("main")
    page.get_by_role("textbox", name="Notes").fill("by the sea")
    page.get_by_role("textbox", name="Tags").fill("summer, family")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Notes and tags are saved.").wait_for()
    check(page)
    page.goto("/history/?tag=summer")
    assert page.locator(".entry").count() == 1
    check(page)
    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    download.value.save_as(tmp_path / "mien.csv")
    (row,) = csv.DictReader((tmp_path / "mien.csv").read_text(encoding="utf-8").splitlines())
    assert (row["source"], row["tags"]) == (FACE.name, "family, summer")
    page.goto("/history/")
    assert page.get_by_role("button", name="Delete the ticked").is_disabled()
    page.get_by_label("All on this page").check()
    page.get_by_role("button", name="Delete the ticked").click()
    check(page)
    page.get_by_role("button", name="Delete for good").click()
    page.get_by_text("Nothing has been read yet").wait_for()
    assert not Analysis.objects.exists()


def test_a_batch_goes_on_after_a_bad_photo_and_ends_in_a_report(browse, ann, tmp_path: Path) -> None:
    bad = tmp_path / "<b>bad.jpg"
    bad.write_bytes(b"no picture")
    page = browse(ann)
    page.goto("/photos/")
    page.get_by_label("Keep the pictures too").check()
    page.set_input_files("#photos", [FACE, bad, NO_FACE])
    page.locator("#report:visible").wait_for()
    assert page.inner_text("#state") == "2 of 3 photos are read. 1 could not be read."
    assert page.locator("#bar").get_attribute("max") == "3"
    assert page.locator("#results article").count() == 2
    assert "<b>bad.jpg" in page.inner_text("#results .refused")
    check(page)
    page.get_by_role("link", name="Report of the batch").click()
    check(page)
    batch = Batch.objects.get()
    assert (batch.done, batch.failed) == (2, 1)
    page.locator(".short h3 a", has_text=FACE.name).click()
    shown = page.locator(".frame img")
    shown.wait_for()
    assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") == 512
    check(page)


def test_a_busy_server_is_asked_again(browse, ann) -> None:
    page = browse(ann)
    page.goto("/photos/")
    answers = iter([{"status": 503, "headers": {"Retry-After": "1"}}])

    def busy_once(route) -> None:
        answer = next(answers, None)
        if answer is None:
            route.continue_()
        else:
            route.fulfill(**answer)

    page.route("**/photos/read/", busy_once)
    page.set_input_files("#photos", FACE)
    page.locator("article .frame.has-picture img").wait_for()
    assert Analysis.objects.count() == 1


def test_photos_are_dropped_and_pasted(browse, ann) -> None:
    page = browse(ann)
    page.goto("/photos/")
    given = """([kind, bytes]) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], kind + ".jpg", { type: "image/jpeg" }));
        const event = kind === "drop"
            ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
            : new ClipboardEvent("paste", { clipboardData: data, bubbles: true });
        document.getElementById("drop").dispatchEvent(event);
    }"""
    for kind in ("drop", "paste"):
        page.evaluate(given, [kind, list(FACE.read_bytes())])
        page.locator(f"article img[alt='{kind}.jpg']").wait_for()
    assert sorted(Analysis.objects.values_list("name", flat=True)) == ["drop.jpg", "paste.jpg"]


def test_a_photo_goes_without_javascript(browser, live_server, client_of, ann) -> None:
    cookies = [
        {"name": name, "value": morsel.value, "url": live_server.url}
        for name, morsel in client_of(ann).cookies.items()
    ]
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    context.add_cookies(cookies)
    page = context.new_page()
    page.goto("/photos/")
    page.set_input_files("#photos", [FACE, NO_FACE])
    page.get_by_role("button", name="Read photos").click()
    assert "Report of the batch" in page.inner_text("h1")
    assert Batch.objects.get().done == 2
    page.goto("/history/")
    page.locator("input[name=uid]").first.check()
    page.get_by_role("button", name="Delete the ticked").click()
    page.get_by_role("button", name="Delete for good").click()
    assert Analysis.objects.count() == 1
    context.close()


@pytest.mark.parametrize("language", ["vi", "ro"])
def test_no_language_is_too_wide_for_a_phone(browse, ann, make_analysis, language: str) -> None:
    batch = Batch.objects.create(owner=ann, total=1, done=1)
    analysis = make_analysis(ann, name="a-very-long-name-" * 9 + ".jpg", batch=batch)
    page = browse(ann, width=360, language=language)
    for address in ("/photos/", "/history/", f"/history/{analysis.uid}/", f"/history/batches/{batch.uid}/"):
        page.goto(address)
        assert not scrolls_sideways(page), address
