"""The folder that a model is written to: there before the work begins, and both files new or both as they were."""

import errno
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from cleaner.errors import UsageError

__all__ = ["destination", "write_together"]

FILES = ("weights.npz", "card.json")


@contextmanager
def destination(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Make a model's folder and see that files can be written there; folders that were made and stay empty go again.

    Raises:
        UsageError: it cannot be made or written to; nothing was.
    """
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
    """Write files beside their places, then rename all; if one cannot be, those that were there stay.

    Raises:
        UsageError: a file cannot be written; the folder is as it was.
    """
    beside = {name: folder / f".{name}.{os.getpid()}" for name in contents}
    aside = {name: folder / f".{name}.{os.getpid()}.before" for name in contents}
    renamed: dict[str, bool] = {}  # and whether there was one before
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            if (folder / name).is_dir():
                raise IsADirectoryError(errno.EISDIR, f"{name}: {os.strerror(errno.EISDIR)}")
            beside[name].write_bytes(content)
        for name in contents:
            renamed[name] = (folder / name).exists()
            if renamed[name]:
                (folder / name).replace(aside[name])
            beside[name].replace(folder / name)
    except BaseException as error:
        for name, old in renamed.items():
            if not old:
                (folder / name).unlink(missing_ok=True)
            elif aside[name].is_file():
                aside[name].replace(folder / name)
        if isinstance(error, OSError):
            raise UsageError(f"{folder}: {error.strerror}. The model was not written; choose another folder.") from None
        raise
    finally:
        for path in (*beside.values(), *aside.values()):
            with suppress(OSError):  # the folder is no folder
                path.unlink(missing_ok=True)
