"""The folder that a model is written to: there before the work begins, and both files written before one is new."""

import errno
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from cleaner.errors import UsageError

FILES = ("weights.npz", "card.json")


@contextmanager
def destination(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Make a model's folder and see that files can be written there; folders that were made and stay empty go again.

    Raises:
        UsageError: it has no name, or cannot be made or written to; nothing was.
    """
    if not os.fspath(folder):
        raise UsageError("the name of the model's folder is empty. Name one with -o.")
    path = Path(folder)
    new = [one for one in (path, *path.parents) if not one.exists()]
    try:
        try:
            path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path):
                pass
        except OSError as error:
            raise UsageError(f"{folder}: {error.strerror}. Choose another folder for the model.") from None
        for name in FILES:
            if (path / name).is_dir():
                raise UsageError(f"{path / name}: is a folder. Choose another folder for the model.")
        yield path
    finally:
        for one in new:
            with suppress(OSError):  # holds the model, or was not made
                one.rmdir()


def write_together(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files beside their places, bring them to the disk, then rename all.

    Whoever is killed between two renames leaves a new file with an old one, or alone; a model is not loaded then.

    Raises:
        UsageError: a file cannot be written; until the first is renamed, the folder is as it was.
    """
    beside = {name: folder / f".{name}.{os.getpid()}" for name in contents}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            if (folder / name).is_dir():
                raise IsADirectoryError(errno.EISDIR, f"{name}: {os.strerror(errno.EISDIR)}")
            with beside[name].open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for name, path in beside.items():
            path.replace(folder / name)
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}. The model was not written; choose another folder.") from None
    finally:
        for path in beside.values():
            with suppress(OSError):  # the folder is no folder
                path.unlink(missing_ok=True)
