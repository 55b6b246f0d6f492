"""Django's settings, made from the operator's configuration, see identity/config/. Nothing here is for operators to edit."""

import hashlib
import os
import sys
from pathlib import Path

from identity import config
from identity.config import ConfigError, dsn

BASE_DIR = Path(__file__).resolve().parent.parent
DEV = os.environ.get("VESTIBULE_DEV") == "1"


def _files() -> list[str]:
    """The configuration files: those that were named, else identity.yml beside manage.py, else none."""
    if named := os.environ.get("IDENTITY_CONFIG"):
        return [name for name in named.split(",") if name]
    beside = BASE_DIR / "identity.yml"
    return [str(beside)] if beside.exists() else []


try:
    CONFIG = config.start(_files(), dev=DEV)
    DATABASES = {"default": dsn.database(CONFIG.get("dsn") or f"sqlite://{BASE_DIR / 'vestibule.sqlite3'}")}
except ConfigError as error:
    print(f"The configuration cannot be used:\n{error}", file=sys.stderr)  # noqa: T201  there is no logging yet
    raise SystemExit(1) from None

_secrets = [*CONFIG.get("secrets.cookie", []), *CONFIG.get("secrets.default", [])] or [os.urandom(32).hex()]
SECRET_KEY, *SECRET_KEY_FALLBACKS = [hashlib.sha256(f"django {secret}".encode()).hexdigest() for secret in dict.fromkeys(_secrets)]

DEBUG = False
ALLOWED_HOSTS = ["*"]  # links and redirects are built from base_url only, never from Host
USE_TZ, TIME_ZONE = True, "UTC"
USE_I18N, LANGUAGE_CODE = True, "en"
LANGUAGES = [  # of messages, see actions/locale/
    ("en", "English"),
    ("de", "Deutsch"),
    ("fr", "Français"),
    ("es", "Español"),
    ("it", "Italiano"),
    ("nl", "Nederlands"),
    ("pt", "Português"),
]
DATETIME_FORMAT = "Y-m-d H:i:s"  # of the console
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024  # bytes, as upstream

ROOT_URLCONF = "identity.urls"  # the public listener; the admin listener's is set per request, see identity/http/listener.py
WSGI_APPLICATION = "identity.wsgi.public"

INSTALLED_APPS = [
    "identity",
    "flows",
    "actions",
    "django.contrib.staticfiles",
    "corsheaders",
    "unfold",
    "django.contrib.admin.apps.SimpleAdminConfig",  # identity/admin_urls.py looks for the console's pages, where they are served
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "rest_framework",
    "drf_spectacular",
]
MIDDLEWARE = [
    "identity.http.metrics.MetricsMiddleware",
    "identity.http.listener.ListenerMiddleware",
    "identity.http.scoped.static_files",
    "identity.http.scoped.pages_policy",
    "identity.http.scoped.foreign_pages",
    "identity.http.scoped.public_csrf",
    "identity.http.console.guard",
    "identity.http.console.sessions",
    "identity.http.console.csrf",
    "identity.http.console.users",
    "identity.http.console.messages",
]
CONTEXT_PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [*([CONFIG.get("ui.template_dir")] if CONFIG.get("ui.template_dir") else []), BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": CONTEXT_PROCESSORS},
    }
]

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "https:"],
        "script-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'", "https:", "http:"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}

# CORS: what may be asked for is fixed at the start, who may ask is looked up per request (identity/http/listener.py)
CORS_URLS_REGEX = r"^(?!)"
CORS_ALLOW_METHODS = [*CONFIG.get("serve.public.cors.allowed_methods"), "OPTIONS"]
CORS_ALLOW_HEADERS = CONFIG.get("serve.public.cors.allowed_headers")
CORS_EXPOSE_HEADERS = CONFIG.get("serve.public.cors.exposed_headers")
CORS_ALLOW_CREDENTIALS = CONFIG.get("serve.public.cors.allow_credentials")
CORS_PREFLIGHT_MAX_AGE = CONFIG.get("serve.public.cors.max_age")

# the console: Django's own sessions, under a path of their own
SESSION_COOKIE_NAME, SESSION_COOKIE_PATH = "vestibule_console", "/console/"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = str(CONFIG.get("serve.admin.base_url")).startswith("https://")
SESSION_COOKIE_AGE = 8 * 3600  # seconds
CSRF_COOKIE_NAME, CSRF_COOKIE_PATH = "vestibule_console_csrf", "/console/"
LOGIN_URL = "/console/login/"
UNFOLD = {
    "SITE_TITLE": "Vestibule",
    "SITE_HEADER": "Vestibule",
    "SITE_SUBHEADER": "Console",
    "SHOW_VIEW_ON_SITE": False,
    "LOGIN": {"form": "identity.console_sign_in.SignIn"},
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["identity.api.permissions.HasAPIKey"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "identity.api.rest_errors.for_rest_framework",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}

_LEVELS = {"trace": "DEBUG", "fatal": "CRITICAL", "panic": "CRITICAL"}
_level = str(CONFIG.get("log.level"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s", "datefmt": "%Y-%m-%dT%H:%M:%S"},
        "json": {"()": "identity.logs.JSONFormatter"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": CONFIG.get("log.format")}},
    "root": {"handlers": ["stderr"], "level": _LEVELS.get(_level, _level.upper())},
    "loggers": {"django.request": {"level": "ERROR"}, "_granian": {"level": "WARNING"}, "celery": {"level": "WARNING"}},
}

SHORTCUTS = ["identity.api.whoami.SHORTCUTS", "flows.fetching.SHORTCUTS"]  # see identity/http/shortcuts.py
HOOKS = "actions.pipeline"
COURIER = "actions.courier"
