"""Django's settings: no database, no sessions, no users; three environment variables (see README.md)."""

from __future__ import annotations

import os
from pathlib import Path

from django.core.management.utils import get_random_secret_key

DEBUG = os.environ.get("OCR_DEBUG") == "1"
SECRET_KEY = os.environ.get("OCR_SECRET_KEY") or get_random_secret_key()  # nothing outlives the process
ALLOWED_HOSTS = [
    "localhost",
    "127.0.0.1",
    "[::1]",
    *os.environ.get("OCR_HOSTS", "").replace(",", " ").split(),
]

ROOT_URLCONF = "ocr.urls"
WSGI_APPLICATION = "ocr.wsgi.application"
APPEND_SLASH = False
USE_I18N = False
TIME_ZONE = None  # the log shows the computer's own time
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "ocr.middleware.content_security_policy",
    "ocr.middleware.length_required",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]

# Uploads stay in memory, so they are bounded: one picture, one request, and the pictures in it.
FILE_UPLOAD_HANDLERS = ["ocr.uploads.BoundedMemoryHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 2**20
FILE_UPLOAD_MAX_MEMORY_SIZE = 100 * 2**20
DATA_UPLOAD_MAX_NUMBER_FILES = 20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20

# So are the pixels in them, a thousand times as many as bytes at worst: of one picture, and of all that this
# process decodes at once (10 bytes or so each). Who finds no room within so many seconds gets 503.
OCR_MOST_PIXELS = 40_000_000
OCR_PIXELS_AT_ONCE = 40_000_000
OCR_SECONDS = 10

CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_FAILURE_VIEW = "ocr.views.forbidden"
SILENCED_SYSTEM_CHECKS = [  # they ask for HTTPS, which a server in front of this one would provide
    "security.W004",
    "security.W008",
    "security.W016",
]

LOGGING = {  # without DEBUG, Django by itself prints no errors of the server
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"django.request": {"handlers": ["console"], "level": "ERROR", "propagate": False}},
}
