"""Files of an annotation: texts and labelled files in, proposals by a model, journal and TSV files out."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cleaner.annotate_journal import IN_PLACE, NAME, Journal
from cleaner.annotate_page import Page, Sheet
from cleaner.annotate_session import Entry
from cleaner.atomic import digest, write_beside
from cleaner.cleaning import Cleaner
from cleaner.corpus import LabelledDocument
from cleaner.data_files import VIEWS, files_in
from cleaner.data_records import label_problem
from cleaner.errors import DataError, UsageError
from cleaner.features import Batch, line_hashes
from cleaner.plain import read_text
from cleaner.wording import amount

#: Words are counted in so many buckets; it is only variety that is judged by them.
BUCKETS = 512


def text_files(inputs: Sequence[Path], say: Callable[[str], None] = lambda message: None) -> list[Path]:
    """Return the files, and of folders all files in them whose name ends in .txt, none that begins with a dot.

    What else is in folders is said.

    Raises:
        UsageError: an input is not there, or a folder holds no text files.
    """
    found: list[Path] = []
    others: list[Path] = []
    for path in inputs:
        if not path.exists():
            raise UsageError(f"{path}: no such file or folder. Check the name.")
        if not path.is_dir():
            found.append(path)
            continue
        every = files_in(path)
        files = [file for file in every if file.suffix.lower() == ".txt"]
        if not files:
            raise UsageError(f"{path}: no .txt files in it. Name the files themselves.")
        found += files
        others += [file for file in every if file.suffix.lower() != ".txt"]
    if others:
        say(f"{amount(len(others), 'other file')} left out, such as {others[0]}: name those that are texts")
    return found


def places(files: Sequence[Path], output: Path, site: str) -> dict[Path, Path]:
    """Return the TSV file of each text file; the folder that a text lies in is its site, unless one is given.

    Names lose dots that they begin with: labelled files of such names are not read.

    Raises:
        UsageError: the site cannot be a folder's name whose files are read, or two texts would become one file.
    """
    if site and (site != site.strip() or site.startswith(".") or "/" in site or not site.isprintable()):
        raise UsageError(
            f"--site {site!r}: is no name of a site. Give one without slashes, tabs, a dot or spaces around it."
        )
    found = {
        file: output
        / (site or file.resolve().parent.name.lstrip(".") or "site")
        / f"{file.stem.lstrip('.') or 'text'}.tsv"
        for file in files
    }
    owner: dict[Path, Path] = {}
    for file, place in found.items():
        if place in owner:
            raise UsageError(f"{file} and {owner[place]} would both become {place}. Rename one of them.")
        owner[place] = file
    return found


def own_labels(names: str) -> list[str]:
    """Return the labels that a user names, separated by commas.

    >>> own_labels("body, speaker,stage")
    ['body', 'speaker', 'stage']

    Raises:
        UsageError: body is not among them.
        DataError: one cannot be a label.
    """
    labels = list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    if wrong := next(filter(None, map(label_problem, labels)), ""):
        raise DataError(f"--labels: {wrong}")
    if "body" not in labels:
        raise UsageError(f"--labels {names}: no body among them. Name the text that cleaning keeps body.")
    return labels


def proposals(
    file: Path, place: Path, cleaner: Cleaner, labels: Sequence[str] = (), encoding: str = ""
) -> Sheet | None:
    """Return a text's lines with the label that each is likeliest to have; None without any line.

    The likeliest label, not the one that cleaning would decide for: that leans to keeping body. Of a model that
    knows other ``labels`` body is proposed instead of each that is not among them, and the line is in doubt.

    Raises:
        DataError: it cannot be read, or is no text but records.
    """
    found = cleaner.label(read_text(str(file), encoding))
    if not found:
        return None
    order = [sorted(line.probabilities, key=lambda label: -line.probabilities[label]) for line in found]
    proposed = tuple(names[0] if not labels or names[0] in labels else "body" for names in order)
    before = [0, *(line.number for line in found)]
    document = LabelledDocument(
        f"{place.parent.name}/{place.stem}",
        place.parent.name,
        tuple(line.text for line in found),
        proposed,
        tuple(line.kind if label == line.label else "" for line, label in zip(found, proposed, strict=True)),
        (False,) * len(found),
        tuple(line.number > last + 1 for line, last in zip(found, before, strict=False)),
    )
    hints = tuple(
        ", ".join(f"{name} {line.probabilities[name]:.2f}" for name in names[:3])
        for line, names in zip(found, order, strict=True)
    )
    doubt = tuple(1 - line.probabilities[label] for line, label in zip(found, proposed, strict=True))
    return sheet_of(document, place, cleaner, (doubt, hints))


def sheet_of(
    document: LabelledDocument, place: Path, cleaner: Cleaner, views: tuple[tuple[float, ...], tuple[str, ...]]
) -> Sheet:
    """Return a document as a sheet; ``views`` are the doubt in each line's label, and words on it."""
    batch = cleaner.model.read([document.data()])
    keys = tuple(int(key) for key in line_hashes(batch.tokens))
    whole = len(keys) == len(document.lines)
    header = f"# language: {document.language}\n" if document.language else ""
    header += f"# view: {document.view}\n" if document.view in VIEWS else ""
    return Sheet(
        document.id,
        place,
        document.lines,
        document.blank_before,
        document.labels,
        document.kinds,
        *views,
        keys if whole else (0,) * len(document.lines),
        word_counts(batch),
        header,
    )


def word_counts(batch: Batch) -> npt.NDArray[np.float32]:
    """Count the words of a document by hash, float32 [BUCKETS]."""
    words = batch.tokens.word[batch.tokens.word != 0]
    return np.bincount(words % BUCKETS, minlength=BUCKETS).astype(np.float32)


def digests(files: Iterable[Path]) -> dict[Path, str]:
    """Return a digest of each file, to tell later whether somebody has changed it."""
    return {file: digest(str(file)) for file in files}


@dataclass
class History:
    """What the journal holds of a document: digests as it was opened first and then written, numbers of entries."""

    digests: list[str]
    entries: list[int] = field(default_factory=list)


def journal_of(output: Path, in_place: bool) -> Path:
    """Return where the journal of an output folder is; files that are corrected in place may have another already."""
    return output / (IN_PLACE if in_place else NAME)


@dataclass
class Folder:
    """The output folder: its journal, and a TSV file for each finished document."""

    journal: Journal
    in_place: bool = False
    written: dict[str, str] = field(default_factory=dict)  # a digest of each document's file as last written here

    @classmethod
    def open(cls, output: Path, in_place: bool = False) -> "Folder":
        """Open or begin the journal of an output folder; ``in_place`` if its files are the inputs."""
        journal = Journal(journal_of(output, in_place))
        written = {entry["document"]: entry["digest"] for entry in journal.entries if entry["do"] == "written"}
        return cls(journal, in_place, written)

    @classmethod
    def reopen(cls, output: Path, in_place: bool = False) -> "Folder | None":
        """Open the journal of an output folder, if there is one."""
        return cls.open(output, in_place) if journal_of(output, in_place).exists() else None

    def record(self, entry: Entry) -> None:
        """Write an entry to the journal."""
        self.journal.append(entry)

    def finished(self, page: Page) -> None:
        """Write the labels of a document; the journal has a digest of them before."""
        name, data = page.sheet.name, page.tsv().encode("utf-8", "surrogatepass")
        self.written[name] = hashlib.sha256(data).hexdigest()
        self.record({"do": "written", "document": name, "digest": self.written[name]})
        page.sheet.place.parent.mkdir(parents=True, exist_ok=True)
        write_beside(page.sheet.place, data)

    def reopened(self, page: Page) -> None:
        """Take a document's labels out of the folder until it is finished again; an input stays, or what is changed."""
        if not self.in_place and not self.objection(page):
            page.sheet.place.unlink(missing_ok=True)

    def objection(self, page: Page) -> str:
        """Return why the file of a document must neither be replaced nor go: it is not as it was written here."""
        place = page.sheet.place
        if digest(str(place)) in ("", page.sheet.file, self.written.get(page.sheet.name)):
            return ""
        if self.in_place:
            return f"{place}: changed by other means, left alone. Quit and start again to begin with it as it is."
        return f"{place}: changed by other means, left alone. Correct it there, or move it away to label the text here."

    def histories(self) -> dict[str, History]:
        """Return what the journal holds of each document since it was begun, and of none in particular."""
        name, found = "", {"": History([])}
        for number, entry in enumerate(self.journal.entries):
            match entry:
                case {"do": "open", "document": name, "digest": opened}:
                    found.setdefault(name, History([opened]))
                case {"do": "written", "document": finished, "digest": written}:
                    found[finished].digests.append(written)
                case {"do": "anew", "document": changed}:
                    found.pop(changed)
                    name = ""
            found[name].entries.append(number)
        return found

    def begun(self) -> set[str]:
        """Return the documents with labels that are in the journal alone: given after what was written last."""
        found = set()
        for name, history in self.histories().items():
            for number in history.entries:
                match self.journal.entries[number]["do"]:
                    case "give":
                        found.add(name)
                    case "written":
                        found.discard(name)
        return found

    def holds(self, sheet: Sheet, history: History) -> bool:
        """Tell whether a document is as it was when its labelling began, or in place when it was written last."""
        if not self.in_place:
            return sheet.digest == history.digests[0]
        stopped = self.journal.entries[-1]["do"] == "written"  # perhaps before the file was
        return sheet.digest in (history.digests if stopped else history.digests[-1:])

    def left_out(self, sheets: Sequence[Sheet]) -> Iterator[tuple[Sheet, str]]:
        """Return the documents that cannot be labelled here, and why: labels are there that would go."""
        found = {} if self.in_place else self.histories()
        for sheet in sheets:
            history = found.get(sheet.name)
            if history is None:
                if sheet.place.exists() and not self.in_place:
                    yield sheet, "is there already, left alone"
            elif not self.holds(sheet, history) and any(
                self.journal.entries[number]["do"] == "give" for number in history.entries
            ):
                yield (
                    sheet,
                    "its text has changed since it was labelled, left out. Restore it, or rename it to label it anew",
                )

    def past(self, sheets: Sequence[Sheet]) -> list[Entry]:
        """Return the entries that hold good; documents that have changed are begun anew, which is noted."""
        found = self.histories()
        anew: list[Entry] = []
        for sheet in sheets:
            if sheet.name in found and not self.holds(sheet, found[sheet.name]):
                del found[sheet.name]
                anew.append({"do": "anew", "document": sheet.name})
                self.record(anew[-1])
        numbers = sorted(number for history in found.values() for number in history.entries)
        return [self.journal.entries[number] for number in numbers] + anew
