"""The page and the JSON endpoint: both hand the bytes of a picture to tinynet."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig, TooManyFilesSent
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from PIL import Image, ImageOps

from tinynet import DigitReading, ImageError, NumberReading, images, predict_image, read_number

from .room import BusyError, TooManyPixelsError, deadline, room_for

BUSY = "The page is busy reading other pictures. Try again in a moment."
RETRY_AFTER = "10"  # seconds
LARGE = 16_000_000  # pixels from which no second look is taken for a thumbnail in colours
LEAST_CONFIDENCE = 0.5  # of a number that is said to be one
SIDE = 320  # pixels of a thumbnail's longer side; the page shows it half as large, so it is sharp on phones


@dataclass(frozen=True)
class Result:
    """What the page shows of one uploaded file: what was read, or what is wrong with the file."""

    name: str
    status: int
    problem: str = ""
    reading: DigitReading | None = None
    number: NumberReading | None = None
    picture: str = ""
    seen: str = ""

    @property
    def sure(self) -> str:
        """How sure the network is of the digit, or the number."""
        said = self.number or self.reading
        return f"{said.confidence:.1%}" if said else ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd, as sentences."""
        said = self.number or self.reading
        return said.warnings if said else ()

    @property
    def digits(self) -> list[tuple[str | None, str, str]]:
        """The number's digits, each with how sure the network is of it, for people and for a bar."""
        digits = self.number.digits if self.number else []
        return [(one.label, f"{one.confidence:.1%}", f"{one.confidence:.4f}") for one in digits]

    @property
    def bars(self) -> list[tuple[int, str, str]]:
        """The ten digits, each with its probability for people and for a bar."""
        if self.reading is None:
            return []
        return [(digit, f"{one:.1%}", f"{one:.4f}") for digit, one in enumerate(self.reading.probabilities)]

    @property
    def said(self) -> str:
        """The result in a sentence, for screen readers."""
        if self.problem or self.reading is None or self.reading.digit is None:
            what = self.problem or " ".join(self.warnings)
        elif self.number:
            what = f"{self.number.text}, {self.sure} sure."
        elif self.reading.is_digit:
            what = f"{self.reading.digit}, {self.sure} sure."
        else:
            what = f"No digit that is sure. The likeliest is {self.reading.digit}."
        return f"{self.name}: {what}"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ocr(request: HttpRequest) -> HttpResponse:
    """Show the form, and what was read in the pictures that came with it.

    The status is 200 if a digit was read in any of them, else 503 if there was no time for one, else 413 if
    one was too large, else 400.
    """
    if request.method != "POST":
        return page(request)
    until = deadline()
    results = [read(upload, until) for upload in request.FILES.getlist("pictures")]
    if not results:
        return page(request, 400, problem="No picture came. Choose a picture file or draw a digit first.")
    statuses = [result.status for result in results]
    return page(request, 200 if 200 in statuses else max(statuses), results=results)


@csrf_exempt  # there are no cookies, sessions or users that another site could borrow, and nothing is changed
@never_cache
def predict(request: HttpRequest) -> JsonResponse:
    """Read a picture, sent as the form field `image` or as the body, and answer in JSON."""
    if request.method != "POST":
        response = JsonResponse({"error": "Send the picture with POST."}, status=405)
        response["Allow"] = "POST"
        return response
    name = None
    if request.content_type == "multipart/form-data":
        uploads = request.FILES.getlist("image")
        if len(uploads) != 1:
            error = f'Send one picture as the form field "image"; {len(uploads)} came.'
            return JsonResponse({"error": error}, status=400)
        name = uploads[0].name
        if uploads[0].size > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return JsonResponse({"error": too_large()}, status=413)
        content = uploads[0].read()
    elif request.content_type.startswith("image/"):
        content = request.body
    else:
        error = "Send the picture as multipart/form-data, or as the body with Content-Type: image/..."
        return JsonResponse({"error": error}, status=415)
    try:
        with room_for(content, deadline()):
            reading, number = look(content)
    except ImageError as problem:
        return JsonResponse({"error": str(problem)}, status=400)
    except TooManyPixelsError:
        return JsonResponse({"error": too_large()}, status=413)
    except BusyError:
        return JsonResponse({"error": BUSY}, status=503, headers={"Retry-After": RETRY_AFTER})
    said = {} if number is None else {"number": number.text, "number_confidence": round(number.confidence, 6)}
    return JsonResponse({"file": name, **reading.as_dict(), **said})


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django or the upload handler does not accept (Django's `handler400`)."""
    if isinstance(exception, RequestDataTooBig | TooManyFilesSent):
        return answer(request, 413, too_large())
    if isinstance(exception, DisallowedHost):
        return answer(
            request,
            400,
            "This page does not know itself under this name. Whoever runs it can allow the name by the "
            "environment variable OCR_HOSTS.",
        )
    return answer(request, 400, "The request was damaged. Please try again.")


def answer(request: HttpRequest, status: int, problem: str) -> HttpResponse:
    """Say what is wrong with a request, in JSON to programs."""
    if request.path.startswith("/api/"):
        return JsonResponse({"error": problem}, status=status)
    return page(request, status, problem=problem)


def forbidden(request: HttpRequest, reason: str) -> HttpResponse:
    """Answer a form without the right CSRF token (Django's `CSRF_FAILURE_VIEW`)."""
    return page(
        request, 403, problem="The form has expired, or cookies are switched off. Please load the page again."
    )


def page(request: HttpRequest, status: int = 200, **context: object) -> HttpResponse:
    """Show the page, or only the results to its own script, which puts them into the page that it is in."""
    of_script = request.headers.get("X-Requested-With") == "fetch"
    context |= {
        "of_script": of_script,
        "limits": limits(),
        "too_large": too_large(),
        "most_files": settings.DATA_UPLOAD_MAX_NUMBER_FILES,
        "most_bytes": settings.FILE_UPLOAD_MAX_MEMORY_SIZE,
    }
    response = render(request, "results.html" if of_script else "ocr.html", context, status=status)
    if status == 503:
        response["Retry-After"] = RETRY_AFTER
    return response


def look(content: bytes) -> tuple[DigitReading, NumberReading | None]:
    """Read the digit in a picture and, if there is more than one digit, the number."""
    reading = predict_image(content)
    if reading.digit is None or reading.is_digit:
        return reading, None
    number = read_number(content)
    return reading, number if number.confidence >= LEAST_CONFIDENCE else None


def read(upload: UploadedFile, until: float) -> Result:
    """Read an uploaded picture, if there is room for it until then."""
    if upload.size > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        return Result(upload.name, 413, too_large())
    content = upload.read()
    try:
        with room_for(content, until) as pixels:
            reading, number = look(content)
            picture = thumbnail(content) if pixels < LARGE else None
    except ImageError as error:
        return Result(upload.name, 400, str(error))
    except TooManyPixelsError:
        return Result(upload.name, 413, too_large())
    except BusyError:
        return Result(upload.name, 503, BUSY)
    seen = images.as_png(number.boxed() if number else images.on_paper(reading.pixels))
    status = 400 if reading.digit is None else 200
    picture = picture or images.as_png(reading.thumbnail)
    return Result(upload.name, status, "", reading, number, data_uri(picture), data_uri(seen))


def thumbnail(content: bytes) -> bytes | None:
    """Return a small PNG of a picture in its own colours, or None where Pillow cannot make one."""
    file = io.BytesIO()
    try:
        opened = Image.open(io.BytesIO(content), formats=images.FORMATS)
        if opened.mode.startswith(("I", "F")):  # Pillow would clip its 16 bits to 8
            return None
        opened.draft("RGB", (SIDE, SIDE))  # decodes a large JPEG at a fraction of its size
        image = ImageOps.exif_transpose(opened).convert("RGBA")
        image.thumbnail((SIDE, SIDE))
        image.save(file, "PNG")
    except Exception:  # the library has read the picture, so the grey one will do
        return None
    return file.getvalue()


def data_uri(png: bytes) -> str:
    """Return what an <img> shows without another request, so that no picture is ever kept."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def limits() -> str:
    """Say how much may be uploaded at once."""
    file, together = settings.DATA_UPLOAD_MAX_MEMORY_SIZE, settings.FILE_UPLOAD_MAX_MEMORY_SIZE
    return (
        f"at most {settings.DATA_UPLOAD_MAX_NUMBER_FILES} files, "
        f"{file / 2**20:g} MB a file, {together / 2**20:g} MB together, "
        f"{settings.OCR_MOST_PIXELS / 1e6:g} megapixels a picture"
    )


def too_large() -> str:
    """Say that this was too much."""
    return f"That is too much: {limits()}. Send fewer or smaller pictures."
