"""The frame of every page in a real browser: readable for everyone, in every size, theme and language."""

from __future__ import annotations

import pytest
from browser_support import faults, scrolls_sideways

SIZES = {"phone": 360, "desktop": 1280}
# Pages of the frame; each room tests its own.
PAGES = ["/", "/privacy/", "/privacy/consent/", "/nothing-here/"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", SIZES.values(), ids=SIZES)
def test_the_pages_have_no_serious_fault(browse, ann, width: int, scheme: str) -> None:
    page = browse(ann, width=width, scheme=scheme)
    for address in PAGES:
        page.goto(address)
        assert not scrolls_sideways(page), address
        assert not faults(page), address


def test_theme_and_language_are_chosen_and_kept(browse) -> None:
    page = browse(scheme="dark")
    page.goto("/")
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("button", name="Light").click()
    assert page.locator("html").get_attribute("data-bs-theme") == "light"
    page.get_by_role("button", name="Language").click()
    page.get_by_role("button", name="Română").click()
    page.goto("/privacy/")
    assert page.locator("html").get_attribute("lang") == "ro"
    assert page.locator("html").get_attribute("data-bs-theme") == "light"
    assert "Ce se păstrează" in page.inner_text("main")


def test_the_browsers_own_language_is_spoken(browse) -> None:
    page = browse(language="vi-VN")
    page.goto("/")
    assert "Khuôn mặt thể hiện điều gì?" in page.inner_text("main")


def test_an_account_takes_its_choices_along(browse, ann) -> None:
    first = browse(ann)
    first.goto("/")
    first.get_by_role("button", name="Language").click()
    first.get_by_role("button", name="Tiếng Việt").click()
    assert first.locator("html").get_attribute("lang") == "vi"
    elsewhere = browse(ann)
    elsewhere.goto("/")
    assert elsewhere.locator("html").get_attribute("lang") == "vi"


def test_the_menu_opens_on_a_phone(browse) -> None:
    page = browse(width=360)
    page.goto("/")
    assert not page.locator("#menu").is_visible()
    page.get_by_role("button", name="Open the menu").click()
    page.locator("#menu").get_by_role("link", name="Log in").wait_for(state="visible")
    assert not faults(page)


def test_consent_is_asked_for_and_leads_on(browse, make_user) -> None:
    page = browse(make_user("new", agreed=False))
    page.goto("/privacy/consent/?next=/privacy/")
    page.get_by_role("button", name="I agree").click()
    page.wait_for_url("**/privacy/")
    page.goto("/privacy/consent/")
    assert "You have agreed" in page.inner_text("main")
