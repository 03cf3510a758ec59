"""Files of labelled data: which there are, whose they are, what their documents are called, what spreadsheets left."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from cleaner.errors import DataError
from cleaner.inputs import walk
from cleaner.wording import amount

#: What spreadsheets leave in TSV files, and what to do about it.
QUOTE = '"'
UNQUOTED = "Exported with quotes; export it without them, or copy the cells into a text editor and save that."
#: A text in quotes all of whose own quotes are doubled, if it has any; and what programs have before and after texts.
CELL, TRIPLE = re.compile(r'"(?:[^"]|"")*"'), 3 * QUOTE
#: From how many texts with commas on nearly all of them in quotes are a spreadsheet's doing.
SOME_TEXTS, NEARLY_ALL = 5, 0.9
#: What may stand in place of the tab: between a word in lower case, such as a label, and a text, without spaces.
SEPARATOR = re.compile(r'"?[^\W\dA-Z_][\w-]*"?([,;])(?=\S)')
SEPARATORS = {",": "commas", ";": "semicolons"}
#: What else may lie in a folder of labelled data: the journal of `annotate`, what was cut off one, and descriptions.
BESIDE = (".journal", ".cut", ".md")

#: What the header of a TSV file may call a document.
VIEWS = ("page", "extract")

#: Who has an id: a TSV file, or a site; and for each view of a site's document the file.
Taken = dict[tuple[str, ...], Path | str]


def known(path: Path) -> bool:
    """Tell whether a file's name says that it is labelled data."""
    return path.is_file() and path.name.lower().endswith((".tsv", ".jsonl", ".jsonl.gz"))


def is_tsv(path: Path) -> bool:
    """Tell whether a file of labelled data is a TSV file; else it is JSON Lines."""
    return path.suffix.lower() == ".tsv"


def cut(data: bytes) -> list[bytes]:
    """Return the rows of a text file, whether they end with LF, CRLF or CR."""
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")


def doubled_quotes(texts: Sequence[str]) -> list[bool]:
    """Tell which texts of a file have their quotes doubled by a spreadsheet: none unless it is surely its doing.

    A spreadsheet doubles the quotes of all texts; a page may have one like that, and programs have three on both sides.

    >>> doubled_quotes(['"He said ""come"", and went."', '"We ""come"" too."', "Come."])
    [True, True, False]
    >>> doubled_quotes(['"He said ""come"", and went."', '"We ""come"" too."', '"Come", he said.'])
    [False, False, False]
    """
    cells = [CELL.fullmatch(text) is not None for text in texts]
    doubled = [cell and QUOTE in text[1:-1] for cell, text in zip(cells, texts, strict=True)]
    found = [
        one and not (text.startswith(TRIPLE) and text.endswith(TRIPLE))
        for one, text in zip(doubled, texts, strict=True)
    ]
    sure = sum(found) > 1 and all(cell or QUOTE not in text for cell, text in zip(cells, texts, strict=True))
    return [one and sure for one in found]


def quoted(texts: Sequence[str]) -> str:
    """Return in words that a spreadsheet has put the texts of a file with commas in quotes; empty if it has not."""
    commas = [text for text in texts if "," in text]
    count = sum(text[0] == text[-1] == QUOTE and len(text) > 2 and QUOTE not in text[1:-1] for text in commas)
    if count < SOME_TEXTS or count < NEARLY_ALL * len(commas):
        return ""
    return f"{count} of {len(commas)} texts with a comma are in quotes, as a spreadsheet saves them. {UNQUOTED}"


def separator(row: str) -> str:
    """Return in words what seems to stand in place of the tab of a row that has none; empty if nothing does.

    >>> separator("junk;SHARE THIS"), separator("junk SHARE THIS"), separator("well, he said")
    (' (separated by semicolons, it seems)', '', '')
    """
    found = SEPARATOR.match(row)
    return f" (separated by {SEPARATORS[found[1]]}, it seems)" if found else ""


def files_in(folder: Path) -> list[Path]:
    """Return the files of a folder and of those inside it, but for what is left out of every folder.

    Raises:
        UsageError: a folder cannot be listed.
    """
    return sorted(Path(path) for path, _ in walk(str(folder)))


def labelled_files(paths: Iterable[Path]) -> list[Path]:
    """Return labelled files, of folders those in them, each once; names that begin with a dot are left out.

    Raises:
        DataError: a path is missing, of another format, or a folder without labelled files.
        UsageError: a folder cannot be listed.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        files = [path]
        if path.is_dir():
            files = [file for file in files_in(path) if known(file)]
        if not files:
            raise DataError(f"{path}: no labelled files. Expected .tsv, .jsonl or .jsonl.gz.")
        if not known(files[0]):
            raise DataError(f"{path}: no such file, or of another format. Give .tsv, .jsonl or .jsonl.gz, or a folder.")
        for file in files:
            found.setdefault(file.resolve(), file)
    return list(found.values())


def left_out(paths: Iterable[Path]) -> str:
    """Return in words which files of folders are not read, as their names are not those of labelled data."""
    folders = [path for path in paths if path.is_dir()]
    files = [file for folder in folders for file in files_in(folder)]
    others = [file for file in files if not known(file) and file.suffix.lower() not in BESIDE]
    if not others:
        return ""
    count = amount(len(others), "other file")
    return f"{count} left out, such as {others[0]}: labels are read from .tsv, .jsonl and .jsonl.gz"


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


def unused_id(name: str, file: Path, taken: Taken) -> str:
    """Return the id of a TSV file's document, with more folders before it if another file has the same."""
    file = file.resolve()
    parts = file.with_suffix("").parts
    longer = ("/".join(parts[-size:]) for size in range(3, len(parts) + 1))
    return next(one for one in (name, *longer, str(file)) if taken.setdefault((one,), file) == file)


def unused_record_id(record: tuple[str, str, str], file: Path, taken: Taken) -> str:
    """Return the id of a record, given its id, site and view, with site or file before it if another document has it.

    Records of one id and site are views of one document, but for those of the same view in different files.
    """
    name, site, view = record
    file = file.resolve()
    for one in (name, f"{site}/{name}", f"{file.name}/{name}"):
        if taken.setdefault((one,), site) == site and taken.setdefault((one, view), file) == file:
            return one
    return f"{file}/{name}"
