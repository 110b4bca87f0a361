"""Files of market data: their content hashes, and the sentences for a file that cannot be read.

Floor 2 (shell). It never writes, and never reads more than one file at a time.
On the trip: before the first SEE; a source names each of its files by content, so that a replay can tell
whether they are still the same.
"""

from __future__ import annotations

import codecs
import hashlib
from pathlib import Path

from interlock.model.errors import DataError
from interlock.model.units import plain

_CHUNK_BYTES = 1 << 20


def readable_path(path: Path, *, what: str) -> Path:
    """Return the absolute path of something that exists.

    Args:
        path: a file or a folder.
        what: how the sentence calls it, such as `LEAN data folder`.

    Raises:
        DataError: there is nothing there.
    """
    try:
        if path.exists():
            return path.resolve()
    except (OSError, ValueError) as error:
        raise unreadable(path, why=str(error)) from None
    message = (
        f"The {what} {plain(str(path))} does not exist, so there is no market to run on. "
        "Look at path under [source]; it is read relative to the configuration file. Nothing was started."
    )
    raise DataError(message)


def unreadable(path: Path, *, why: str) -> DataError:
    """Return the error for a file that cannot be read, ready to be raised."""
    message = (
        f"{plain(str(path))} cannot be read: {plain(why)}. There is no market to run on without it; "
        "put a whole file there, or take it away if it is not meant to be read."
    )
    return DataError(message)


def content_words(length: int, sha256: str) -> str:
    """Return how an identity names the content of a file: its length in bytes and its SHA-256."""
    return f"{length}:{sha256}"


def content_of_text(path: Path) -> str:
    """Return the content words of a file of UTF-8 text, read once from end to end.

    Raises:
        DataError: it cannot be read, or is not UTF-8.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    return _content(path, decoder)


def content_of_bytes(path: Path) -> str:
    """Return the content words of any file, read once from end to end.

    Raises:
        DataError: it cannot be read.
    """
    return _content(path, None)


def _content(path: Path, decoder: codecs.IncrementalDecoder | None) -> str:
    seen = hashlib.sha256()
    length = 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                seen.update(chunk)
                length += len(chunk)
                if decoder is not None:
                    decoder.decode(chunk)
        if decoder is not None:
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise unreadable(path, why="it is not text in UTF-8") from None
    except OSError as error:
        raise unreadable(path, why=error.strerror or "the system refused") from None
    return content_words(length, seen.hexdigest())
