"""Uploads: in memory only, and never more of them than the settings allow."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import MemoryFileUploadHandler


class BoundedMemoryHandler(MemoryFileUploadHandler):
    """Keeps uploaded files in memory: nothing of a file that is too large, and no request that is."""

    received = 0

    def handle_raw_input(self, *args: Any, **kwargs: Any) -> None:
        """Refuse a request that says it is too large before anything of it is read."""
        super().handle_raw_input(*args, **kwargs)
        if not self.activated:
            raise RequestDataTooBig("Content-Length is beyond FILE_UPLOAD_MAX_MEMORY_SIZE.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keep a piece of a file, unless the file is too large: the view sees that by its `size`."""
        self.received += len(raw_data)
        if self.received > settings.FILE_UPLOAD_MAX_MEMORY_SIZE:  # whatever Content-Length said
            raise RequestDataTooBig("The request is larger than FILE_UPLOAD_MAX_MEMORY_SIZE.")
        if start + len(raw_data) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            self.file.write(raw_data)
        else:
            self.file.truncate(0)
