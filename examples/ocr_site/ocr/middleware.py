"""What happens to every request and answer, besides Django's own middleware."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from .views import answer

POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'nonce-{0}'; script-src 'nonce-{0}'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Let a page use the styles and scripts in it that carry the request's nonce, and nothing else."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.nonce = secrets.token_urlsafe(16)
        response = get_response(request)
        response["Content-Security-Policy"] = POLICY.format(request.nonce)
        return response

    return middleware


def length_required(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Refuse an upload that does not say how large it is: Django would take it for an empty one."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
            return answer(request, 411, "Send the picture with a Content-Length, and not in chunks.")
        return get_response(request)

    return middleware
