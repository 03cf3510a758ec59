"""Lines whose label is likely wrong, by confident learning on out-of-fold probabilities.

Source: Northcutt et al., Confident Learning: Estimating Uncertainty in Dataset Labels (2021), as the library
cleanlab has it. Needs the extra ``suspects``.

What is flagged: with 5 % of the labels of invented documents flipped, out of fold, cleanlab's filter
``prune_by_class`` found .91 of the flips (.57 of what it flagged was one), ``prune_by_noise_rate`` .87 (.55),
``both`` .86 (.62), ``confident_learning`` .72 (.62). As the order, ``self_confidence`` put .95 of them among
the first tenth of all lines, ``normalized_margin`` .94, ``confidence_weighted_entropy`` .94. With few lines the
filter flags too little: what has a label of a probability below ``UNLIKELY`` is flagged, too, which changes nothing
for 26,000 lines, and for 50 lines finds .86 of the flips (.66) instead of .71 (.57).
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cleaner.corpus import LICENCES, LabelledDocument
from cleaner.errors import DataError, UsageError
from cleaner.model import Model
from cleaner.network import softmax
from cleaner.sampling import label_order

Floats = npt.NDArray[np.float32]
#: From so many sites on, models trained on them alone judge best. Of 5 % flipped labels the first tenth of the
#: lines held .28 with 10 sites, .37 with 20, .71 with 50, .87 with 100, .95 with 350; by the shipped model, on 20
#: documents of sites new to it, all.
ENOUGH_SITES = 100
#: A label of a smaller probability is flagged, too, if another has one half or more.
UNLIKELY = 0.05


@dataclass(frozen=True)
class Suspect:
    """A line and what speaks against its label; ``place`` is the number of document and line, from 0."""

    place: tuple[int, int]
    label: str
    suggested: str
    given: float  # the probability of its label
    confidence: float  # the probability of the suggested one


@dataclass(frozen=True)
class Suspects:
    """All sure lines, the likeliest mistakes first; the first ``flagged`` are held to be mistakes."""

    ranked: list[Suspect]
    flagged: int


@dataclass(frozen=True)
class Opinions:
    """What models that have not seen the lines hold of them: [lines, labels] for each document, and who says so."""

    labels: list[str]
    probabilities: list[Floats]
    judge: str


def opinions(documents: Sequence[LabelledDocument], model: Model, report: Callable[[str, float], None]) -> Opinions:
    """Ask models that have not seen the documents.

    Of many sites each is held out in turn, and models are trained on the others. Of few sites the given model
    knows more, unless it may have been trained on these very lines, or lacks their labels. Where nothing can be trained
    on the documents, as they are too few or all of one label, it judges all the same, and that is said.

    Raises:
        DataError: nothing can be trained on the documents, and the model lacks their labels.
    """
    sites = len({document.site for document in documents})
    used = {label for document in documents for label in document.labels}
    able, trained = used <= set(model.labels), may_know(documents, model)
    if able and sites < ENOUGH_SITES and not trained:
        return by_model(documents, model, trained)
    try:
        judge = f"models trained on the other {'sites' if sites > 1 else 'documents'}"
        judge += "; the one given may know these lines" if able and sites < ENOUGH_SITES else ""
        return Opinions(label_order(documents), out_of_fold(documents, report), judge)
    except DataError:
        if not able:
            raise
        return by_model(documents, model, trained)


def out_of_fold(
    documents: Sequence[LabelledDocument], report: Callable[[str, float], None] = lambda step, share: None
) -> list[Floats]:
    """Return for each document the probabilities of its lines, by models that have not seen its site.

    Where all are of one site, by models that have not seen the document.
    Each is float32 [lines, labels], the labels in the order of :func:`~cleaner.sampling.label_order`.
    The draft head is enough for it.

    Raises:
        DataError: there is but one document, or all lines have one label.
    """
    from cleaner.training import Options, fit_draft

    _, parts, _, _, fitted = fit_draft(documents, Options(), report)
    found: dict[int, Floats] = {}
    for part, logits in zip(parts, fitted.logits, strict=True):
        borders = np.cumsum([0, *(len(document.lines) for document in part.documents)])
        shares = softmax(logits)
        found |= {id(one): shares[borders[n] : borders[n + 1]] for n, one in enumerate(part.documents)}
    report("done", 1.0)
    return [found[id(document)] for document in documents]


def by_model(documents: Sequence[LabelledDocument], model: Model, trained: bool) -> Opinions:
    """Ask the model itself; ``trained`` tells whether it may know the lines."""
    batches = (model.read([document.data()]) for document in documents)
    words = "which may have been trained on these lines and then repeats their mistakes" if trained else ""
    judge = f"the model, {words or 'new to these lines'}"
    return Opinions(model.labels, [model.probabilities(batch) for batch in batches], judge)


def may_know(documents: Sequence[LabelledDocument], model: Model) -> bool:
    """Tell by its card whether a model may have been trained on some of the lines.

    It surely was not if all of its data are public sets or this project's, and none of the documents is of these.
    """
    sources = {row.get("source") for row in model.card.get("data", [])}
    same = sources & {document.source for document in documents}
    return "base" in model.card or not sources <= LICENCES.keys() or bool(same)


def find_suspects(
    documents: Sequence[LabelledDocument], probabilities: Sequence[Floats], labels: Sequence[str]
) -> Suspects:
    """Order the lines of documents by how likely their label is wrong.

    ``probabilities`` are out of fold, [lines, labels] for each document.

    Raises:
        UsageError: cleanlab is not installed.
        DataError: there is no line to judge.
    """
    try:
        from cleanlab.filter import find_label_issues
        from cleanlab.rank import get_label_quality_scores
    except ImportError:
        raise UsageError("suspects are found with cleanlab. Install it: pip install 'line-cleaner[suspects]'") from None
    places = [
        (number, line)
        for number, document in enumerate(documents)
        for line, weak in enumerate(document.weak)
        if not weak
    ]
    if not places:
        raise DataError("no line to judge: all are weak. Label some lines for sure.")
    shares = np.stack([probabilities[number][line] for number, line in places]).astype(np.float64)
    shares /= shares.sum(axis=1, keepdims=True)
    codes = np.array([labels.index(documents[number].labels[line]) for number, line in places])
    quality = get_label_quality_scores(codes, shares, method="self_confidence")
    issues = np.zeros(len(codes), np.bool_)
    if len(np.unique(codes)) > 1:
        with warnings.catch_warnings(action="ignore"):  # rare labels, or none of one
            issues = find_label_issues(codes, shares, n_jobs=1, filter_by="prune_by_class")
    issues |= (shares[np.arange(len(codes)), codes] < UNLIKELY) & (shares.max(axis=1) >= 0.5)
    order = np.lexsort((quality, ~issues))
    ranked = [suspect(places[row], int(codes[row]), shares[row], labels) for row in order.tolist()]
    return Suspects(ranked, int(issues.sum()))


def suspect(place: tuple[int, int], code: int, shares: npt.NDArray[np.float64], labels: Sequence[str]) -> Suspect:
    """Return a line with the label that it has and the likeliest other one."""
    others = shares.copy()
    others[code] = -1
    best = int(others.argmax())
    return Suspect(place, labels[code], labels[best], float(shares[code]), float(shares[best]))
