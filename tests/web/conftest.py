"""A database in memory, users of every role, photos, and a server for a real browser."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from browser_support import Watch, chromium
from web_support import FACE, HAS_WEB, NO_FACE, PASSWORD

from mien.testing import write_model

collect_ignore_glob = [] if HAS_WEB else ["test_*"]
_folder = Path(tempfile.mkdtemp(prefix="mien-web-tests-"))


def _set_up_django() -> None:
    """Make Django's settings from an environment of the tests' own, which nothing else gets to see."""
    with pytest.MonkeyPatch.context() as environment:
        database = os.environ.get("MIEN_TEST_DATABASE_URL", "")
        for name in [name for name in os.environ if name.startswith("MIEN_")]:
            environment.delenv(name)
        environment.setenv("MIEN_DATA", str(_folder))
        environment.setenv("MODEL_PATH", str(write_model(_folder)))
        environment.setenv("DATABASE_URL", database)
        environment.setenv("DJANGO_SETTINGS_MODULE", "mien.web.settings")
        import django
        from django.conf import settings

        django.setup()
        # A real hash takes long, and hashed names need all files gathered: both have tests of their own.
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        settings.STORAGES = {
            **settings.STORAGES,
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
        }
        settings.WHITENOISE_AUTOREFRESH = True
        settings.WHITENOISE_USE_FINDERS = True
        settings.STATIC_ROOT = None


if HAS_WEB:
    _set_up_django()
    # Playwright runs a loop in the tests' thread; their queries are in no coroutine for all that
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"


def pytest_unconfigure() -> None:
    shutil.rmtree(_folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _one_connection(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a test's transaction the end of a request leaves the connection open, on PostgreSQL too."""
    mark = request.node.get_closest_marker("django_db")
    several = mark is not None and mark.kwargs.get("transaction")
    if not several and not {"live_server", "transactional_db"} & set(request.fixturenames):
        from django.db import connections

        monkeypatch.setattr(connections["default"], "close_if_unusable_or_obsolete", lambda: None)


@pytest.fixture(autouse=True)
def _own_files(tmp_path: Path, settings) -> None:
    """Each test has its own place for pictures."""
    settings.MEDIA_ROOT = tmp_path / "pictures"


@pytest.fixture
def make_user(db):
    """A function that makes a user of a role who has agreed to the notice."""
    from mien.web.accounts.models import User
    from mien.web.privacy import consent

    def make(name: str, role: str = "user", *, agreed: bool = True) -> User:
        user = User.objects.create_user(
            name,
            f"{name}@example.org",
            PASSWORD,
            is_staff=role in ("viewer", "administrator"),
            is_superuser=role == "administrator",
        )
        if agreed:
            consent.give(user)
        return user

    return make


@pytest.fixture
def ann(make_user):
    """A user."""
    return make_user("ann")


@pytest.fixture
def bob(make_user):
    """Another user."""
    return make_user("bob")


@pytest.fixture
def viewer(make_user):
    """Someone who may read the database viewer."""
    return make_user("vera", "viewer")


@pytest.fixture
def administrator(make_user):
    """Someone who may do everything."""
    return make_user("ada", "administrator")


@pytest.fixture
def client_of(db):
    """A function from a user (None: nobody) to a client that is logged in as them."""
    from django.test import Client

    def log_in(user=None) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user, "mien.web.accounts.backend.PasswordBackend")
        return client

    return log_in


@pytest.fixture
def photo() -> bytes:
    """A photo with one face."""
    return FACE.read_bytes()


@pytest.fixture
def empty_photo() -> bytes:
    """A photo without a face."""
    return NO_FACE.read_bytes()


@pytest.fixture
def make_analysis(db, photo):
    """A function that reads the photo for a user and keeps the result, with the picture if wanted."""
    from mien.core import images
    from mien.web import engine
    from mien.web.analyses import pictures, store

    def make(owner, *, picture: bool = False, **values):
        analysis = store.keep(owner, engine.analyze(photo), **{"name": "photo.jpg", **values})
        if picture:
            with pictures.kept_with(images.load(photo)) as keep:
                keep(analysis)
        return analysis

    return make


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """For pytest-playwright: the system's Chromium; Playwright's own is never fetched."""
    executable = chromium()
    if executable is None:
        pytest.skip("needs chromium")
    return {"executable_path": executable, "args": ["--no-sandbox", "--disable-gpu"]}


@pytest.fixture
def browse(browser, live_server, client_of):
    """A function that opens pages as a user would; whatever goes wrong in one fails the test.

    It takes a user (None: nobody) and what the browser is like, and returns Playwright's page, whose
    addresses begin at the server: `page.goto("/")`.
    """
    watch = Watch(live_server.url)
    opened = []

    def open_page(
        user=None, *, width: int = 1280, height: int = 800, scheme: str = "light", language: str = "en"
    ):
        context = browser.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            locale=language,
            reduced_motion="reduce",
        )
        opened.append(context)
        if user is not None:
            cookies = client_of(user).cookies
            context.add_cookies(
                [
                    {"name": name, "value": morsel.value, "url": live_server.url}
                    for name, morsel in cookies.items()
                ]
            )
        page = context.new_page()
        watch.on(page)
        return page

    yield open_page
    for context in opened:
        context.close()
    assert not watch.wrong, watch.wrong
