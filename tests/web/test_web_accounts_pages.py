"""Pages of accounts and privacy in a real browser; a second factor and a token from end to end."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import time

import pytest
from browser_support import faults, scrolls_sideways
from web_support import PASSWORD

ENTRANCE = ["/account/login/", "/account/signup/", "/account/password/reset/", "/account/confirm-email/xx/"]
ACCOUNT = ["/account/", "/account/email/", "/account/password/change/", "/account/2fa/", "/account/sessions/"]
ACCOUNT += [
    "/account/tokens/",
    "/account/reauthenticate/",
    "/account/logout/",
    "/privacy/data/",
    "/privacy/delete/",
]


def code_of(secret: str, moment: float) -> str:
    """The code that an authenticator app shows (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(moment) // 30), hashlib.sha1).digest()
    place = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[place : place + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


@pytest.mark.parametrize(
    ("width", "scheme", "language"),
    [
        *((360, "light", "en"), (360, "dark", "en"), (1280, "light", "en"), (1280, "dark", "en")),
        *((360, "light", "vi"), (360, "light", "ro")),
    ],
)
def test_pages_are_fit_for_everyone(
    browse, ann, make_analysis, width: int, scheme: str, language: str
) -> None:
    make_analysis(ann)
    for user, pages in ((None, ENTRANCE), (ann, ACCOUNT)):
        page = browse(user, width=width, scheme=scheme, language=language)
        for address in pages:
            page.goto(address)
            assert page.locator("h1").count() == 1, address
            assert not scrolls_sideways(page), address
            if language == "en":
                assert not faults(page), address


def test_a_second_factor_from_end_to_end(browse, ann) -> None:
    page = browse()

    def log_in() -> None:
        page.goto("/account/login/")
        page.get_by_label("Name or email address").fill("ann")
        page.get_by_label("Password").fill(PASSWORD)
        page.locator("main").get_by_role("button", name="Log in").click()
        page.wait_for_url(lambda address: not address.endswith("/login/"))

    log_in()
    page.goto("/account/2fa/totp/activate/")
    page.get_by_label("Password").fill(PASSWORD)  # a browser that was left open changes nothing
    page.get_by_role("button", name="Confirm").click()
    assert page.locator("img.qr").evaluate("image => image.complete && image.naturalWidth > 100")
    secret = page.locator("code.secret").inner_text()
    page.get_by_label("Authenticator code").fill("000000")
    page.locator("main").get_by_role("button", name="Turn on").click()
    assert "Incorrect code" in page.inner_text("main")
    secret = page.locator("code.secret").inner_text()
    page.get_by_label("Authenticator code").fill(code_of(secret, time.time()))
    page.locator("main").get_by_role("button", name="Turn on").click()
    page.wait_for_url("**/recovery-codes/")
    codes = page.locator("ul.codes code").all_inner_texts()
    assert len(codes) == 10
    assert not faults(page)
    page.goto("/account/logout/")
    page.locator("main").get_by_role("button", name="Log out").click()
    page.wait_for_url(lambda address: not address.endswith("/logout/"))
    log_in()
    assert page.url.endswith("/account/2fa/authenticate/")
    assert not faults(page)
    page.goto("/account/")
    assert page.url.endswith("/account/2fa/authenticate/")  # a password alone opens nothing
    page.locator("#id_code").fill(codes[0])
    page.locator("main").get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda address: "authenticate" not in address)
    page.goto("/account/2fa/")
    assert "9 are left" in page.inner_text("main")


def test_a_token_is_made_and_revoked_by_hand(browse, ann) -> None:
    page = browse(ann)
    page.goto("/account/tokens/")
    page.get_by_label("Name").fill("my script")
    page.get_by_role("button", name="Make the token").click()
    assert page.locator("code.secret").inner_text().startswith("mien_")
    assert not faults(page)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Revoke").click()
    page.get_by_text("The token is revoked").wait_for()
    assert page.locator(".token").count() == 0
