"""The way from text to labels and to cleaned text: one path for library, command line and batch."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from cleaner.alphabet import WORDS
from cleaner.arguments import many, one_text
from cleaner.decision import AIMS
from cleaner.errors import UsageError
from cleaner.features import Batch
from cleaner.grouping import batches, pieces
from cleaner.labels import DEFAULT_KEEP, JUNK
from cleaner.lines import MARK
from cleaner.model import Model
from cleaner.native import call
from cleaner.threads import one_thread

#: Share of a document's words above which their removal is suspicious, if there are so many.
SUSPICIOUS_SHARE, SUSPICIOUS_WORDS = 0.9, 50


@dataclass(frozen=True)
class LabelledLine:
    """A non-blank line of a document: its text without the ending, and what it is.

    ``probabilities`` has an entry for each label, in the model's order, and sums to 1;
    ``label`` need not be the likeliest, as labels are weighted, junk by how clean the document is;
    ``number`` counts all lines of the document, blank ones too, from 1; ``kind`` is the kind of junk
    (`KINDS`), empty where the line is no junk or the model not sure.
    """

    text: str
    label: str
    probabilities: dict[str, float] = field(hash=False)
    number: int
    kind: str = ""


@dataclass(frozen=True)
class Cleaned:
    """A cleaned document: what is left, what share of its words went, and why that looks wrong, if it does."""

    text: str
    removed_share: float
    suspicious: str


@dataclass(frozen=True)
class Result:
    """A batch of documents with the label of each non-blank line, as arrays."""

    batch: Batch
    probabilities: npt.NDArray[np.float32]
    codes: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.float32] | None = None


def suspicion(removed_share: float, words: int) -> str:
    """Return why the removal of a share of so many words looks wrong, empty where it does not."""
    if removed_share <= SUSPICIOUS_SHARE or words < SUSPICIOUS_WORDS:
        return ""
    return f"{removed_share:.0%} of the words would go, more than {SUSPICIOUS_SHARE:.0%}"


def kept_with_blanks(result: Result, keep: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Extend a choice among non-blank lines to all lines.

    A blank line stays with the kept line before it, as long as a kept line follows or the text ends
    with it; the blank lines at the start belong to the first line.
    """
    out = np.empty(len(result.batch.full), np.bool_)
    full, chosen, found = (array.view(np.uint8) for array in (result.batch.full, keep, out))
    call("kept_lines", full, result.batch.text.document, chosen, found)
    return out


class Cleaner:
    r"""Label and clean documents with a trained model.

    >>> cleaner = Cleaner.load()
    >>> text = "The ferry was back in service on Friday, the harbour office said.\n\nSHARE THIS\n"
    >>> cleaner.clean(text)
    'The ferry was back in service on Friday, the harbour office said.\n'
    """

    def __init__(self, model: Model, keep: Iterable[str] = DEFAULT_KEEP, aim: str = "balanced") -> None:
        """Use a loaded model; ``keep`` are the labels of the lines that stay, or one label.

        ``aim`` is ``balanced``, ``precision`` (in doubt a line goes) or ``recall`` (in doubt it stays); the
        model's card has the curve that each was chosen from.

        Raises:
            UsageError: ``keep`` is empty, no texts, or names a label that the model does not have; or ``aim`` is none.
            TypeError: the model is none, but perhaps the name of one: that is for :meth:`load`.
        """
        if not isinstance(model, Model):
            raise TypeError(
                f"Cleaner: a Model is wanted, not {type(model).__name__}. Use Cleaner.load for a path or name."
            )
        if aim not in AIMS:
            raise UsageError(f"aim {aim!r}: unknown. Use one of {', '.join(AIMS)}.")
        given = [keep] if isinstance(keep, str) else [*keep] if isinstance(keep, Iterable) else [keep]
        if not all(isinstance(label, str) for label in given):
            raise UsageError(f"keep: {keep!r} given. Give labels, as in {{'body', 'headline'}}, or leave it out.")
        unknown = sorted(set(given) - set(model.labels))
        if unknown or not given:
            wrong = f"{', '.join(map(repr, unknown))}: no label of the model" if unknown else "no label is given"
            raise UsageError(f"keep: {wrong}. Choose among {', '.join(model.labels)}.")
        self.model = model
        self.keep = frozenset(given)
        self.aim = aim

    def __getstate__(self) -> dict[str, Any]:
        """Return what is the same in every process: a cache that files results under it must find them again."""
        return {**vars(self), "keep": sorted(self.keep)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, keep=frozenset(state["keep"]))

    @classmethod
    def load(
        cls,
        model: str | os.PathLike[str] = "default",
        keep: Iterable[str] = DEFAULT_KEEP,
        aim: str = "balanced",
    ) -> "Cleaner":
        """Load a model by path, or by the name of one that comes with the package.

        Raises:
            ModelError: the model cannot be used, see :meth:`Model.load`.
            UsageError: as for :class:`Cleaner`.
        """
        return cls(Model.load(model), keep, aim)

    def result(self, documents: list[bytes], *, kinds: bool = True) -> Result:
        """Label UTF-8 documents; the reference for all other methods.

        Without ``kinds`` those of the surest junk are left out, which saves time, but not where a label hangs on them.
        """
        batch, kinds = self.model.read(documents), kinds or not self.model.firm(self.aim)
        with one_thread():
            probabilities, of_kinds = self.model.probabilities_and_kinds(batch, sure_junk=kinds)
        return Result(batch, probabilities, self.model.decide(batch, probabilities, self.aim, of_kinds), of_kinds)

    def label(self, text: str) -> list[LabelledLine]:
        """Return the non-blank lines of a document, each with its label.

        Raises:
            TypeError: the document is no str.
        """
        found: list[LabelledLine] = []
        before = 0
        for data, _ in pieces(encode(one_text(text, "label"))):
            result = self.result([data])
            found += self._labelled(data, result, before)
            before += len(result.batch.full)
        return found

    def _labelled(self, data: bytes, result: Result, before: int) -> Iterator[LabelledLine]:
        """Return the lines of one document; ``before`` lines of it have gone before."""
        labels, lines = self.model.labels, result.batch.text
        numbers = np.flatnonzero(result.batch.full).tolist()
        rows = zip(numbers, result.codes.tolist(), result.probabilities.tolist(), self.kinds_of(result), strict=True)
        for number, code, shares, kind in rows:
            text = decode(data[lines.start[number] : lines.end[number]])
            yield LabelledLine(text, labels[code], dict(zip(labels, shares, strict=True)), before + number + 1, kind)

    def kind_codes(self, result: Result) -> npt.NDArray[np.int64]:
        """Return the number of the kind of junk of each line of a result; -1 where it is no junk or not sure."""
        out = np.full(len(result.codes), -1)
        if result.kinds is not None and self.model.kinds and JUNK in self.model.labels:
            floor = np.array([self.model.card["kind_floor"]], np.float32)
            call("kind_codes", result.codes, self.model.labels.index(JUNK), result.kinds, floor, out)
        return out

    def kinds_of(self, result: Result) -> list[str]:
        """Return the kind of junk of each line of a result; empty where it is no junk or not sure."""
        names = [*self.model.kinds, ""]
        return [names[code] for code in self.kind_codes(result).tolist()]

    def clean(self, text: str) -> str:
        """Return a document without the lines whose label is not kept; the rest as it came.

        What is cleaned twice may lose more: the second time its lines stand in another document.

        Raises:
            TypeError: the document is no str.
        """
        return decode(b"".join(self._clean_all([encode(one_text(text, "clean"))])))

    def clean_document(self, text: str) -> Cleaned:
        """Return a cleaned document with the share of words removed, flagged where that looks wrong.

        Raises:
            TypeError: the document is no str.
        """
        words, kept, cleaned = 0, 0, []
        for data, _ in pieces(encode(one_text(text, "clean_document"))):
            parts, result, _ = self.examine([data])
            each, stays = result.batch.counts[:, WORDS], self.stays(result)
            words, kept = words + int(each.sum()), kept + int(each[stays].sum())
            cleaned += parts
        share = 1 - kept / words if words else 0.0
        return Cleaned(decode(b"".join(cleaned)), share, suspicion(share, words))

    def stays(self, result: Result) -> npt.NDArray[np.bool_]:
        """Return for each non-blank line whether it stays."""
        return np.array([label in self.keep for label in self.model.labels])[result.codes]

    def clean_batch(self, texts: Iterable[str]) -> Iterator[str]:
        """Clean many documents; yields them in order, reading ahead some megabytes at most.

        Raises:
            TypeError: one str or what cannot be read one by one is given, at once; a document is no str, at its turn.
        """
        return map(decode, self._clean_all(map(encode, many(texts, str, "clean_batch"))))

    def clean_bytes(self, documents: Iterable[bytes | bytearray]) -> Iterator[bytes]:
        """Clean UTF-8 documents; yields them in order, reading ahead some megabytes at most.

        Raises:
            TypeError: as for :meth:`clean_batch`, with bytes for str.
        """
        return self._clean_all(map(bytes, many(documents, bytes, "clean_bytes")))

    def _clean_all(self, documents: Iterable[bytes]) -> Iterator[bytes]:
        """Clean UTF-8 documents in groups."""
        waiting: list[bytes] = []
        for group in batches(piece for document in documents for piece in pieces(document)):
            cleaned = self.examine([data for data, _ in group])[0]
            for data, (_, last) in zip(cleaned, group, strict=True):
                waiting.append(data)
                if last:
                    yield b"".join(waiting)
                    waiting.clear()

    def examine(
        self,
        documents: list[bytes],
        force: Callable[[Result], npt.NDArray[np.bool_]] | None = None,
        *,
        kinds: bool = False,
    ) -> tuple[list[bytes], Result, npt.NDArray[np.bool_]]:
        """Clean UTF-8 documents in one go: the cleaned ones, how they were labelled, and which lines stay.

        ``force`` may tell which non-blank lines stay whatever their label, bool [lines]; what is returned last
        is for all lines, blank ones too. ``kinds`` is as in :meth:`result`.
        """
        result = self.result(documents, kinds=kinds)
        kept = self.stays(result)
        if force is not None:
            kept |= force(result)
        sizes, room = np.zeros(len(documents), np.int64), np.empty(sum(map(len, documents)), np.uint8)
        text, keep = result.batch.text, kept_with_blanks(result, kept)
        used = call("copy_kept", text.data, text.start, text.next, text.document, keep.view(np.uint8), room, sizes)
        out = room[:used].tobytes()
        borders = np.concatenate([[0], np.cumsum(sizes)]).tolist()
        marks = [MARK if document.startswith(MARK) else b"" for document in documents]
        spans = zip(marks, borders, borders[1:], strict=False)
        return [mark + out[begin:end] for mark, begin, end in spans], result, keep


#: A cleaner, a model, or its path or name.
AnyModel = str | os.PathLike[str] | Model | Cleaner


def as_cleaner(model: AnyModel) -> Cleaner:
    """Return a cleaner as it is, or one with a model; raises as :meth:`Cleaner.load`."""
    if isinstance(model, Cleaner):
        return model
    return Cleaner(model) if isinstance(model, Model) else Cleaner.load(model)


def encode(text: str) -> bytes:
    """Return a text as UTF-8; lone surrogates survive."""
    return text.encode("utf-8", "surrogatepass")


def decode(data: bytes) -> str:
    """Undo :func:`encode`."""
    return data.decode("utf-8", "surrogatepass")
