"""Requests that were drawn at random, none of them honest."""

from __future__ import annotations

from random import Random

from mutations import mutated

METHODS = ["POST", "GET", "PUT", "HEAD", "OPTIONS", "BREW", "post", "", "P" * 5000, "PO\0ST", "\xff"]
PATHS = ["/api/predict", "/ocr", "/", "/api/predict?" + "a=b&" * 2000, "/%00%ff", "/../../etc/passwd", "//",
         "http://evil.example/ocr", "*", "/ocr/" + "x" * 9000, "/\xe9", ""]  # fmt: skip
VERSIONS = ["HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/99", "HTTP", "", "ICY"]
LENGTHS = [
    "-1",
    "0",
    "1",
    "abc",
    "1e3",
    "0x10",
    " 10",
    "10, 20",
    "99999999",
    str(2**63),
    str(10**40),
    "",
    "1_0",
]
TYPES = ["image/png", "image/\xff", "multipart/form-data", "multipart/form-data; boundary=", "text/plain", "",
         "multipart/form-data; boundary=" + "b" * 5000, "image/png; charset=utf-99", "application/json",
         "multipart/form-data; boundary=X", "application/x-www-form-urlencoded"]  # fmt: skip


def junk(draw: Random, most: int) -> bytes:
    return draw.randbytes(draw.choice([0, 1, 2, 30, most // 10, most]))


def part_of_a_form(draw: Random, content: bytes) -> bytes:
    name = draw.choice(["image", "pictures", "", "x" * 2000, 'a\\"b', "\xff\xfe"])
    file = draw.choice(["a.png", "../../a", "\0", "a\r\nX: y", "n" * 3000, "\xff", "", "‮gnp.exe"])
    lines = [
        f'Content-Disposition: form-data; name="{name}"; filename="{file}"',
        f"Content-Type: {draw.choice(['image/png', 'text/html', '', 'a' * 2000])}",
        f"Content-Transfer-Encoding: {draw.choice(['base64', 'binary', 'quoted-printable', '?'])}",
        f"Content-Length: {draw.choice(LENGTHS)}",
        "no colon",
        "Y" * draw.choice([1, 10_000]) + ": 1",
    ]
    chosen = draw.sample(lines, draw.randint(0, len(lines)))
    if draw.random() < 0.8:
        chosen.insert(0, lines[0])
    end = draw.choice([b"\r\n\r\n", b"\r\n\r\n", b"\n\n", b""])
    return b"--X\r\n" + "\r\n".join(chosen).encode() + end + content


def form(draw: Random, content: bytes) -> bytes:
    """A form that lies about what is in it."""
    count = draw.choice([0, 1, 1, 2, 30, 300])
    parts = [part_of_a_form(draw, content if count < 30 else b"x") for _ in range(count)]
    whole = b"\r\n".join([*parts, draw.choice([b"--X--\r\n", b"--X", b"--X-", b"", b"--X\r\n" * 50])])
    return whole[: draw.randint(0, len(whole))] if draw.random() < 0.3 else whole


def request(draw: Random, picture: bytes) -> tuple[bytes, int]:
    """Return the bytes of a request, and how many of them are sent at once."""
    content = draw.choice(
        [picture, next(mutated(picture, 1, draw.getrandbits(32))), junk(draw, 300_000), b""]
    )
    first = draw.random()
    kind, body = draw.choice(TYPES), content
    if first < 0.5:
        kind, body = "multipart/form-data; boundary=X", form(draw, content)
    length = (
        str(len(body))
        if draw.random() < 0.6
        else draw.choice([*LENGTHS, str(len(body) // 2), str(len(body) + 9)])
    )
    head = [
        f"Content-Type: {kind}",
        f"Content-Length: {length}",
        "Host: " + draw.choice(["localhost"] * 9 + ["evil"]),
    ]
    odd = [
        "Transfer-Encoding: chunked", "Expect: 100-continue", "Connection: keep-alive", "Host: localhost",
        "X: " + "x" * draw.choice([10, 8000, 100_000]), ": empty", "no colon", "A b: c", "Range: bytes=0-",
        "Cookie: csrftoken=" + "x" * draw.choice([1, 5000]), "X-Forwarded-For: " + "1.1.1.1," * 200,
        "Content-Encoding: gzip", f"Content-Length: {draw.choice(LENGTHS)}", "\xff\xfe: \0", " folded",
    ]  # fmt: skip
    head += draw.sample(odd, draw.choice([0, 0, 0, 1, 3, 8]))
    if draw.random() < 0.05:
        head += [f"H{number}: {number}" for number in range(draw.choice([90, 500, 5000]))]
    draw.shuffle(head)
    method, path, version = (
        choices[0] if draw.random() < 0.8 else draw.choice(choices) for choices in (METHODS, PATHS, VERSIONS)
    )
    if draw.random() < 0.3:
        path = "/ocr"
    start = f"{method} {path} {version}\r\n" if draw.random() < 0.97 else junk(draw, 3000).decode("latin-1")
    data = (start + "\r\n".join(head) + "\r\n\r\n").encode("latin-1", "replace") + body
    if draw.random() < 0.1:
        data = data[: draw.randint(0, len(data))]
    slow = draw.random() < 0.1
    return data, max(1, len(data) // 8 if slow else len(data))
