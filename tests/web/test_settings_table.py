"""One table of settings: read from the environment, checked, shown without secrets, safe."""

from __future__ import annotations

from dataclasses import fields

import pytest

from mien.core.errors import OptionError
from mien.web import settings_table
from mien.web.settings_table import WebSettings, check_safe, read, shown, to_environment, variable

LONG = "k" * 50


def test_without_variables_everything_has_its_default() -> None:
    assert read({}) == WebSettings() == read({"PORT": "", "OTHER": "x"})


def test_variables_are_read_as_what_they_are() -> None:
    given = {"PORT": " 8080 ", "DEBUG": "Yes", "MODEL_PATH": "mien-base", "MIEN_DATA": "/path/to/x"}
    settings = read({**given, "MAX_WORKERS": "3"})
    assert (settings.port, settings.debug, settings.model_path) == (8080, True, "mien-base")
    assert (settings.max_workers, settings.folder.name, settings.folder.parent.name) == (3, "web", "x")


def test_options_of_the_command_come_before_the_environment() -> None:
    assert read({"PORT": "8080"}, port=1, host=None).port == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "many"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("DEBUG", "perhaps"),
        ("MIEN_MODE", "staging"),
        ("MIEN_LANGUAGE", "fr"),
        ("MIEN_PHOTO_MB", "0"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, proxy"),
        ("MIEN_CORS_ORIGINS", "https://a.example/path"),
        ("MIEN_CORS_ORIGINS", "*"),
        ("SECRET_KEY", "short"),
        ("DATABASE_URL", "oracle://u:p@h/d"),
        ("DATABASE_URL", "postgres://u:p@[h/d"),
        ("DATABASE_URL", "postgres://u:p@h:port/d"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(name: str, text: str) -> None:
    with pytest.raises(OptionError, match=name):
        read({name: text})


@pytest.mark.parametrize(
    "given",
    [{"SECRET_KEY": "hunter2"}, {"DATABASE_URL": "mysql://u:hunter2@h/d"}],
    ids=lambda given: next(iter(given)),
)
def test_a_refusal_does_not_show_a_secret(given: dict[str, str]) -> None:
    with pytest.raises(OptionError) as refusal:
        read(given)
    assert "hunter2" not in str(refusal.value)


def test_what_is_shown_hides_secrets_and_names_every_setting() -> None:
    settings = WebSettings(secret_key=LONG, database_url="postgres://u:pw@h/d", email_host_password="pw")
    rows = list(shown(settings))
    assert len({name for name, *_ in rows}) == len(fields(WebSettings)) == len(rows)
    assert not [row for row in rows if LONG in row[1] or "pw" in row[1]]
    assert sum(row[1] == "(set)" for row in rows) == 3
    # pages of errors and logs show the settings by their repr
    assert LONG not in repr(settings)
    assert "pw" not in repr(settings)


def test_settings_survive_the_way_to_another_process() -> None:
    settings = WebSettings(port=0, debug=True, mode="production", allowed_hosts="a.example, b.example")
    assert read(to_environment(settings)) == settings


def test_only_names_that_programs_agree_on_have_no_prefix() -> None:
    names = {variable(setting.name) for setting in fields(WebSettings)}
    assert {"MODEL_PATH", "PORT", "DEBUG", "MAX_WORKERS", "DATABASE_URL", "MIEN_DATA"} <= names
    assert {"ALLOWED_HOSTS", "TRUSTED_PROXIES"} <= names
    assert not {"DATA", "HOST", "LANGUAGE", "MODE"} & names
    assert {setting.name for setting in fields(WebSettings)} >= settings_table._AGREED


@pytest.mark.parametrize(
    "chosen",
    [
        WebSettings(),
        WebSettings(debug=True),
        WebSettings(host="0.0.0.0", allowed_hosts="mien.example"),
        WebSettings(mode="production", allowed_hosts="mien.example", host="::"),
        WebSettings(host="127.0.0.2"),
    ],
    ids=repr,
)
def test_what_is_safe_is_let_through(chosen: WebSettings) -> None:
    check_safe(chosen)


@pytest.mark.parametrize(
    ("chosen", "named"),
    [
        (WebSettings(allowed_hosts="*"), "ALLOWED_HOSTS"),
        (WebSettings(host="0.0.0.0"), "ALLOWED_HOSTS"),
        (WebSettings(host="0.0.0.0", allowed_hosts="mien.example", debug=True), "DEBUG"),
        (WebSettings(mode="production"), "ALLOWED_HOSTS"),
        (WebSettings(mode="production", allowed_hosts="mien.example", debug=True), "DEBUG"),
        (WebSettings(mode="production", allowed_hosts="mien.example,*"), "ALLOWED_HOSTS"),
    ],
)
def test_what_is_unsafe_is_refused(chosen: WebSettings, named: str) -> None:
    with pytest.raises(OptionError, match=named):
        check_safe(chosen)


def test_detect_is_open_on_ones_own_machine_only() -> None:
    assert WebSettings().detects_for_anyone
    assert not WebSettings(mode="production").detects_for_anyone
    assert WebSettings(mode="production", anonymous_detect="on").detects_for_anyone
    assert not WebSettings(anonymous_detect="off").detects_for_anyone
