"""The command `tinynet serve`."""

from __future__ import annotations

import argparse
import importlib
import ipaddress
import os
import sys
from pathlib import Path

from .console import tell
from .parsing import WELL, port

EXAMPLES = """
tinynet serve                                        the page for this computer
tinynet serve --host 0.0.0.0 --names 192.168.1.7     for phones in the same network, by this address
"""
PACKAGE = Path(__file__).parents[1]
FOLDERS = (
    PACKAGE / "page",
    PACKAGE.parent / "examples" / "ocr_site",
)  # installed; in a copy of the repository


def page_folder() -> Path:
    """Return the folder of the page, a Django project, or raise."""
    for folder in FOLDERS:
        if (folder / "ocr" / "wsgi.py").is_file():
            return folder
    raise FileNotFoundError(f"The page is not there: it would be in {' or '.join(map(str, FOLDERS))}.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    add = parser.add_argument
    add(
        "--host",
        default="127.0.0.1",
        help="the address to listen at; default: 127.0.0.1, this computer alone",
    )
    add("--port", type=port, default=8000, help="default: 8000; 0 for any that is free")
    add(
        "--names",
        metavar="A,B,...",
        default="",
        help="other names and addresses by which the page is reached",
    )


def host_names(names: str, host: str) -> list[str]:
    """Return the names by which browsers ask for the page: IPv6 addresses in brackets, short.

    Args:
        names: parted by commas or spaces.
        host: the address to listen at.

    Example:
        >>> host_names("phone.example", "fd00:0::1")
        ['phone.example', '[fd00::1]']
    """
    found = list[str]()
    for name in [*names.replace(",", " ").split(), host]:
        try:
            address = ipaddress.IPv6Address(name.strip("[]").partition("%")[0])  # without the interface
        except ValueError:
            found.append(name)
        else:
            found.append(f"[{address}]")
    return found


def run(options: argparse.Namespace) -> int:
    """Serve the web page on which digits are drawn or uploaded, and read, until Ctrl-C.

    It needs Django: python -m pip install django. For the internet, put a server before it that does
    HTTPS; see "Put the web page on a server" in the documentation.
    """
    sys.path.insert(0, str(page_folder()))
    names = f"{os.environ.get('OCR_HOSTS', '')},{options.names}"
    os.environ["OCR_HOSTS"] = ",".join(host_names(names, options.host))
    try:
        from django.core.servers.basehttp import run as run_server
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("The page needs Django: python -m pip install django") from error
    tell("Loading the network, which takes some seconds the first time.")
    application = importlib.import_module("ocr.wsgi").application

    def announce(number: int) -> None:
        host = f"[{options.host}]" if ":" in options.host else options.host
        tell(f"The page is at http://{host}:{number}/ocr until Ctrl-C.")

    run_server(options.host, options.port, application, ":" in options.host, True, announce)
    return WELL
