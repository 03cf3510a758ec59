"""Files that are there whole or not at all: written beside, synced, renamed."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cleaner.errors import UsageError
from cleaner.opening import is_remote, open_raw, remote

#: Bytes that the name of a file may have.
LONGEST = 255


def beside(real: Path, ending: str) -> Path:
    """Return a hidden name beside a file; of one too long for that, a name made of its digest."""
    name = f".{real.name}{ending}"
    if len(os.fsencode(name)) > LONGEST:
        name = f".{hashlib.sha256(os.fsencode(real.name)).hexdigest()[:16]}{ending}"
    return real.with_name(name)


@contextmanager
def naming(path: Path | str) -> Iterator[None]:
    """Have an error of the system name a file: where there is no room for more of it, Python names none."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


@contextmanager
def sending(path: Path | str) -> Iterator[None]:
    """Raise as one of ours what a driver raises, but for errors of the system: anything that the libraries below do."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise UsageError(f"{path}: cannot be written ({reason}). Check path, driver and credentials.") from None


def is_special(path: Path | str) -> bool:
    """Tell whether a path is there and no file: a pipe or a device, which takes what is written to it.

    A pipe that a shell gives (``/dev/stdout``, ``/dev/fd/63``) has no other path.
    """
    return os.path.exists(path) and not os.path.isfile(path)


def write_beside(path: Path | str, data: bytes) -> None:
    """Write a file beside its place and rename it, so that no half file ever has the name.

    A link is followed; what is no file (a pipe, a device) is written to; a remote file is written in one go.

    Raises:
        UsageError: it cannot be written; nothing was.
    """
    if is_remote(str(path)):
        system, inner = remote(str(path))
        with sending(path):
            system.makedirs(os.path.dirname(inner), exist_ok=True)
            system.pipe_file(inner, data)
        return
    real = Path(os.path.realpath(path))
    new = beside(real, f".{os.getpid()}")
    try:
        if is_special(path):
            Path(path).write_bytes(data)
            return
        with new.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if real.exists():
            copy_rights(real, new)
        new.replace(real)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}. Choose another output; nothing was written there.") from None
    finally:
        remove(new)


def copy_rights(real: Path, new: Path) -> None:
    """Give a file the mode of the one whose place it takes, and its owner where this user may."""
    with suppress(OSError, AttributeError):  # no other user may, and not every system can
        state = real.stat()
        os.chown(new, state.st_uid, state.st_gid)
    shutil.copymode(real, new)


def remove(path: Path) -> None:
    """Remove a file, if it is there."""
    with suppress(OSError):
        path.unlink()


def withdraw(path: str) -> None:
    """Remove what an earlier run wrote, if it is there; a link goes, not what it leads to, and a device stays."""
    if is_remote(path):
        system, inner = remote(path)
        if system.exists(inner):
            system.rm_file(inner)
    elif not is_special(path):
        Path(path).unlink(missing_ok=True)


def move(source: Path, target: str) -> None:
    """Give a finished file its final name; across devices and to remote paths it is copied first."""
    if is_remote(target):
        system, inner = remote(target)
        with sending(target):
            system.makedirs(os.path.dirname(inner), exist_ok=True)
            system.put_file(str(source), inner)
        source.unlink()
        return
    with naming(target):
        if is_special(target):
            with source.open("rb") as file, open(target, "wb") as into:
                shutil.copyfileobj(file, into)
            source.unlink()
        else:
            move_file(source, Path(os.path.realpath(target)))


def move_file(source: Path, real: Path) -> None:
    """Give a finished file its final name, which is that of a file, or of none yet."""
    real.parent.mkdir(parents=True, exist_ok=True)
    if real.exists():
        copy_rights(real, source)
    try:
        source.replace(real)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        new = beside(real, f".{os.getpid()}")
        try:
            shutil.copyfile(source, new)
            with new.open("rb+") as file:
                os.fsync(file.fileno())
            new.replace(real)
        finally:
            remove(new)
        source.unlink()


def sync_folder(folder: Path) -> None:
    """Make renames in a folder last; where the system cannot, nothing happens."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


def exists(path: str) -> bool:
    """Tell whether there is a file, local or remote."""
    if not is_remote(path):
        return os.path.exists(path)
    system, inner = remote(path)
    return bool(system.exists(inner))


def digest(path: str, begin: int = 0, end: int = -1) -> str:
    """Return the SHA-256 of a part of a file, or of what is there of it; empty if the file is not."""
    state, left = hashlib.sha256(), end - begin
    try:
        with open_raw(path) as file:
            file.seek(begin)
            while data := file.read(1 << 20 if end < 0 else min(1 << 20, left)):
                state.update(data)
                left -= len(data)
    except OSError:
        return ""
    return state.hexdigest()
