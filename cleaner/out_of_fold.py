"""What models say of labelled lines that they were not fitted on."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cleaner.corpus import LabelledDocument
from cleaner.features import VERSION
from cleaner.heads import Rows, fit_head
from cleaner.model import Model
from cleaner.model_files import FORMAT
from cleaner.network import softmax
from cleaner.sampling import head_rows, label_order, read_part, split
from cleaner.training import Options, Report, fit_text, joined_rows

__all__ = ["out_of_fold"]

Floats = npt.NDArray[np.float32]


def out_of_fold(
    documents: Sequence[LabelledDocument], report: Report = lambda step, share: None, options: Options | None = None
) -> list[Floats]:
    """Return for each document the probabilities of its lines, by models that have not seen its site.

    Each is float32 [lines, labels], the labels in the order of :func:`~cleaner.sampling.label_order`.
    The draft head is enough for it.

    Raises:
        DataError: the documents are of one site, or have one label.
    """
    o = options or Options()
    labels = label_order(documents)
    parts = [read_part(fold, labels) for fold in split(documents, o.folds, o.seed)]
    arrays, scores = fit_text(parts, labels, o, report)
    model = Model(arrays, {"format": FORMAT, "features": VERSION, "labels": labels})
    seen = [model.see(part.batch, score) for part, score in zip(parts, scores, strict=True)]
    rng = np.random.default_rng(o.seed)
    rows = Rows(*zip(*(head_rows(part, o.page_junk, rng) for part in parts), strict=True))
    report("heads", 0.7)
    fitted = fit_head(parts, lambda number: joined_rows(model.draft_inputs(seen[number])), rows, o.draft)
    found: dict[int, Floats] = {}
    for part, logits in zip(parts, fitted.logits, strict=True):
        borders = np.cumsum([0, *(len(document.lines) for document in part.documents)])
        shares = softmax(logits)
        found |= {id(one): shares[borders[n] : borders[n + 1]] for n, one in enumerate(part.documents)}
    report("done", 1.0)
    return [found[id(document)] for document in documents]
