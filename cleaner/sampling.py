"""What training sees of the labelled documents: folds of sites with copies (`copies.py`), chosen rows and weights."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from cleaner.alike import of_one
from cleaner.copies import ALTERED, INVENTED, WRAPPED, copies_of
from cleaner.corpus import NO_LINES, PAGE_VIEWS, LabelledDocument, fold_of
from cleaner.errors import DataError
from cleaner.features import Batch, character_table, gram_rows, line_hashes, read_batch, unicode_tables
from cleaner.labels import BODY, JUNK, LABELS
from cleaner.text_columns import column_of, own_columns
from cleaner.wording import amount

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

#: Lines and documents from which a label is worth a figure.
FEW_LINES, FEW_DOCUMENTS = 20, 3
#: What a line of a wrapped document counts.
FRACTION = 1 / 3
#: So many real documents teach a language well enough for its invented ones to be marked in training.
MANY_REAL = 50
#: Bytes from which a line may hold a whole article, the share of such lines that must be body, and of how many.
WHOLE, MOSTLY, FEWEST = (2500, 5000, 10000), 0.95, 100


@dataclass
class Part:
    """The lines of one fold of sites: the documents, their arrays, and the truth about each line."""

    documents: list[LabelledDocument]
    batch: Batch
    label: Ints
    column: Ints
    sure: npt.NDArray[np.bool_]
    weight: Floats
    page_junk: npt.NDArray[np.bool_]  # over 80 % of the lines of whole real pages are menus: sampled down
    document: npt.NDArray[np.uint64]


@dataclass(frozen=True)
class TableRows:
    """Rows of the text table's training set: n-gram indicators and the column each line belongs to."""

    grams: csr_matrix
    column: Ints


def label_order(documents: Sequence[LabelledDocument]) -> list[str]:
    """Return the labels in the data: the shipped model's in their order, then others, junk last.

    Raises:
        DataError: there are no lines, none is body, or all are.
    """
    found = {label for document in documents for label in document.labels}
    if not found:
        raise DataError(NO_LINES)
    if BODY not in found:
        raise DataError(f"no line is labelled {BODY!r}. Label the lines to keep {BODY!r} and train again.")
    if len(found) < 2:
        raise DataError(f"all lines are labelled {BODY!r}. Label at least one line otherwise and train again.")
    known = [label for label in LABELS if label in found and label != JUNK]
    return known + sorted(found - set(LABELS)) + [JUNK] * (JUNK in found)


def split(documents: Sequence[LabelledDocument], folds: int, seed: int) -> list[list[LabelledDocument]]:
    """Split by site into folds, empty ones left out, and add copies to each.

    Documents that are all from one site are split one by one, copies of one together: what is measured then holds for
    that site alone.

    Raises:
        DataError: there is but one document, or what is left without a fold is all body, or has none.
    """
    place, one_site = folds_by_name(documents, folds), len({document.site for document in documents}) == 1
    groups: list[list[LabelledDocument]] = [[] for _ in range(folds)]
    for document in documents:
        groups[place[document.id if one_site else document.site]].append(document)
    filled = [[*group, *copies_of(group, (seed, number))] for number, group in enumerate(groups) if group]
    check_folds(filled)
    return filled


def folds_by_name(documents: Sequence[LabelledDocument], folds: int) -> dict[str, int]:
    """Return the fold of each site, of each document where there is but one site; never one fold for all."""
    sites = sorted({document.site for document in documents})
    if len(sites) == 1:
        ordered = sorted(documents, key=lambda document: document.id)
        numbers = of_one(ordered)
        if len(set(numbers)) < 2:
            raise too_few(documents)
        return {document.id: number % folds for document, number in zip(ordered, numbers, strict=True)}
    found = {site: fold_of(site, folds) for site in sites}
    even = len(set(found.values())) < 2
    return {site: number % folds for number, site in enumerate(sites)} if even else found


def too_few(documents: Sequence[LabelledDocument]) -> DataError:
    """Return the error of one document, or of copies of one, with what works."""
    known = {label for document in documents for label in document.labels} <= set(LABELS)
    alone = "; one alone can but adapt a model, unmeasured: cleaner train --base default --force" if known else ""
    more = f", and the other {len(documents) - 1} are views or copies of it" if len(documents) > 1 else ""
    return DataError(
        f"{documents[0].path or documents[0].id}: one document is too few, some must be held out{more}. "
        f"Label two documents or more (a TSV file is one){alone}"
    )


def check_folds(groups: Sequence[list[LabelledDocument]]) -> None:
    """Raise :class:`DataError` unless without each fold there are still body lines and others."""
    sure = [
        {label == BODY for one in group for label, weak in zip(one.labels, one.weak, strict=True) if not weak}
        for group in groups
    ]
    for out, group in enumerate(groups):
        rest = set().union(*(kinds for number, kinds in enumerate(sure) if number != out))
        if len(rest) < 2:
            what = "nothing but body" if True in rest else "no body"
            raise DataError(
                f"too few documents to hold some out: without {group[0].path or group[0].id} there is {what}. "
                "Label more documents."
            )


def doubts(documents: Sequence[LabelledDocument]) -> list[str]:
    """Return what makes the figures of a model trained on the documents doubtful, as sentences."""
    found = []
    if len({document.site for document in documents}) < 2:
        found.append(f"all documents are from one site, {documents[0].site!r}: the figures hold for that site alone.")
    places: dict[str, set[str]] = {}
    lines: Counter[str] = Counter()
    for one in documents:
        for label, weak in zip(one.labels, one.weak, strict=True):
            if not weak:
                places.setdefault(label, set()).add(one.id)
                lines[label] += 1
    for label, number in sorted(lines.items()):
        if number < FEW_LINES or len(places[label]) < FEW_DOCUMENTS:
            found.append(
                f"label {label!r} has {amount(number, 'line')} in {amount(len(places[label]), 'document')}: "
                "it is hardly learnt, and its figures may be chance."
            )
    return found


def choose_whole(documents: Sequence[LabelledDocument]) -> int:
    """Return from how many bytes on a line is body, whatever the heads say of it; 0 for never.

    From where nearly all such lines of real documents are, of invented ones where there are no others, and there are
    at least :data:`FEWEST`.
    """
    some = [one for one in documents if one.source != INVENTED] or documents
    found = [
        (len(line.encode("utf-8", "surrogatepass")), label == BODY)
        for one in some
        for line, label, weak in zip(one.lines, one.labels, one.weak, strict=True)
        if not weak and len(line) * 4 > WHOLE[0]
    ]
    for size in WHOLE:
        body = [is_body for length, is_body in found if length > size]
        if len(body) >= FEWEST and sum(body) >= MOSTLY * len(body):
            return size
    return 0


def read_part(documents: list[LabelledDocument], labels: Sequence[str]) -> Part:
    """Return the arrays of some documents; one document's views share a weight."""
    columns = own_columns(labels)
    batch = read_batch([d.data() for d in documents], character_table(*unicode_tables()))
    sizes = [len(d.lines) for d in documents]
    copies = Counter(d.id for d in documents)
    names = {name: number for number, name in enumerate(copies, 1)}
    label = np.array([labels.index(label) for d in documents for label in d.labels])
    junk = label == labels.index(JUNK) if JUNK in labels else np.zeros(len(label), np.bool_)
    page = np.repeat([d.view in PAGE_VIEWS and d.source != INVENTED for d in documents], sizes)
    return Part(
        documents,
        batch,
        label,
        np.array([column_of(*row, columns) for d in documents for row in zip(d.labels, d.kinds, strict=True)]),
        np.array([not weak for d in documents for weak in d.weak]),
        np.repeat([copies[d.id] ** -0.5 * (FRACTION if d.view == WRAPPED else 1) for d in documents], sizes).astype(
            "f4"
        ),
        junk & page,
        np.repeat([names[d.id] for d in documents], sizes).astype(np.uint64),
    )


def real_lines(part: Part) -> npt.NDArray[np.bool_]:
    """Tell which lines are not of invented documents, [lines]."""
    sizes = [len(document.lines) for document in part.documents]
    return np.repeat([document.source != INVENTED for document in part.documents], sizes)


def marked(parts: Sequence[Part]) -> list[npt.NDArray[np.bool_]]:
    """Tell which lines of each part are of invented documents in a language that many real ones teach, too."""
    real = {(d.language, d.id) for part in parts for d in part.documents if d.source != INVENTED}
    taught = Counter(language for language, _ in real)
    return [
        np.repeat(
            [d.source == INVENTED and taught[d.language] >= MANY_REAL for d in part.documents],
            [len(d.lines) for d in part.documents],
        )
        for part in parts
    ]


def counted(parts: Sequence[Part]) -> list[npt.NDArray[np.bool_]]:
    """Tell which lines of each part decide what probabilities and labels are made of: sure ones of real documents.

    Where no document is real those of all. Copies with wrapped lines or with pieces put in never do.
    """
    real = [real_lines(part) for part in parts]
    any_real = any(lines.any() for lines in real)
    use = [lines | (not any_real) for lines in real]
    return [part.sure & lines & ~lines_of(part, ALTERED) for part, lines in zip(parts, use, strict=True)]


def lines_of(part: Part, views: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Tell which lines are of documents with one of these views, [lines]."""
    sizes = [len(document.lines) for document in part.documents]
    return np.repeat([document.view in views for document in part.documents], sizes)


def table_rows(part: Part, rows: int, rng: np.random.Generator) -> TableRows:
    """Return what the text table trains on: each distinct line of a document and of thinned copies once.

    Half of the junk of whole pages is left out.
    """
    key = line_hashes(part.batch.tokens).astype(np.uint64) ^ (part.document * np.uint64(0x9E3779B97F4A7C15))
    sure = np.flatnonzero(part.sure & ~lines_of(part, ALTERED))
    chosen = np.sort(sure[np.unique(key[sure], return_index=True)[1]])
    chosen = chosen[~part.page_junk[chosen] | (rng.random(len(chosen)) < 0.5)]
    indices, offsets = gram_rows(part.batch.tokens, rows)
    sizes = np.diff(offsets)
    values = np.repeat(1 / np.sqrt(np.maximum(sizes, 1)), sizes)
    grams = csr_matrix((values, indices, offsets), shape=(len(sizes), rows))[chosen]
    return TableRows(grams, part.column[chosen])


def head_rows(part: Part, share: float, rng: np.random.Generator) -> tuple[Ints, Floats]:
    """Choose the lines that the head trains on, a share of the page junk among them; and their weights.

    Counting invented documents more was tried: captions on real pages .49 once, .50 three times, .46 six
    times; bylines .77, .76, .74; on invented sites captions .79, .81, .83.
    """
    junk = part.page_junk
    rows = np.flatnonzero(part.sure & (~junk | (rng.random(len(junk)) < share)))
    return rows, part.weight[rows] * np.where(junk[rows], 0.5 / share, 1).astype(np.float32)
