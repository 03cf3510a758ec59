"""What models say of labelled lines that they were not fitted on."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cleaner.corpus import LabelledDocument
from cleaner.network import softmax
from cleaner.training import Options, Report, fit_draft

__all__ = ["out_of_fold"]

Floats = npt.NDArray[np.float32]


def out_of_fold(documents: Sequence[LabelledDocument], report: Report = lambda step, share: None) -> list[Floats]:
    """Return for each document the probabilities of its lines, by models that have not seen its site.

    Where all are of one site, by models that have not seen the document.
    Each is float32 [lines, labels], the labels in the order of :func:`~cleaner.sampling.label_order`.
    The draft head is enough for it.

    Raises:
        DataError: there is but one document, or all lines have one label.
    """
    _, parts, _, _, fitted = fit_draft(documents, Options(), report)
    found: dict[int, Floats] = {}
    for part, logits in zip(parts, fitted.logits, strict=True):
        borders = np.cumsum([0, *(len(document.lines) for document in part.documents)])
        shares = softmax(logits)
        found |= {id(one): shares[borders[n] : borders[n + 1]] for n, one in enumerate(part.documents)}
    report("done", 1.0)
    return [found[id(document)] for document in documents]
