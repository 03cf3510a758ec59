"""Files of any kind as streams: local or remote, plain or compressed.

Remote paths (``s3://``, ``gs://``, ``hf://``, ``memory://``) are opened by fsspec with the driver that
is installed for them; ``file://`` is a local path. Local plain files need neither fsspec nor a compression library.
"""

import bz2
import gzip
import io
import lzma
import os
import re
import sys
import weakref
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

from cleaner.errors import CleanerError, DataError, UsageError

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".xz": "xz"}
#: How packed data begins, what it is called, and how a name ends that says so, if it can be read.
PACKINGS = (
    (re.compile(rb"\x1f\x8b"), "gzip", ".gz"),
    (re.compile(rb"\x28\xb5\x2f\xfd"), "zstd", ".zst"),
    (re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"), "bz2", ".bz2"),
    (re.compile(rb"\xfd7zXZ\0"), "xz", ".xz"),
    (re.compile(rb"\x04\x22M\x18"), "lz4", ""),
    (re.compile(rb"PK\x03\x04"), "zip", ""),
    (re.compile(rb"PAR1\x15"), "Parquet", ".parquet"),
)
CHUNK = 1 << 18
PACKED = 1 << 15
AHEAD: list[bytes] = []  # what has been read of standard input to see its format


def is_remote(path: str) -> bool:
    """Tell whether a path is for fsspec to open."""
    return "://" in path


def local(path: str) -> str:
    """Return a local path that is written as ``file://`` without that; any other as it is."""
    return path.removeprefix("file://").removeprefix("local://")


def address(path: str) -> str | tuple[Any, str]:
    """Return what is the same for all paths that lead to one file, however they are written; not for ``-``.

    Raises:
        UsageError: there is no driver for a remote path.
    """
    return remote(path) if is_remote(path) else os.path.realpath(path)


def remote(path: str) -> tuple[Any, str]:
    """Return the file system of a remote path, and the path in it.

    Raises:
        UsageError: there is no driver for it, or it refuses the path.
    """
    import fsspec

    try:
        system, inner = fsspec.core.url_to_fs(path)
    except Exception as error:
        remedy = "Install the driver of its scheme" if isinstance(error, ImportError | ValueError) else "Check the path"
        raise UsageError(f"{path}: cannot be opened ({error}). {remedy}.") from None
    return system, str(inner)


def compression(path: str) -> str:
    """Return how a file is compressed, by its suffix: gzip, zstd, bz2, xz or an empty string."""
    return COMPRESSIONS.get(os.path.splitext(path)[1].lower(), "")


def stem(path: str) -> str:
    """Return a path without the suffix of its compression."""
    return os.path.splitext(path)[0] if compression(path) else path


def open_raw(path: str) -> BinaryIO:
    """Open a file for reading as it is stored."""
    if not is_remote(path):
        return open(path, "rb")
    system, inner = remote(path)
    file = cast(BinaryIO, system.open(inner, "rb"))
    with suppress(TypeError):  # of a file that knows no such references
        weakref.finalize(file, id, system)  # an archive is closed with its file system, which nothing else holds
    return file


def unread(path: str, error: Exception) -> str:
    """Return why a file could not be read to its end; an error that is neither the system's nor a driver's goes on."""
    if isinstance(error, OSError):
        return f"{error.strerror or error}. Check the file and its permissions."
    if isinstance(error, CleanerError) or not is_remote(path):
        raise error
    return f"{type(error).__name__}: {error}. Check path, network and credentials."


def decompressor(kind: str) -> Any:
    """Return an object with ``decompress``, ``eof`` and ``unused_data``."""
    if kind == "gzip":
        return zlib.decompressobj(31)
    if kind == "bz2":
        return bz2.BZ2Decompressor()
    if kind == "xz":
        return lzma.LZMADecompressor()
    import zstandard

    return zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj()


def compress(kind: str, data: bytes) -> bytes:
    """Compress to a member that stands alone; members one after the other are a file. Always the same bytes."""
    if kind == "gzip":
        return gzip.compress(data, 6, mtime=0)
    if kind == "bz2":
        return bz2.compress(data)
    if kind == "xz":
        return lzma.compress(data)
    if kind == "zstd":
        import zstandard

        return zstandard.ZstdCompressor().compress(data)
    return data


def chunks(path: str, begin: int = 0) -> Iterator[bytes]:
    """Yield the uncompressed content of a file from an offset on, a piece at a time.

    Raises:
        DataError: it is packed as its name does not say, or cut short or damaged; what came before has been yielded.
    """
    for number, piece in enumerate(content(path, begin)):
        if number == begin == 0:
            refuse_packed(piece, path)
        yield piece


def content(path: str, begin: int = 0) -> Iterator[bytes]:
    """Yield what :func:`chunks` does, whatever it is."""
    if path == "-":
        if AHEAD:
            yield AHEAD.pop()
        yield from skim(iter(lambda: sys.stdin.buffer.read(CHUNK), b""), begin)
        return
    kind = compression(path)
    with open_raw(path) as raw:
        if kind:
            yield from skim(expanded(raw, kind, path), begin)
        else:
            if begin:  # a pipe can only be read from its start
                raw.seek(begin)
            yield from iter(lambda: raw.read(CHUNK), b"")


def refuse_packed(begin: bytes, path: str, said: str = "", name: str = "") -> None:
    """Raise :class:`DataError` if data begins as packed data does, of another kind than has been ``said``."""
    for magic, kind, suffix in PACKINGS:
        if kind != said and magic.match(begin):
            inside = path == "-" or (compression(path) and not said)
            remedy = f"End its name in {suffix}" if suffix and not inside else "Decompress it first"
            raise DataError(f"{name or path}: is {kind} data, which its name does not say. {remedy}.")


def skim(pieces: Iterator[bytes], begin: int) -> Iterator[bytes]:
    """Drop the first bytes of a stream."""
    for piece in pieces:
        if begin < len(piece):
            yield piece[begin:] if begin else piece
        begin = max(begin - len(piece), 0)


def begin_of(path: str) -> bytes:
    """Return the first bytes of a file or of standard input; reading it gives them again."""
    if path == "-":
        return AHEAD[0] if AHEAD else b""
    return next(content(path), b"")


def begin_of_stdin() -> bytes:
    """Return the first bytes of standard input; reading it gives them again."""
    AHEAD[:] = [sys.stdin.buffer.read(1 << 16)]
    return AHEAD[0]


def expanded(raw: BinaryIO, kind: str, name: str) -> Iterator[bytes]:
    """Decompress members one after the other, checking that there is one, and that the last is whole."""
    errors: tuple[type[Exception], ...] = (zlib.error, OSError, EOFError, lzma.LZMAError, ValueError)
    if kind == "zstd":
        import zstandard

        errors = (*errors, zstandard.ZstdError)
    engine, started, padding = decompressor(kind), False, b""
    while packed := raw.read(PACKED):
        while packed := packed.lstrip(padding):
            try:
                piece = engine.decompress(packed)
            except errors as error:
                refuse_packed(b"" if started else packed, name, kind)
                raise DataError(f"{name}: damaged {kind} data ({error}). Fetch the file again.") from None
            started, padding = True, b""
            if piece:
                yield piece
            packed = engine.unused_data if engine.eof else b""
            if engine.eof:
                engine, started, padding = decompressor(kind), False, b"\0"  # a member may be padded
    if started or not padding:  # or nothing was there: packed data is never empty
        raise DataError(f"{name}: cut short inside {kind} data. Fetch the file again.")


class Stream(io.RawIOBase):
    """A compressed file as a readable stream; an error ends it and stays in ``error``."""

    def __init__(self, path: str) -> None:
        self.pieces = chunks(path)
        self.rest = b""
        self.error: DataError | None = None

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, room: Any) -> int:
        """Fill some room; 0 at the end or at an error."""
        while not self.rest and self.error is None:
            try:
                self.rest = next(self.pieces, b"")
            except DataError as error:
                self.error = error
            if not self.rest:
                return 0
        used = min(len(room), len(self.rest))
        room[:used] = self.rest[:used]
        self.rest = self.rest[used:]
        return used


def stamp(path: str) -> tuple[int, str]:
    """Return size in bytes and a string that changes with the content of a file."""
    if not is_remote(path):
        found = Path(path).stat()
        return found.st_size, f"{found.st_size} {found.st_mtime_ns}"
    system, inner = remote(path)
    info = system.info(inner)
    size = info.get("size")
    tag = next((str(info[key]) for key in ("ETag", "etag", "LastModified", "mtime", "created") if info.get(key)), "")
    return -1 if size is None else int(size), f"{size} {tag}"
