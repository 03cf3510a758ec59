"""Files of labelled data: which there are, whose they are, and what their documents are called."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from cleaner.errors import DataError

__all__ = [
    "ONLY_SPACES",
    "QUOTE",
    "UNQUOTED",
    "cut",
    "is_tsv",
    "known",
    "labelled_files",
    "of_this_project",
    "unused_id",
    "visible",
]

#: What spreadsheets leave in TSV files, and what to do about it.
QUOTE = '"'
UNQUOTED = "Exported with quotes; export it as tab-separated text without them."
ONLY_SPACES = "no label and no text, but tabs or spaces. Leave the row empty for a blank line."


def known(path: Path) -> bool:
    """Tell whether a file's name says that it is labelled data."""
    return path.is_file() and path.name.lower().endswith((".tsv", ".jsonl", ".jsonl.gz"))


def is_tsv(path: Path) -> bool:
    """Tell whether a file of labelled data is a TSV file; else it is JSON Lines."""
    return path.suffix.lower() == ".tsv"


def cut(data: bytes) -> list[bytes]:
    """Return the rows of a text file, whether they end with LF, CRLF or CR."""
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")


def visible(file: Path, folder: Path) -> bool:
    """Tell whether no name below a folder begins with a dot."""
    return not any(name.startswith(".") for name in file.relative_to(folder).parts)


def labelled_files(paths: Iterable[Path]) -> list[Path]:
    """Return labelled files, of folders those in them, each once; names that begin with a dot are left out.

    Raises:
        DataError: a path is missing, of another format, or a folder without labelled files.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        files = [path]
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if known(file) and visible(file, path))
        if not files:
            raise DataError(f"{path}: no labelled files. Expected .tsv, .jsonl or .jsonl.gz.")
        if not known(files[0]):
            raise DataError(f"{path}: no such file, or of another format. Give .tsv, .jsonl or .jsonl.gz, or a folder.")
        for file in files:
            found.setdefault(file.resolve(), file)
    return list(found.values())


def of_this_project(path: Path) -> bool:
    """Tell whether a file is of the data that comes with the package, in a clone or in a wheel.

    The package itself may be installed elsewhere than in the clone.
    """
    file = path.resolve()
    if file.is_relative_to(Path(__file__).resolve().parent / "training_data"):
        return True
    return any(is_clone(folder.parent) for folder in file.parents if folder.name in ("training_data", "tests"))


@cache
def is_clone(folder: Path) -> bool:
    """Tell whether a folder is a clone of this project."""
    try:
        return 'name = "line-cleaner"' in (folder / "pyproject.toml").read_text("utf-8")
    except (OSError, ValueError):
        return False


def unused_id(name: str, file: Path, taken: dict[str, Path]) -> str:
    """Return the id of a TSV file's document, with more folders before it if another file has the same."""
    file = file.resolve()
    parts = file.with_suffix("").parts
    longer = ("/".join(parts[-size:]) for size in range(3, len(parts) + 1))
    return next(one for one in (name, *longer, str(file)) if taken.setdefault(one, file) == file)
