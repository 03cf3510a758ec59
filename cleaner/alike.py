"""Documents that are the same: views and copies of one, test data that trains, and what a model was trained on."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any

from cleaner.corpus import LONG_WORDS, LabelledDocument, describe
from cleaner.errors import DataError
from cleaner.labels import BODY

#: Share of a document's long lines, and of its body in order, that makes it a copy of another.
COPY_SHARE = 0.8
#: What stands in so many documents is boilerplate, no sign of a copy.
MOST_HOLDERS = 20
#: The share of long lines that may be test data, too: of the shipped model's data about one in 200 is.
MOST_SHARED = 0.2
#: A card names so many documents one by one; of more, each source has a digest alone.
MOST_PRINTS = 2000


def plain(text: str) -> str:
    """Return a text with digits as 0, in one case, with single spaces."""
    return re.sub(r"\d", "0", " ".join(text.casefold().split()))


def telling(document: LabelledDocument) -> set[str]:
    """Return the long lines of a document, without their digits; if it has none, all of its lines as one."""
    found = {plain(text) for text in document.lines if len(text.split()) >= LONG_WORDS}
    return found or {plain(text) for text in ["\n".join(document.lines)] if text}


def copies(documents: Sequence[LabelledDocument]) -> Iterator[tuple[int, int]]:
    """Return pairs of documents, by number, that share most of their long lines; views of one are none."""
    holders: defaultdict[str, list[int]] = defaultdict(list)
    texts_of = [telling(one) for one in documents]
    for number, (one, texts) in enumerate(zip(documents, texts_of, strict=True)):
        shared = Counter(other for text in texts for other in holders[text])
        for other, count in sorted(shared.items()):
            size = min(len(texts), len(texts_of[other]))
            if one.id != documents[other].id and count >= COPY_SHARE * size:
                yield number, other
        for text in texts:
            if len(holders[text]) < MOST_HOLDERS:
                holders[text].append(number)


def of_one(documents: Sequence[LabelledDocument]) -> list[int]:
    """Return a number for each document, from 0 in the order in which they come: views and copies of one share it.

    Copies have most of the shorter body in the same order; a footer that a site puts under all its pages does not
    make one document of them.
    """
    first: dict[str, int] = {}
    place = [first.setdefault(document.id, number) for number, document in enumerate(documents)]
    for number, other in copies(documents):
        low, high = sorted((place[number], place[other]))
        if low != high and same_body(documents[number], documents[other]):
            place = [low if one == high else one for one in place]
    order = {one: number for number, one in enumerate(dict.fromkeys(place))}
    return [order[one] for one in place]


def same_body(one: LabelledDocument, other: LabelledDocument) -> bool:
    """Tell whether most of the shorter body, by characters, stands in the other in the same order."""
    first, second = body_of(one), body_of(other)
    blocks = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks() if first != second else []
    shared = sum(len(line) for block in blocks for line in first[block.a : block.a + block.size])
    return first == second or shared >= COPY_SHARE * min(sum(map(len, lines)) for lines in (first, second))


def body_of(document: LabelledDocument) -> list[str]:
    """Return the body lines of a document, all lines if there are none, in one case and with single spaces."""
    rows = list(zip(document.lines, document.labels, strict=True))
    lines = [line for line, label in rows if label == BODY] or document.lines
    return [" ".join(line.casefold().split()) for line in lines]


def check_apart(documents: Sequence[LabelledDocument], tests: Sequence[LabelledDocument]) -> None:
    """Raise :class:`DataError` if documents to train on are test data, too, or many of their long lines are.

    Such lines do not train, and without them a model has learnt to drop what is like them.
    """
    tested = {print_of(document): document for document in tests}
    for document in documents:
        if (same := tested.get(print_of(document))) is not None:
            raise DataError(
                f"{document.path or document.id}: is test data, too, see {same.path or same.id}. "
                "Take it out of one of them: what a model was trained on says nothing of other texts."
            )
    known = {line for document in tests for line in document.lines}
    long = [
        (document, number)
        for document in documents
        for number, line in enumerate(document.lines)
        if len(line.split()) >= LONG_WORDS
    ]
    shared = [(document, number) for document, number in long if document.lines[number] in known]
    if len(shared) > MOST_SHARED * len(long):
        document, number = shared[0]
        raise DataError(
            f"{document.place(number)}: a line that is in the test data, too, as are {len(shared):,} of the "
            f"{len(long):,} long lines to train on. Test on documents that share less with them."
        )


def without_shared(
    documents: Sequence[LabelledDocument], tests: Sequence[LabelledDocument]
) -> tuple[list[LabelledDocument], int]:
    """Return documents whose long lines that occur in the tests, too, are weak; and how many lines that were."""
    known = {line for document in tests for line in document.lines if len(line.split()) >= LONG_WORDS}
    out, count = [], 0
    for document in documents:
        shared = [line in known for line in document.lines]
        count += sum(shared)
        weak = tuple(a or b for a, b in zip(document.weak, shared, strict=True))
        out.append(replace(document, weak=weak) if any(shared) else document)
    return out, count


def print_of(document: LabelledDocument) -> str:
    """Return what tells the lines of a document from others', whatever their labels."""
    return hashlib.sha256("\n".join(document.lines).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def prints(documents: Iterable[LabelledDocument], base: Mapping[str, Any] | None = None) -> dict[str, list[str]]:
    """Return what a card says of each document that trained a model or its base; nothing if they are too many."""
    found = {*((base or {}).get("document_prints") or []), *map(print_of, documents)}
    return {"document_prints": sorted(found)} if len(found) <= MOST_PRINTS else {}


def trained_on(card: Mapping[str, Any], documents: Sequence[LabelledDocument]) -> tuple[int, int]:
    """Return how many of some documents trained a model or its base, as far as its card tells; and of how many.

    Views and copies of one count once.
    """
    rows = [*(card.get("data") or []), *((card.get("base") or {}).get("data") or [])]
    whole = {row.get("sha256") for row in rows}
    sources = {row["source"] for row in describe(documents) if row["sha256"] in whole}
    known = set(card.get("document_prints") or [])
    numbers = of_one(documents)
    found = {n for n, one in zip(numbers, documents, strict=True) if one.source in sources or print_of(one) in known}
    return len(found), len(set(numbers))
