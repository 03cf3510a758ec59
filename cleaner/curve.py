"""How errors fall with the number of labelled documents: what labelling some more would bring."""

from collections.abc import Callable, Sequence
from typing import Any

from cleaner.adaptation import Adapting, adapted, between, check_labels, grouped, rehearsed
from cleaner.cleaning import Cleaner
from cleaner.corpus import LabelledDocument
from cleaner.errors import DataError
from cleaner.evaluation import joined, measure, summary
from cleaner.model import Model
from cleaner.rehearsal import read_rehearsal
from cleaner.wording import amount

#: Numbers of documents that a model is adapted to; those that the data is enough for are tried.
SIZES = (1, 2, 5, 10, 20, 50, 100, 200)
GROUPS = 3
#: How far each goes from the base to the adapted weights.
SHARE = 0.5


def learning_curve(
    base: Model,
    documents: Sequence[LabelledDocument],
    report: Callable[[str, float], None] = lambda step, share: None,
) -> list[dict[str, Any]]:
    """Return the figures of the base adapted to 0, 1, 2, 5… of the documents, each on documents left out.

    A third is left out in turn, so that all documents are measured at each size.

    Raises:
        DataError: there are fewer than three documents, or a label that the base has not.
    """
    options = Adapting()
    check_labels(documents, base)
    groups = grouped(documents, GROUPS)
    if len(groups) < GROUPS:
        raise DataError(f"{amount(len(groups), 'document')}: too few for a learning curve. Give at least {GROUPS}.")
    old = rehearsed(base, read_rehearsal()[0], options)
    pools = [grouped([d for other in groups if other is not out for d in other], len(documents)) for out in groups]
    sizes = [0, *(size for size in SIZES if size <= min(map(len, pools)))]
    rows = []
    for number, size in enumerate(sizes):
        report(amount(size, "document"), number / len(sizes))
        measured = []
        for out, pool in zip(groups, pools, strict=True):
            some = [document for one in pool[:size] for document in one]
            model = between(base, adapted(base, some, old, options), SHARE) if size else base
            measured.append(measure(out, Cleaner(model)))
        rows.append({"adapted_to": size, **summary(joined(measured))})
    report("done", 1.0)
    return rows
