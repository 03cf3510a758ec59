"""Labelled documents opened for correction: their labels as proposals, the likely mistakes in doubt."""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from cleaner.annotate_files import sheet_of
from cleaner.annotate_page import UNSURE, Sheet
from cleaner.checking import Located
from cleaner.cleaning import Cleaner
from cleaner.data_files import is_tsv
from cleaner.errors import UsageError
from cleaner.suspects import Suspect, Suspects


def suspect_sheets(
    found: Sequence[Located], suspects: Suspects, cleaner: Cleaner, output: Path | None, begun: Collection[str] = ()
) -> list[Sheet]:
    """Return the documents with flagged lines; the files themselves are to be corrected if ``output`` is None.

    With them come those ``begun``, by name, flagged or not: what is flagged hangs on what has been corrected since.
    Labels do not carry over to like lines: here somebody has decided already. Documents with weak labels are left out:
    TSV, as which they would be written, has none.

    Raises:
        UsageError: a file is to be corrected in place, and is not TSV.
    """
    flagged: defaultdict[int, dict[int, Suspect]] = defaultdict(dict)
    for suspect in suspects.ranked[: suspects.flagged]:
        document, line = suspect.place
        flagged[document][line] = suspect
    sheets: list[Sheet] = []
    names: set[str] = set()
    for number, one in enumerate(found):
        lines, place = flagged[number], one.path if output is None else place_of(one, output)
        name = unused(f"{place.parent.name}/{place.stem}", names)
        names.add(name)
        if any(one.document.weak) or not (lines or name in begun):
            continue
        size = len(one.document.lines)
        doubt = tuple(max(1 - lines[line].given, UNSURE) if line in lines else 0.0 for line in range(size))
        hints = tuple(
            f"rather {lines[line].suggested}, {lines[line].confidence:.2f}" if line in lines else ""
            for line in range(size)
        )
        if not is_tsv(place):
            raise UsageError(f"{place}: only .tsv files are corrected in place. Choose a folder with -o.")
        sheet = sheet_of(one.document, place, cleaner, (doubt, hints))
        if output is not None:
            place = output / f"{name}.tsv"
        sheets.append(replace(sheet, name=name, place=place, keys=(0,) * size))
    return sheets


def place_of(one: Located, output: Path) -> Path:
    """Return the TSV file of a corrected document, its site and id made fit for a file name."""
    document = one.document
    stem = one.path.stem if is_tsv(one.path) else f"{document.id} {document.view}".strip()
    return output / file_name(document.site) / f"{file_name(stem)}.tsv"


def file_name(text: str) -> str:
    """Return a text with all but letters, digits, dots and hyphens replaced.

    >>> file_name("https://quay.example/ferry 2")
    'https-quay.example-ferry-2'
    """
    return re.sub(r"[^\w.-]+", "-", text).strip("-.") or "document"


def unused(name: str, taken: Collection[str]) -> str:
    """Return a name, numbered if it is taken."""
    names = (name if number == 1 else f"{name}-{number}" for number in range(1, len(taken) + 2))
    return next(one for one in names if one not in taken)
