"""The bytes of a journal: file header, frame, chain and head file, packed and read back.

Floor 2 (shell). It may never open a file, read a clock or decide anything: bytes in, values out.
On the trip: WRITE packs with these functions, and every reader of a journal unpacks with them.
The book's chapter on the journal gives every byte.
"""

from __future__ import annotations

import hashlib
import mmap
import re
import struct
import zlib

import msgspec

from interlock.model.errors import invariant

#: Version of the bytes in this file (the shapes inside a record have their own, in `model.journal`).
FORMAT_VERSION = 1
FILE_MAGIC = b"\x89ILJ\r\n\x1a\n"
HEAD_MAGIC = b"\x89ILH\r\n\x1a\n"
HEAD_NAME = "HEAD"
#: The largest payload of one frame; a longer record is a mistake and is refused before it is written.
FRAME_BYTES_MAX = 64 * 2**20
#: The most files of one run: one a trading date, so this is beyond any run.
FILES_MAX = 9_999
HASH_BYTES = 32
#: One slot of the head file: its own page, so that a torn write of one slot leaves the other whole.
SLOT_BYTES = 4096
SLOTS = 2

_PREFIX = struct.Struct("<II")
_HEADER = struct.Struct("<8sHHIQ32s32s")
_SLOT = struct.Struct("<8sHHIQQQ32s32s")
_CRC = struct.Struct("<I")
_NAME = re.compile(r"(\d{4})-(boot|\d{4}-\d{2}-\d{2})\.ilj")
_FRAME_ENCODER = msgspec.msgpack.Encoder()
_FRAME_DECODER: msgspec.msgpack.Decoder[tuple[int, bytes, bytes, bytes, bytes]] = msgspec.msgpack.Decoder(
    tuple[int, bytes, bytes, bytes, bytes]
)
#: What every payload begins with (an array of five) and holds before each of its last two fields (32 bytes follow).
_ARRAY_OF_FIVE = b"\x95"
_HASH_FOLLOWS = b"\xc4\x20"
_HASH_FIELD_BYTES = len(_HASH_FOLLOWS) + HASH_BYTES
_PAYLOAD_BYTES_MIN = 2 + 2 * 2 + 2 * _HASH_FIELD_BYTES

PREFIX_BYTES = _PREFIX.size
HEADER_BYTES = _HEADER.size + _CRC.size


class Chain(msgspec.Struct, frozen=True):
    """Both chain hashes after a record: of the decided parts, and of the asides; 32 bytes each."""

    head: bytes
    aside: bytes


START = Chain(bytes(HASH_BYTES), bytes(HASH_BYTES))


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One record as bytes, both hashes with it; `seq` counts from 0."""

    seq: int
    decided: bytes
    aside: bytes
    chain: Chain


class FileHeader(msgspec.Struct, frozen=True, kw_only=True):
    """How a file says where it stands in its run: its number from 1, its first record, and the chain before it."""

    file_number: int
    first_seq: int
    chain: Chain


class HeadMark(msgspec.Struct, frozen=True, kw_only=True):
    """What one slot of the head file says is durable.

    Attributes:
        file_number: the file that held the last synced record, 0 before there is one.
        records: how many records are durable.
        last_offset: bytes before the frame of the last of them, in its file.
        end_offset: bytes up to the end of that frame.
        chain: both hashes after it.
    """

    file_number: int
    records: int
    last_offset: int
    end_offset: int
    chain: Chain


NOTHING_SYNCED = HeadMark(file_number=0, records=0, last_offset=0, end_offset=0, chain=START)


def chained(before: Chain, *, decided: bytes, aside: bytes) -> Chain:
    """Return the chain after one more record.

    Source: `head = SHA-256(head before, decided)`, `aside = SHA-256(aside before, head, aside bytes)`.
    """
    head = hashlib.sha256(before.head + decided).digest()
    return Chain(head, hashlib.sha256(before.aside + head + aside).digest())


def pack_frame(frame: Frame) -> bytes:
    """Return the bytes of one frame: length, CRC32, payload.

    Raises:
        ValueError: in words, when the record is longer than a frame may be.
    """
    payload = _FRAME_ENCODER.encode((frame.seq, frame.decided, frame.aside, frame.chain.head, frame.chain.aside))
    if len(payload) > FRAME_BYTES_MAX:
        message = f"it is {len(payload):,} bytes long and the most is {FRAME_BYTES_MAX:,}"
        raise ValueError(message)
    return _PREFIX.pack(len(payload), crc_of(payload)) + payload


def unpack_prefix(raw: bytes, start: int = 0) -> tuple[int, int]:
    """Return length and CRC32 from the 8 bytes before a payload, which begin at `start`.

    Raises:
        ValueError: in words, when no frame has such a length.
    """
    length, crc = _PREFIX.unpack_from(raw, start)
    if not _PAYLOAD_BYTES_MIN <= length <= FRAME_BYTES_MAX:
        message = f"its length reads {length:,} bytes, which no frame has"
        raise ValueError(message)
    return length, crc


def payload_start(seq: int) -> bytes:
    """Return the bytes with which the payload of record `seq` begins."""
    return _ARRAY_OF_FIVE + _FRAME_ENCODER.encode(seq)


def crc_of(payload: bytes | memoryview) -> int:
    """Return the CRC32 of a payload, as its prefix holds it."""
    return zlib.crc32(payload)


def unpack_payload(payload: bytes) -> Frame:
    """Return the frame of a whole payload whose CRC32 was found right.

    Raises:
        ValueError: in words, when the payload is not that of a frame.
    """
    try:
        seq, decided, aside, head, aside_head = _FRAME_DECODER.decode(payload)
    except msgspec.DecodeError as error:
        message = f"its payload is not a record ({error})"
        raise ValueError(message) from error
    if seq < 0 or len(head) != HASH_BYTES or len(aside_head) != HASH_BYTES:
        message = "its payload has a number or a hash of the wrong form"
        raise ValueError(message)
    return Frame(seq=seq, decided=decided, aside=aside, chain=Chain(head, aside_head))


def find_frame(area: mmap.mmap | bytes, start: int) -> int:
    """Return the offset of the first whole frame at or after `start`, or -1 where there is none.

    Args:
        area: bytes of a whole file, mapped or in memory.
        start: offset of the first byte that may begin a frame.
    """
    payload_at = area.find(_ARRAY_OF_FIVE, start + PREFIX_BYTES)
    while payload_at != -1:
        length, crc = _PREFIX.unpack_from(area, payload_at - PREFIX_BYTES)
        end = payload_at + length
        if _PAYLOAD_BYTES_MIN <= length <= FRAME_BYTES_MAX and end <= len(area):
            fields = (end - _HASH_FIELD_BYTES, end - 2 * _HASH_FIELD_BYTES)
            is_shaped = all(area[field : field + 2] == _HASH_FOLLOWS for field in fields)
            if is_shaped and crc_of(area[payload_at:end]) == crc:
                return payload_at - PREFIX_BYTES
        payload_at = area.find(_ARRAY_OF_FIVE, payload_at + 1)
    return -1


def pack_header(header: FileHeader) -> bytes:
    """Return the bytes that open a journal file."""
    chain = header.chain
    body = _HEADER.pack(FILE_MAGIC, FORMAT_VERSION, 0, header.file_number, header.first_seq, chain.head, chain.aside)
    return body + _CRC.pack(zlib.crc32(body))


def unpack_header(raw: bytes) -> FileHeader:
    """Read the bytes that open a journal file.

    Raises:
        ValueError: in words, when they are not a header, or of a version that this build cannot read.
    """
    if len(raw) < HEADER_BYTES:
        message = f"its header needs {HEADER_BYTES} bytes and {len(raw)} are there"
        raise ValueError(message)
    magic, version, zero, file_number, first_seq, head, aside = _HEADER.unpack_from(raw)
    if magic != FILE_MAGIC or _CRC.unpack_from(raw, _HEADER.size) != (zlib.crc32(raw[: _HEADER.size]),):
        message = "its header is not that of a journal file, or was changed"
        raise ValueError(message)
    if (version, zero) != (FORMAT_VERSION, 0):
        message = f"its format is version {version} and this build reads version {FORMAT_VERSION}"
        raise ValueError(message)
    return FileHeader(file_number=file_number, first_seq=first_seq, chain=Chain(head, aside))


def pack_mark(mark: HeadMark) -> bytes:
    """Return one slot of the head file, `SLOT_BYTES` long, its CRC32 at the very end."""
    numbers = (mark.file_number, mark.records, mark.last_offset, mark.end_offset)
    body = _SLOT.pack(HEAD_MAGIC, FORMAT_VERSION, 0, *numbers, mark.chain.head, mark.chain.aside)
    padded = body.ljust(SLOT_BYTES - _CRC.size, b"\0")
    return padded + _CRC.pack(zlib.crc32(padded))


def unpack_mark(raw: bytes) -> HeadMark:
    """Read one slot of the head file.

    Raises:
        ValueError: in words, when it is torn, changed, or of a version that this build cannot read.
    """
    if len(raw) != SLOT_BYTES or _CRC.unpack(raw[-_CRC.size :]) != (zlib.crc32(raw[: -_CRC.size]),):
        message = "it is torn or was changed"
        raise ValueError(message)
    magic, version, zero, file_number, records, last_offset, end_offset, head, aside = _SLOT.unpack_from(raw)
    if magic != HEAD_MAGIC or (version, zero) != (FORMAT_VERSION, 0):
        message = f"it is of a form (version {version}) that this build cannot read"
        raise ValueError(message)
    offsets = {"last_offset": last_offset, "end_offset": end_offset}
    return HeadMark(file_number=file_number, records=records, chain=Chain(head, aside), **offsets)


def file_name(file_number: int, trading_date: str) -> str:
    """Return the name of a journal file: its number, then its market date, or `boot` before there is one.

    Raises:
        InvariantError: no such number or date can be.

    Examples:
        >>> file_name(1, ""), file_name(2, "2013-10-07")
        ('0001-boot.ilj', '0002-2013-10-07.ilj')
    """
    invariant(1 <= file_number <= FILES_MAX, "a run has no more journal files than its limit", most=FILES_MAX)
    name = f"{file_number:04d}-{trading_date or 'boot'}.ilj"
    invariant(_NAME.fullmatch(name) is not None, "a trading date is written YYYY-MM-DD", trading_date=trading_date)
    return name


def parse_file_name(name: str) -> tuple[int, str]:
    """Return number and market date ("" for boot) of a journal file by its name; (0, "") for any other name.

    Examples:
        >>> parse_file_name("0002-2013-10-07.ilj"), parse_file_name("copy.ilj")
        ((2, '2013-10-07'), (0, ''))
    """
    found = _NAME.fullmatch(name)
    if found is None:
        return 0, ""
    return int(found[1]), "" if found[2] == "boot" else found[2]
