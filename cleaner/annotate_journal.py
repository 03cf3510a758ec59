"""The journal of an annotation: a line for each entry, on the disk before anything else happens.

A line is the CRC-32 of an entry in hexadecimal, a space, and the entry as JSON. What follows the last whole
line, as a crash may leave it, is cut off when the journal is opened and kept beside it.
"""

import fcntl
import json
import os
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

from cleaner.errors import DataError, UsageError

#: Of texts that are labelled, and of labelled files that are corrected in place: each of a folder has its own.
NAME, IN_PLACE = "annotate.journal", "suspects.journal"
FORMAT = {"do": "begin", "format": 1}


class Journal:
    """A journal open for writing; one process at a time."""

    def __init__(self, path: Path) -> None:
        """Open or begin a journal; ``entries`` are those it holds.

        Raises:
            UsageError: it cannot be opened, or another process has it open.
            DataError: the file is no journal, or one of another version.
        """
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.file = path.open("a+b", buffering=0)
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}. Choose another output folder.") from None
        self.lock()
        self.file.seek(0)
        data = self.file.read()
        found, used = whole_entries(data)
        self.check(found, data)
        if used < len(data):
            self.cut(data, used)
        self.entries = found[1:]
        if not found:
            self.append(FORMAT)

    def lock(self) -> None:
        """Keep other processes out."""
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.file.close()
            raise UsageError(f"{self.path}: open in another program. End it, or choose another -o.") from None

    def check(self, found: list[dict[str, Any]], data: bytes) -> None:
        """Refuse a file that is no journal: nothing in it must be cut off."""
        if found and found[0] != FORMAT:
            raise DataError(f"{self.path}:1: a journal of another version. Finish it with that version, or move it.")
        if not found and b"\n" in data:
            raise DataError(f"{self.path}:1: no journal of this program. Move it, or choose another -o.")

    def cut(self, data: bytes, used: int) -> None:
        """Cut off what follows the last whole entry; keep it beside the journal."""
        with suppress(OSError):
            self.path.with_name(self.path.name + ".cut").write_bytes(data[used:])
        self.file.truncate(used)
        os.fsync(self.file.fileno())

    def append(self, entry: dict[str, Any]) -> None:
        """Write an entry; when this returns, it is on the disk."""
        data = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        left = b"%08x %s\n" % (zlib.crc32(data), data)
        while left:  # where there is no room for all of it, a part may be written without an error
            left = left[self.file.write(left) :]
        os.fsync(self.file.fileno())

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()


def whole_entries(data: bytes) -> tuple[list[dict[str, Any]], int]:
    """Return the entries up to the first that is not whole, and the bytes that they take."""
    found: list[dict[str, Any]] = []
    used = 0
    while (end := data.find(b"\n", used)) >= 0:
        crc, _, content = data[used:end].partition(b" ")
        if crc != b"%08x" % zlib.crc32(content):
            break
        found.append(json.loads(content.decode("utf-8", "surrogatepass")))
        used = end + 1
    return found, used
