"""The settings of the web product: one table, read from the environment.

`mien serve --settings`, validation, the Django settings and the table in docs/web.md all read the same
fields. This module knows no Django, so that `mien serve --help` stays light.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mien.core.emotions import LANGUAGES
from mien.core.errors import OptionError
from mien.core.option_table import check_fields, option

MODES = ("local", "production")
SECRET = ("secret_key", "database_url", "email_host_password")

# Names that programs agree on are taken as they are; every other one begins with MIEN_.
_AGREED = frozenset(
    (
        *("model_path", "port", "debug", "max_workers", "web_concurrency", "database_url", "allowed_hosts"),
        *("trusted_proxies", "secret_key", "email_host", "email_port", "email_host_user"),
        *("email_host_password", "email_use_tls", "default_from_email", "time_zone"),
    )
)
_WORDS = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, repr=False)
class WebSettings:
    """Every setting with its default; a name in capitals is the environment variable."""

    mode: str = option(
        "local",
        "local: one machine, plain HTTP. production: HTTPS only, hosts named, nothing without an account",
        choices=MODES,
    )
    data: str = option("", "folder of database, pictures, keys and models; empty: the user's data folder")
    host: str = option("127.0.0.1", "address to listen on; 0.0.0.0 is every one of this machine")
    port: int = option(5000, "port to listen on; 0 takes a free one", low=0, high=65535)
    web_concurrency: int = option(1, "server processes", low=1, high=64)
    max_workers: int = option(
        0, "photos analysed at once, in each process; 0: a processor each", low=0, high=64
    )
    model_path: str = option("", "model to use, a name or an ONNX file with its card; empty: Mien's own")
    debug: bool = option(False, "show errors with their source to visitors; refused in production")
    database_url: str = option("", "postgres://user:password@host/name; empty: SQLite in the data folder")
    database_wait_seconds: int = option(
        10, "how long a request waits for the database before 503 is answered", low=1, high=300
    )
    database_connections: int = option(
        10, "connections to PostgreSQL, at most, of each process", low=1, high=200
    )
    secret_key: str = option("", "signs sessions, 50 characters or more; empty: one kept in the data folder")
    allowed_hosts: str = option("", "names this server is called by, with commas; production needs them")
    trusted_proxies: str = option("", "addresses or networks whose X-Forwarded-For and -Proto are believed")
    cors_origins: str = option("", "origins, with commas, whose pages may call the REST service; empty: none")
    hsts_seconds: int = option(
        31_536_000, "how long browsers insist on HTTPS, in production", low=0, high=63_072_000
    )
    language: str = option("en", "language where a visitor asks for none of these", choices=LANGUAGES)
    time_zone: str = option("UTC", "time zone of dates on pages, such as Europe/Bucharest")
    registration: bool = option(True, "visitors may make accounts")
    confirm_email: bool = option(False, "a new account has to confirm its address first")
    email_host: str = option("", "mail server; empty: mail is printed in the terminal")
    email_port: int = option(587, "port of the mail server", low=1, high=65535)
    email_host_user: str = option("", "user at the mail server")
    email_host_password: str = option("", "password at the mail server")
    email_use_tls: bool = option(True, "speak TLS to the mail server")
    default_from_email: str = option("mien@localhost", "sender of mail")
    session_days: int = option(14, "days until a session ends", low=1, high=365)
    login_failures: int = option(
        5, "wrong passwords for a user from one address until it is locked", low=1, high=100
    )
    lock_minutes: int = option(15, "minutes that such a lock lasts", low=1, high=1440)
    anonymous_detect: str = option(
        "auto", "POST /detect without an account; auto: on in local mode", choices=("auto", "on", "off")
    )
    detect_per_minute: int = option(
        100, "calls of /detect a minute, by account or address", low=1, high=100_000
    )
    api_per_minute: int = option(600, "calls of /api/v1 a minute, by account", low=1, high=100_000)
    photo_mb: int = option(10, "largest photo, in megabytes", low=1, high=100)
    batch_photos: int = option(100, "photos in one upload", low=1, high=1000)
    upload_mb: int = option(250, "largest upload of several photos, in megabytes", low=1, high=10_000)
    keep_pictures: bool = option(True, "users may choose to keep their pictures; no: none is ever kept")
    retention_days: int = option(0, "days until analyses are deleted; 0: only by hand", low=0, high=3650)
    drain_seconds: int = option(20, "time to finish open requests when stopped", low=0, high=600)
    log_level: str = option(
        "info", "least serious message in the log", choices=("debug", "info", "warning", "error")
    )

    def __post_init__(self) -> None:
        check_fields(self)
        if self.secret_key and len(self.secret_key) < 50:
            raise OptionError(f"SECRET_KEY has {len(self.secret_key)} characters; give 50 or more, or none")
        if self.database_url:
            _check_database_url(self.database_url)
        for address in listed(self.trusted_proxies):
            _check_network(address)
        for origin in listed(self.cors_origins):
            _check_origin(origin)

    def __repr__(self) -> str:
        changed = ((name, present) for name, present, default, _help in shown(self) if present != default)
        return f"WebSettings({', '.join(f'{name}={present}' for name, present in changed)})"

    @property
    def folder(self) -> Path:
        """The folder of what the web product keeps, in the data folder. It may not exist yet."""
        from mien.zoo.store import data_folder  # loads numpy, which `mien serve --help` does without

        return (Path(self.data) if self.data else data_folder()).absolute() / "web"

    @property
    def production(self) -> bool:
        """Whether this server is for others than who started it."""
        return self.mode == "production"

    @property
    def hosts(self) -> list[str]:
        """Names this server answers to; in local mode this machine's own are always among them."""
        named = listed(self.allowed_hosts)
        if self.production:
            return named
        return list(dict.fromkeys([*named, "localhost", "127.0.0.1", "[::1]", ".localhost"]))

    @property
    def detects_for_anyone(self) -> bool:
        """Whether `/detect` answers without an account."""
        return self.anonymous_detect == "on" or (self.anonymous_detect == "auto" and not self.production)

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine reaches the server."""
        return self.host in LOOPBACK_NAMES or _is_loopback(self.host)


def variable(name: str) -> str:
    """Return the environment variable of the setting `name`."""
    return name.upper() if name in _AGREED else f"MIEN_{name.upper()}"


def read(environment: Mapping[str, str] | None = None, **overrides: Any) -> WebSettings:
    """Return the settings that the environment gives; `overrides` that are not None come first.

    An empty variable counts as none.

    Raises:
        OptionError: a variable has a value that its setting does not take; the message names it.
    """
    environment = os.environ if environment is None else environment
    given = {
        setting.name: _parsed(setting, environment[name])
        for setting in fields(WebSettings)
        if environment.get(name := variable(setting.name))
    }
    given |= {name: value for name, value in overrides.items() if value is not None}
    for name, value in given.items():
        _check_alone(name, value)
    return WebSettings(**given)


def to_environment(settings: WebSettings) -> dict[str, str]:
    """Return the variables that `read` makes the same settings of, without those at their default."""
    return {
        variable(setting.name): written(getattr(settings, setting.name))
        for setting in fields(WebSettings)
        if getattr(settings, setting.name) != setting.default
    }


def check_safe(settings: WebSettings) -> None:
    """Refuse what would put a server that others reach at risk.

    Raises:
        OptionError: debug pages, no names of hosts, or any name allowed, where others can connect.
    """
    if "*" in listed(settings.allowed_hosts):
        raise OptionError("ALLOWED_HOSTS=* lets any site speak in a visitor's name; name the hosts")
    if settings.on_loopback and not settings.production:
        return
    if settings.debug:
        raise OptionError(
            "DEBUG shows the program's inside to visitors; unset it, or listen on 127.0.0.1 only"
        )
    if not listed(settings.allowed_hosts):
        where = "production mode" if settings.production else f"listening on {settings.host}"
        raise OptionError(
            f"{where} needs ALLOWED_HOSTS, the names or addresses it is called by, such as mien.example.org"
        )


def listed(text: str) -> list[str]:
    """Return the parts of a text with commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def shown(settings: WebSettings) -> Iterable[tuple[str, str, str, str]]:
    """Yield variable, present value, default and meaning of every setting; secrets only as "(set)"."""
    for setting in fields(WebSettings):
        value = written(getattr(settings, setting.name))
        present = "(set)" if value and setting.name in SECRET else value
        yield variable(setting.name), present, written(setting.default), setting.metadata["help"]


def _parsed(setting: Field[Any], text: str) -> Any:
    name, text = variable(setting.name), text.strip()
    if setting.type == "bool":
        if text.lower() not in _WORDS:
            raise OptionError(f"{name} has to be one of {', '.join(_WORDS)}, not {text!r}")
        return _WORDS[text.lower()]
    if setting.type == "int":
        try:
            return int(text)
        except ValueError:
            raise OptionError(f"{name} has to be a whole number, not {text!r}") from None
    return text


def written(value: Any) -> str:
    """Return a value as its environment variable has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_alone(name: str, value: Any) -> None:
    """Check one value among defaults, so that a message can name the variable it came from."""
    try:
        replace(WebSettings(), **{name: value})
    except OptionError as error:
        raise OptionError(str(error).replace(name, variable(name), 1)) from None


def _check_database_url(address: str) -> None:
    """Check what can be checked without a database; the message does not show the password in it."""
    try:
        scheme, number = urlsplit(address).scheme, urlsplit(address).port
    except ValueError as error:
        raise OptionError(f"DATABASE_URL is no address: {error}; quote special letters as %40") from None
    if scheme not in ("postgres", "postgresql", "sqlite") or number == 0:
        raise OptionError("DATABASE_URL has to begin with postgres:// or sqlite:///, or be empty")


def _check_network(address: str) -> None:
    try:
        ipaddress.ip_network(address, strict=False)
    except ValueError:
        raise OptionError(
            f"TRUSTED_PROXIES has {address!r}, which is no address or network such as 10.0.0.0/8"
        ) from None


def _check_origin(origin: str) -> None:
    parts = urlsplit(origin)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query:
        raise OptionError(
            f"MIEN_CORS_ORIGINS has {origin!r}, which is no origin such as https://app.example.org"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
