"""A web page that reads digits: python examples/ocr_site/manage.py runserver, then http://127.0.0.1:8000/ocr."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ocr.settings")
    execute_from_command_line(sys.argv)
