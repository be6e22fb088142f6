"""Django's settings, made from the table of settings; secure unless the table says local."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF

from mien.web import catalogues, settings_table
from mien.web.secret_key import secret_key

MIEN = settings_table.read()
PLACE = Path(__file__).parent

SECRET_KEY = MIEN.secret_key or secret_key(MIEN.folder)
DEBUG = MIEN.debug
ALLOWED_HOSTS = MIEN.hosts
ROOT_URLCONF = "mien.web.urls"
ASGI_APPLICATION = "mien.web.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SITE_ID = None

INSTALLED_APPS = [
    # ours first: their templates and texts come before those of the packages
    "mien.web.accounts",
    "mien.web.privacy",
    "mien.web.analyses",
    "mien.web.dashboard",
    "mien.web.api",
    "mien.web.viewer.apps.ViewerConfig",
    "mien.web.viewer.apps.ViewerAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "auditlog",
    "csp",
    "import_export",
    "channels",
    "ninja",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "mien.web.static_files.StaticFilesMiddleware",
    "mien.web.api.middleware.ServiceMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "mien.web.preferences.PreferencesMiddleware",
    "mien.web.body_limit.BodyLimitMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "auditlog.middleware.AuditlogMiddleware",
    "mien.web.rules.RulesMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PLACE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "mien.web.preferences.page_context",
            ],
            "builtins": ["mien.web.templatetags.mien"],
        },
    },
]
FORM_RENDERER = "mien.web.forms.MienFormRenderer"

# -- what is kept


def _database() -> dict[str, Any]:
    if MIEN.database_url.startswith("postgres"):
        # every request has a thread of its own here, so that connections are kept in a pool, not by threads
        database: dict[str, Any] = {**dj_database_url.parse(MIEN.database_url, conn_max_age=0)}
        pool = {"min_size": 1, "max_size": MIEN.database_connections, "timeout": MIEN.database_wait_seconds}
        database["OPTIONS"] = {**database.get("OPTIONS", {}), "pool": pool}
        return database
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": MIEN.database_url.partition(":///")[2] or MIEN.folder / "mien.sqlite3",
        "OPTIONS": {
            # a writer waits for its turn from the start: it never fails half-way through its transaction
            "transaction_mode": "IMMEDIATE",
            "timeout": MIEN.database_wait_seconds,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32000",
        },
    }


DATABASES = {"default": _database()}
# Throttles and locks hold for all processes: they live in the database.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "shared_cache"}}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

STATIC_URL = "static/"
STATIC_ROOT = MIEN.folder / "static"
STATICFILES_DIRS = [PLACE / "static"]
MEDIA_ROOT = MIEN.folder / "pictures"
MEDIA_URL = ""  # pictures are private: a view serves them to their owner
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "mien.web.static_files.HashedStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_ROOT = PLACE / "static" / "root"  # favicon.ico and robots.txt, which are asked for by these names
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700

# -- limits of requests

DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = MIEN.batch_photos
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_500_000

# -- who is who

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "mien.web.accounts.backend.PasswordBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "mien.web.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {"login": "mien.web.accounts.entrance.LoginForm"}
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if MIEN.confirm_email else "optional"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SIGNUP_REDIRECT_URL = "privacy:consent"
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True  # whoever did not change the password themselves hears of it
# Guesses at passwords are counted by axes, by account and address together: the package's own count by
# account alone would let anyone lock its owner out everywhere.
ACCOUNT_RATE_LIMITS = {"login_failed": "60/m/ip"}
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Mien: "
USERSESSIONS_TRACK_ACTIVITY = False  # else every page that is looked at writes into the database
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Mien"
MFA_ALLOW_UNVERIFIED_EMAIL = not MIEN.confirm_email  # where no mail is set up, second factors still are

AXES_FAILURE_LIMIT = MIEN.login_failures
AXES_COOLOFF_TIME = MIEN.lock_minutes / 60
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "mien.web.accounts.lockout.name_of"
AXES_LOCKOUT_CALLABLE = "mien.web.accounts.lockout.locked"
AXES_DISABLE_ACCESS_LOG = True  # who logged in when is in the list of sessions, and ends with them
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = True
AXES_VERBOSE = False
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "password", "login"]

AUDITLOG_INCLUDE_ALL_MODELS = False

# -- mail

EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if MIEN.email_host else 'console'}.EmailBackend"
EMAIL_HOST = MIEN.email_host
EMAIL_PORT = MIEN.email_port
EMAIL_HOST_USER = MIEN.email_host_user
EMAIL_HOST_PASSWORD = MIEN.email_host_password
EMAIL_USE_TLS = MIEN.email_use_tls
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = MIEN.default_from_email

# -- languages

LANGUAGE_CODE = MIEN.language
LANGUAGES = [("en", "English"), ("vi", "Tiếng Việt"), ("ro", "Română")]
LANGUAGE_COOKIE_NAME = "mien_language"
LOCALE_PATHS = [catalogues.compiled(PLACE, MIEN.folder / "locale")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = MIEN.time_zone

# -- what browsers are told

SESSION_COOKIE_NAME = "mien_session"
SESSION_COOKIE_AGE = MIEN.session_days * 86_400
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = MIEN.production
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_NAME = "mien_csrf"
CSRF_COOKIE_HTTPONLY = True  # pages carry the token themselves
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "mien.web.error_pages.csrf_failure"
SECURE_SSL_REDIRECT = MIEN.production
SECURE_HSTS_SECONDS = MIEN.hsts_seconds if MIEN.production else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = MIEN.production
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "media-src": [SELF, "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# -- the log: no pictures, no secrets, one line a message

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname:<7} {name}: {message}", "style": "{"}},
    "filters": {"one_line": {"()": "mien.web.logs.OneLine"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["one_line"]}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "mien": {"level": MIEN.log_level.upper()},
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        "axes": {"level": "ERROR"},
        "psycopg.pool": {"level": "ERROR"},
        "uvicorn": {"level": "INFO" if MIEN.log_level == "debug" else "WARNING"},
    },
}

if sqlite3.sqlite_version_info < (3, 35):  # pragma: no cover - older than any Python 3.11 build brings
    raise ImportError(f"SQLite {sqlite3.sqlite_version} is too old; use 3.35 or newer, or PostgreSQL")
