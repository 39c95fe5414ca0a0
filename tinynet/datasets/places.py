"""Where datasets lie on a computer, and what to say when one is nowhere."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..data import fetching
from ..files import atomic_write
from ..keywords import warn


def users_folders() -> list[Path]:
    """Return the folder that the environment variable `TINYNET_DATA` names, if it is set."""
    given = os.environ.get("TINYNET_DATA")
    return [Path(given).expanduser()] if given else []


def cache_folder(name: str) -> Path:
    """Return the folder for what tinynet fetches of one dataset, which may not exist yet."""
    import platformdirs

    return platformdirs.user_cache_path("tinynet") / name


def keras_folder() -> Path:
    """Return the folder in which Keras keeps its datasets: that of `KERAS_HOME`, else `~/.keras/datasets`."""
    given = os.environ.get("KERAS_HOME")
    if given is not None:
        return Path(given).expanduser() / "datasets"
    home = Path("~").expanduser()
    return (home if os.access(home, os.W_OK) else Path("/tmp")) / ".keras" / "datasets"  # as Keras has it


def fetch(urls: Iterable[str], sha256: str, failures: list[str]) -> bytes | None:
    """Return what the first URL holds that answers with the right content; None if none does.

    Args:
        urls: where the file is.
        sha256: of its content.
        failures: gets a line for each URL that failed.
    """
    for url in urls:
        try:
            data = fetching.download(url, url.rsplit("/", 1)[-1])
        except Exception as error:  # whatever went wrong, the next one may work
            failures.append(f"{url}: {type(error).__name__}: {error}")
            continue
        checksum = hashlib.sha256(data).hexdigest()
        if checksum == sha256:
            return data
        failures.append(f"{url}: expected the SHA-256 {sha256}, got {checksum}")
    return None


def keep(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write what was fetched into a folder; warn if that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            atomic_write(folder / name, data)
    except OSError as error:
        warn(
            f"{folder} cannot be written ({error}), so this dataset is fetched every time; put its files "
            "into a folder by hand, and name that in TINYNET_DATA",
            UserWarning,
        )


def nowhere(name: str, failures: Iterable[str], advice: str) -> ConnectionError:
    """Return the error for a dataset that was found nowhere and could not be fetched.

    Args:
        name: of the dataset.
        failures: what was tried.
        advice: what to put where, after the word "Put".
    """
    tried = "".join(f"  {failure}\n" for failure in failures)
    return ConnectionError(f"{name} was found nowhere, and could not be fetched. Tried:\n{tried}Put {advice}")
