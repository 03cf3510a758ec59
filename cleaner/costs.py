"""What errors cost, in words: a lost paragraph weighs more than a button that stayed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cleaner.corpus import LabelledDocument
from cleaner.labels import BODY

if TYPE_CHECKING:
    from cleaner.evaluation import Measured

Mask = npt.NDArray[np.bool_]


def keep_errors(measured: "Measured") -> Mask:
    """Return which sure lines are kept and are no body, or go and are body, [lines]."""
    body = measured.truth == measured.labels.index(BODY)
    return np.asarray(measured.sure & (body != measured.kept))


def word_errors(measured: "Measured") -> dict[str, Any]:
    """Return errors in words of sure lines: body lost, other text left, both, wrong labels; and the confusion.

    ``confusion`` has a row for each true label and a column for each predicted one.
    """
    wrong, words = keep_errors(measured), measured.words
    size = len(measured.labels)
    cell = (measured.truth * size + measured.predicted)[measured.sure]
    counts = np.bincount(cell, words[measured.sure], size * size).astype(np.int64).reshape(size, size)
    return {
        "lost": int(words[wrong & ~measured.kept].sum()),
        "left": int(words[wrong & measured.kept].sum()),
        "keep_or_drop": int(words[wrong].sum()),
        "label": int(counts.sum() - counts.diagonal().sum()),
        "words": int(counts.sum()),
        "confusion": counts.tolist(),
    }


def row_of(document: LabelledDocument, line: int) -> int:
    """Return where a line stands, from 1: its row in a TSV file, else which of the record's labelled lines it is."""
    return document.rows[line] if document.rows else line + 1


def costliest(documents: Sequence[LabelledDocument], measured: "Measured", number: int) -> list[dict[str, Any]]:
    """Return the lines whose error costs most: those wrongly kept or dropped first, by words, then wrong labels.

    ``documents`` are those measured, in the same order; ``line`` is that of :func:`row_of`.
    """
    wrong = keep_errors(measured)
    either = np.flatnonzero(wrong | (measured.sure & (measured.truth != measured.predicted)))
    order = either[np.lexsort((either, -measured.words[either], ~wrong[either]))][:number]
    begins = np.cumsum([0] + [len(document.lines) for document in documents])
    found = []
    for line in order.tolist():
        place = int(measured.document[line])
        document, at = documents[place], line - int(begins[place])
        found.append(
            {
                "document": document.id,
                "view": document.view,
                "line": row_of(document, at),
                "truth": measured.labels[measured.truth[line]],
                "predicted": measured.labels[measured.predicted[line]],
                "words": int(measured.words[line]),
                "kept": bool(measured.kept[line]),
                "text": document.lines[at],
            }
        )
    return found
