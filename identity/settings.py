"""Django's settings. What an operator configures is read from the configuration file, see identity/config/."""

from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = "replaced-by-the-configuration"
DEBUG = False
ALLOWED_HOSTS = ["*"]  # links and redirects are built from base_url only, never from Host
USE_TZ = True
TIME_ZONE = "UTC"
APPEND_SLASH = False
ROOT_URLCONF = "identity.urls"

INSTALLED_APPS = [
    "identity",
    "flows",
    "actions",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE: list[str] = []
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": []},
    }
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "vestibule.sqlite3"}}

HOOKS = "actions.pipeline"
COURIER = "actions.courier"
