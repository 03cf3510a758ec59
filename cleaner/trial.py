"""Adapt a model, try it on what it has not seen, and write it only if it is better.

How far to go from the base's weights to the adapted ones is chosen by the same figures, of several shares.

Hers: each document of the new data by a model that was adapted without it. General: invented sites that the
rehearsal leaves out. The base was trained on those, so that the figure says what is forgotten, not how good
either model is.
"""

import datetime
import importlib.metadata
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from cleaner.adaptation import Adapting, Rehearsal, adapted, between, check_labels, grouped, rehearsed
from cleaner.alike import of_one, prints, trained_on
from cleaner.arguments import of_kind
from cleaner.cleaning import Cleaner
from cleaner.corpus import NO_LINES, LabelledDocument, Paths, describe, digest, read_sure
from cleaner.costs import word_errors
from cleaner.errors import DataError
from cleaner.evaluation import Measured, joined, measure, summary
from cleaner.labels import LABELS
from cleaner.model import Model
from cleaner.model_writing import destination
from cleaner.rehearsal import read_rehearsal
from cleaner.wording import amount

Report = Callable[[str, float], None]
Pair = tuple[dict[str, Any], dict[str, Any]]
#: Groups of documents that are held out in turn; from MANY lines on one of them is, once.
FOLDS = 5
MANY_LINES = 20_000
#: The share of the errors that must go; sites on which less went got worse by up to a sixth on other documents.
LEAST_GAIN = 0.1
#: Documents and lines below which the figures say little.
FEW_DOCUMENTS, FEW_LINES = 5, 100


@dataclass(frozen=True)
class Trial:
    """A model a share of the way from its base, and why it is not to be written, empty if it may be.

    ``hers`` and ``general`` are its figures before and after, as above; none where there is nothing to measure.
    """

    model: Model
    share: float
    hers: Pair | None
    general: Pair | None
    refused: str


@dataclass(frozen=True)
class Outcome:
    """The best trial with its card, warnings, and whether the model was written."""

    trial: Trial
    warnings: list[str]
    written: bool

    @property
    def model(self) -> Model:
        """The adapted model."""
        return self.trial.model


def adapt(
    data: Paths,
    output: str | os.PathLike[str],
    base: str | os.PathLike[str] = "default",
    options: Adapting | None = None,
    report: Report = lambda step, share: None,
) -> Outcome:
    """Adapt a model to labelled files and folders; write it to ``output`` if it is better, or with ``options.force``.

    Better: a tenth fewer words wrongly kept or dropped in held-out documents of the data (of what is gained on one
    part of them not more than half being lost on the rest); and in general body F1 not more than ``options.margin``
    below the base's. Better labels that change nothing of the text are not enough. ``options`` are described in
    :class:`cleaner.adaptation.Adapting`.

    Raises:
        DataError: a file is wrong, has labels that the base has not, or there is too little to hold some out.
        ModelError: the base or the training data to rehearse cannot be used.
        UsageError: a path is empty; or the model cannot be written to ``output``, which is tried before the data
            is read.
        TypeError: ``options`` are none.
    """
    options = of_kind(options, Adapting)
    with destination(output) as folder:
        documents = read_sure(data)
        model = Model.load(base)
        check(documents, model, options)
        best = try_out(model, documents, options, report)
        made = card(model, documents, options, best)
        made["base"]["name"] = str(base)
        made["warnings"] = warnings(documents, best, model)
        best = replace(best, model=replace(best.model, card=made))
        written = options.force or not best.refused
        if written:
            best.model.save(folder)
    report("done", 1.0)
    return Outcome(best, made["warnings"], written)


def try_out(
    base: Model,
    documents: Sequence[LabelledDocument],
    options: Adapting,
    report: Report = lambda step, share: None,
) -> Trial:
    """Adapt a base to documents and return the best model that is not refused; if all are, the best of those."""
    report("rehearsal", 0.05)
    rehearsal, general = read_rehearsal()
    old = rehearsed(base, rehearsal, options)
    hers = held_out(base, documents, old, options, lambda share: report("held-out documents", 0.1 + 0.7 * share))
    report("all documents", 0.8)
    full = adapted(base, documents, old, options)
    report("general score", 0.9)
    known = {label for document in general for label in document.labels} <= set(base.labels)
    before = summary(measure(general, Cleaner(base))) if known else None
    trials = []
    pairs: list[Pair | None] = [*hers] if hers else [None] * len(options.shares)
    for share, pair in zip(options.shares, pairs, strict=True):
        model = between(base, full, share)
        both = (before, summary(measure(general, Cleaner(model)))) if before else None
        trials.append(Trial(model, share, pair, both, why_not(pair, both, options.margin)))
    return min(trials, key=lambda trial: (bool(trial.refused), *(counts(trial.hers[1]) if trial.hers else ())))


def counts(found: dict[str, Any]) -> tuple[int, int]:
    """Return the words wrongly kept or dropped, and those with a wrong label."""
    return found["errors"]["keep_or_drop"], found["errors"]["label"]


def check(documents: Sequence[LabelledDocument], base: Model, options: Adapting) -> None:
    """Raise :class:`DataError` if the documents cannot adapt the base."""
    if not documents:
        raise DataError(NO_LINES)
    check_labels(documents, base)
    if len(set(of_one(documents))) < 2 and not options.force:
        more = f", and the other {len(documents) - 1} are views or copies of it" if len(documents) > 1 else ""
        raise DataError(
            f"{documents[0].path}: one document alone cannot show whether the model gets better{more}. "
            "Label a second one (a TSV file is one document), or use --force."
        )


def held_out(
    base: Model,
    documents: Sequence[LabelledDocument],
    old: Rehearsal,
    options: Adapting,
    report: Callable[[float], None],
) -> list[Pair] | None:
    """Return the figures of base and adapted models on documents left out, for each share; None for one document."""
    groups = grouped(documents, FOLDS)
    if len(groups) < 2:
        return None
    tried = groups[:1] if sum(len(document.lines) for document in documents) > MANY_LINES else groups
    before: list[Measured] = []
    after: list[list[Measured]] = [[] for _ in options.shares]
    for number, out in enumerate(tried):
        rest = [document for group in groups if group is not out for document in group]
        full = adapted(base, rest, old, options)
        before.append(measure(out, Cleaner(base)))
        for share, some in zip(options.shares, after, strict=True):
            some.append(measure(out, Cleaner(between(base, full, share))))
        report((number + 1) / len(tried))
    return [(of_folds(before), of_folds(some)) for some in after]


def of_folds(some: Sequence[Measured]) -> dict[str, Any]:
    """Return the figures of several folds, and what each has wrongly kept or dropped."""
    return {**summary(joined(some)), "by_fold": [word_errors(one)["keep_or_drop"] for one in some]}


def why_not(hers: Pair | None, general: Pair | None, margin: float) -> str:
    """Return why an adapted model is not to be written; empty if it is."""
    if hers is None:
        return "one document alone cannot show whether it is better"
    before, after = (counts(one) for one in hers)
    if after[0] == before[0] and after[1] < before[1]:
        return (
            f"on held-out documents {amount(after[1], 'word')} got a wrong label, {before[1]:,} before, but "
            f"{after[0]:,} were wrongly kept or dropped as before, so that they cannot show what the model would do to "
            "the text. If the labels are what you want, use --force; else label documents on which the model errs"
        )
    if after[0] >= before[0] * (1 - LEAST_GAIN):
        return (
            f"it is hardly better on held-out documents: {amount(after[0], 'word')} wrongly kept or dropped, "
            f"{before[0]:,} before, {after[1]:,} with a wrong label, {before[1]:,} before; a tenth less is "
            "asked, less may be chance"
        )
    gains = [old - new for old, new in zip(hers[0]["by_fold"], hers[1]["by_fold"], strict=True)]
    if sum(gains) < max(gains) / 2:
        return "what it gains on one part of the held-out documents it loses on the rest, which may be chance"
    if general and general[1]["body_f1"] < general[0]["body_f1"] - margin:
        lost = general[0]["body_f1"] - general[1]["body_f1"]
        change = f"falls by {lost:.4f}, more than" if lost >= 0 else f"rises by {-lost:.4f}, less than asked by"
        return f"in general body F1 {change} the margin of {margin:g}"
    return ""


def warnings(documents: Sequence[LabelledDocument], trial: Trial, base: Model) -> list[str]:
    """Return what makes the figures doubtful."""
    found = []
    known, every = trained_on(base.card, documents)
    if known:
        ours = set(base.labels) <= set(LABELS)
        remedy = (
            "Adapt one that has not seen them, such as default." if ours else "Label others, or train without --base."
        )
        found.append(
            f"{known:,} of these {amount(every, 'document')} trained the base: nothing of them is held out from it, "
            f"and the figures before and after say little. {remedy}"
        )
    size = len(set(of_one(documents)))
    lines = sum(not weak for document in documents for weak in document.weak)
    if size < FEW_DOCUMENTS or lines < FEW_LINES:
        found.append(
            f"{amount(size, 'document')} with {amount(lines, 'line')}: too little, figures may be chance. Label more."
        )
    if len({label for document in documents for label in document.labels}) < 2:
        found.append(f"all lines are {documents[0].labels[0]!r}: the model only learns to say so more often.")
    if lines > MANY_LINES:
        found.append(
            f"{lines:,} lines: a fifth of the documents was held out, once; a model trained anew may be better."
        )
    if trial.general is None:
        found.append("the base has labels of its own: there is no general score, and nothing says what it forgets.")
    return found


def card(base: Model, documents: Sequence[LabelledDocument], options: Adapting, trial: Trial) -> dict[str, Any]:
    """Return the card of an adapted model: how to use it as the base's, what it was made of and how good it is."""
    keys = (
        "format",
        "features",
        "labels",
        "sure",
        "kinds",
        "kind_floor",
        "kind_figures",
        "weights",
        "aims",
        "whole_bytes",
    )
    both = [dict(zip(("before", "after"), pair, strict=True)) if pair else None for pair in (trial.hers, trial.general)]
    return {
        **{key: base.card[key] for key in keys if key in base.card},
        "date": datetime.date.today().isoformat(),
        "base": {key: base.card.get(key) for key in ("sha256", "date", "data")},
        "data": describe(documents),
        "data_sha256": digest(documents),
        **prints(documents, base.card),
        "adaptation": {"options": asdict(options), "share": trial.share, "held_out": both[0], "general": both[1]},
        "libraries": {name: importlib.metadata.version(name) for name in ("numpy", "scikit-learn", "scipy")},
    }
