"""The zip files of a LEAN data folder, read from end to end or refused in a sentence.

Floor 2 (shell). It never changes a file and never unpacks to the disk.
On the trip: before the first SEE and under it; the LEAN source reads every file of its folder through here.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import struct
import zipfile
import zlib
from pathlib import Path

from interlock.shell.sources.files import content_words, unreadable

#: A day of minute bars, or a life of daily ones, is far below this; what unpacks to more is something else.
_MEMBER_BYTES_MAX = 64 * 2**20
#: What zipfile raises over torn bytes, found by tearing every byte of a file in every way.
_BROKEN_ZIP = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, RuntimeError, ValueError, OverflowError, OSError),
)


def packed_bytes(path: Path) -> bytes:
    """Return the bytes of a zip file as they lie on the disk.

    Raises:
        DataError: the system does not give them.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise unreadable(path, why=error.strerror or "the system refused") from None


def content_of(packed: bytes) -> str:
    """Return the content words of a file that was read."""
    return content_words(len(packed), hashlib.sha256(packed).hexdigest())


def unpacked(packed: bytes, *, path: Path, member: str) -> str:
    """Return the text of one member, read to its end.

    Args:
        packed: the bytes of the zip file.
        path: where they lie, for the sentences.
        member: the name of the file inside.

    Raises:
        DataError: it is no whole zip file, or does not hold the member as text of a size that bars have.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            if member not in archive.namelist():
                held = ", ".join(archive.namelist()[:3]) or "nothing"
                raise unreadable(path, why=f"it should hold {member} and holds {held}")
            if archive.getinfo(member).file_size > _MEMBER_BYTES_MAX:
                raise unreadable(path, why=f"{member} is larger than any file of bars")
            return archive.read(member).decode("utf-8")
    except UnicodeDecodeError:
        raise unreadable(path, why=f"{member} is not text in UTF-8") from None
    except _BROKEN_ZIP as error:
        raise unreadable(path, why=f"it is not a whole zip file ({error})") from None
