"""Copies of labelled documents that train beside them: as extractors, text browsers and scrapers would leave them."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from cleaner.corpus import PAGE_VIEWS, LabelledDocument
from cleaner.labels import BODY, CAPTION, JUNK

#: A line of another page with its label and kind; and many, by sort.
Piece = tuple[str, str, str]
Pieces = dict[str, list[Piece]]
#: The views of copies with most junk gone, with pieces of other pages put in, with wrapped lines; none is measured.
#: In the last two lines are not as a page had them, or not where.
COPIES = THINNED, LITTERED, WRAPPED = "thinned", "littered", "wrapped"
ALTERED = LITTERED, WRAPPED
#: The source of documents that were written for training.
INVENTED = "invented"
#: The share of documents that train with their lines wrapped, too, between which columns, the shares of those with
#: blank lines between paragraphs and with indented lines, and by how many spaces.
SHARE, WIDTHS, APART, INDENTED, INDENT = 0.05, (50, 100), 0.7, 0.3, 3
#: The share of real documents that get pieces of other pages, of whole pages and of others; from how many pieces in
#: their language on; the share of captions among the pieces; how many captions are looked at for one; the share of
#: names in it that become names of the document; the shares of copies with a blank line before every line, before none;
#: and the share of the document's own lines that are but context, of those with so many words.
ON_PAGES, ON_OTHERS, ENOUGH, CAPTIONS, LOOKED_AT, RENAMED = 0.2, 1.0, 50, 0.4, 5, 0.6
ALL_BLANK, NO_BLANK, CONTEXT, LONG_LINE = 0.3, 0.2, 0.7, 25
#: The sorts of pieces: labels and kinds of junk.
SORTS = (CAPTION, "byline", "credit", "share", "related", "subscribe", "comment", "legal", "advert", "tags", "other")
#: Marks around words, and those after which a sentence begins.
MARKS, ENDS = "“”\"'’(),;:.!?", ".!?:“”\"'"
LONG = 5  # letters of a word that tells what a text is about


def copies_of(documents: Sequence[LabelledDocument], seed: Sequence[int]) -> Iterator[LabelledDocument]:
    """Return the copies of the documents of one fold that train beside them."""
    rng, other, third = (np.random.default_rng([*seed, number]) for number in range(3))
    pieces = pieces_of(documents)
    for document in documents:
        copy = document
        if document.view in PAGE_VIEWS or document.source == INVENTED:
            copy = thinned(document, rng)
            if copy.lines:
                yield copy
        if copy.lines and other.random() < SHARE:
            indent = INDENT * bool(other.random() < INDENTED)
            copy = wrapped(copy, int(other.integers(*WIDTHS)), bool(other.random() < APART), indent)
            yield replace(copy, view=WRAPPED)
        share = ON_PAGES if document.view in PAGE_VIEWS else ON_OTHERS
        if document.source != INVENTED and document.language in pieces and third.random() < share:
            copy = littered(document, pieces[document.language], third)
            if len(copy.lines) > len(document.lines):
                yield copy


def thinned(document: LabelledDocument, rng: np.random.Generator) -> LabelledDocument:
    """Return a copy with most junk gone, run by run, as extractors leave it."""
    share = rng.uniform(0.5, 1.0)
    keep, drop, previous = [], False, ""
    for label in document.labels:
        if label == JUNK and (previous != JUNK or rng.random() < 0.15):
            drop = bool(rng.random() < share)
        keep.append(label != JUNK or not drop)
        previous = label
    return replace(document.subset(keep), view=THINNED)


def wrapped(document: LabelledDocument, width: int, apart: bool, indent: int = 0) -> LabelledDocument:
    """Return a copy with its lines wrapped at a column, as text browsers and mail leave them.

    ``apart`` puts a blank line before every paragraph, ``indent`` so many spaces before every line. Lines in scripts
    without spaces are not wrapped.
    """
    lines, place, blank = [], [], []
    for number, line in enumerate(document.lines):
        pieces = textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [line]
        lines += [" " * indent + piece for piece in pieces]
        place += [number] * len(pieces)
        blank += [document.blank_before[number] or (apart and len(pieces) > 1)] + [False] * (len(pieces) - 1)
    return replace(
        document,
        lines=tuple(lines),
        labels=tuple(document.labels[number] for number in place),
        kinds=tuple(document.kinds[number] for number in place),
        weak=tuple(document.weak[number] for number in place),
        blank_before=tuple(blank),
        rows=(),
    )


def pieces_of(documents: Sequence[LabelledDocument]) -> dict[str, Pieces]:
    """Return what may be put into the text of others, by language and sort: captions, bylines, kinds of junk."""
    found: dict[str, dict[str, dict[Piece, None]]] = {}
    for document in documents:
        if document.source == INVENTED:
            for piece in zip(document.lines, document.labels, document.kinds, strict=True):
                sort = piece[2].partition("/")[0] if piece[1] == JUNK else piece[1]
                if sort in SORTS:
                    found.setdefault(document.language, {}).setdefault(sort, {})[piece] = None
    return {
        language: {sort: list(pieces) for sort, pieces in sorts.items()}
        for language, sorts in found.items()
        if sum(map(len, sorts.values())) >= ENOUGH
    }


def littered(document: LabelledDocument, pieces: Pieces, rng: np.random.Generator) -> LabelledDocument:
    """Return a copy with up to eight pieces of other pages between its paragraphs, before them or after them.

    Without a paragraph there is no place for any.
    Real text that still has such pieces in it, and labels for them, is rare; and what people want cleaned is full of
    them. Of some captions that are drawn the one with most words of the document is taken, and people and places in it
    are renamed after those of the document. Most of the document's own long lines are but context: what the
    pieces must be told from is short.
    """
    body = [line for line, label in zip(document.lines, document.labels, strict=True) if label == BODY]
    about = {word for line in body for word in line.lower().split() if len(word) >= LONG}
    names = [name for line in body for name in names_of(line)]
    around = ["", *document.labels, BODY]
    places = [number for number in range(len(around) - 1) if around[number + 1] == BODY and around[number] != JUNK]
    easy = (len(line.split()) >= LONG_LINE and rng.random() < CONTEXT for line in document.lines)
    weak = [known or context for known, context in zip(document.weak, easy, strict=True)]
    rows = list(zip(document.lines, document.labels, document.kinds, weak, document.blank_before, strict=True))
    most = min(max(len(places) // 3, 1), 8)
    for number in sorted(rng.permutation(places)[: rng.integers(1, most + 1)].tolist(), reverse=True):
        line, label, kind = drawn(pieces, about, rng)
        line = renamed(line, names, rng) if label == CAPTION else line
        rows.insert(number, (line, label, kind, False, document.blank_before[min(number, len(document.lines) - 1)]))
    draw = rng.random()
    lines, labels, kinds, doubtful, blank = zip(*rows, strict=True)
    return replace(
        document,
        lines=lines,
        labels=labels,
        kinds=kinds,
        weak=doubtful,
        blank_before=tuple(draw < ALL_BLANK or (before and draw < 1 - NO_BLANK) for before in blank),
        view=LITTERED,
        rows=(),
    )


def drawn(pieces: Pieces, about: set[str], rng: np.random.Generator) -> Piece:
    """Return a caption, or a piece of another sort, each sort being as likely as others."""
    others = [sort for sort in pieces if sort != CAPTION]
    caption = CAPTION in pieces and (not others or rng.random() < CAPTIONS)
    sort = CAPTION if caption else others[rng.integers(len(others))]
    some: list[Piece] = [pieces[sort][at] for at in rng.integers(len(pieces[sort]), size=LOOKED_AT if caption else 1)]
    return max(some, key=lambda piece: len(about & set(piece[0].lower().split())))


def names_of(line: str) -> list[str]:
    """Return the runs of capitalised words of a line but those that begin a sentence."""
    found: list[list[str]] = [[]]
    before = "."
    for word in line.split():
        bare = word.strip(MARKS)
        if (
            bare[:1].isupper()
            and bare[1:].islower()
            and bare.isalpha()
            and word[0] == bare[0]
            and before[-1] not in ENDS
        ):
            found[-1].append(bare)
        if word[-1] in MARKS or not found[-1] or found[-1][-1] != bare:
            found.append([])
        before = word
    return [" ".join(words) for words in found if words]


def renamed(caption: str, names: Sequence[str], rng: np.random.Generator) -> str:
    """Return a caption with most of its names replaced by some of these."""
    for name in names_of(caption):
        if names and rng.random() < RENAMED:
            caption = caption.replace(name, names[int(rng.integers(len(names)))], 1)
    return caption
