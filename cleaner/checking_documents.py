"""What is wrong between labelled documents: contradictions, duplicates, splits, too little of something."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from cleaner.checking import Located, Problem
from cleaner.data_files import is_tsv
from cleaner.labels import BODY
from cleaner.wording import amount

__all__ = ["between", "contradictions", "duplicates", "leaks", "only_site", "shortages"]

#: Shorter lines say little: a name may be a byline here and a credit there.
TELLING_WORDS = 4
#: Lines of so many words are not found in two articles by chance.
LONG_WORDS = 8
#: Share of a document's long lines that makes it a copy of another.
COPY_SHARE = 0.8
#: What stands in so many documents is boilerplate, no sign of a copy.
MOST_HOLDERS = 20
FEW_LINES = 10


def plain(text: str) -> str:
    """Return a text with digits as 0, in one case, with single spaces."""
    return re.sub(r"\d", "0", " ".join(text.casefold().split()))


def between(found: Sequence[Located]) -> list[Problem]:
    """Return all that is wrong between documents, and with documents as wholes."""
    return [*shortages(found), *duplicates(found), *repeats(found), *contradictions(found)]


def shortages(found: Sequence[Located]) -> Iterator[Problem]:
    """Return documents without lines or body, and what training needs more of."""
    for one in found:
        labels, file = one.document.labels, str(one.path)
        number = one.numbers[0] if not is_tsv(one.path) and one.numbers else 0
        if not labels:
            yield Problem(file, number, f"{one.document.id}: no labelled lines. Label some, or take it out.")
        elif BODY not in labels:
            yield Problem(file, number, f"{one.document.id}: no line is {BODY}. Label its text, or take it out.")
    full = [one for one in found if one.document.labels]
    if not full:
        return
    file = str(full[0].path)
    classes = sorted({label for one in full for label in one.document.labels})
    sites = Counter[str]()
    for one in full:
        sites[one.document.site] += len(one.document.labels)
    if len(classes) == 1:
        yield Problem(file, 0, f"the only label in all of the data is {classes[0]!r}. Label other lines, too.")
    if len({one.document.id for one in full}) == 1:
        yield Problem(file, 0, "the only document. Label more: what one document says of others is chance.")
    for one in {one.document.site: one for one in reversed(full)}.values():
        lines = sites[one.document.site]
        if lines < FEW_LINES and len(sites) > 1:
            yield Problem(
                str(one.path), 0, f"site {one.document.site!r} has {amount(lines, 'line')}. Label more of it."
            )


def only_site(found: Sequence[Located]) -> str:
    """Return the site of all labelled documents, if they are several; empty where there are more sites.

    Nothing is wrong with that: it is what a model is adapted to.
    """
    full = [one.document for one in found if one.document.labels]
    return full[0].site if len({one.site for one in full}) == 1 and len({one.id for one in full}) > 1 else ""


def contradictions(found: Sequence[Located]) -> Iterator[Problem]:
    """Return lines that are labelled otherwise than most lines of the same text in like surroundings.

    Surroundings are alike if the lines before and after have the same labels; a text of few words
    counts inside its site alone. Inside one document nothing is said: a heading may be in a menu, too.
    """
    groups: defaultdict[tuple[str, ...], list[tuple[Located, int]]] = defaultdict(list)
    for one in found:
        document = one.document
        labels = ["", *document.labels, ""]
        for line, text in enumerate(document.lines):
            if not document.weak[line]:
                site = document.site if len(text.split()) < TELLING_WORDS else ""
                groups[plain(text), site, labels[line], labels[line + 2]].append((one, line))
    for places in groups.values():
        yield from contradicting(places)


def contradicting(places: Sequence[tuple[Located, int]]) -> Iterator[Problem]:
    """Return those of some like lines that most of the others, in other documents, contradict."""
    counts = Counter(one.document.labels[line] for one, line in places)
    most = counts.most_common(1)[0][0]
    for one, line in places if len(counts) > 1 else ():
        label = one.document.labels[line]
        others = (
            f"{other.path}:{other.numbers[at]}"
            for other, at in places
            if other.document.labels[at] == most and other.document.id != one.document.id
        )
        where = next(others, "")
        if label != most and where:
            yield one.problem(line, f"labelled {label!r}; the same text is {most!r} at {where}. Decide for one.")


def long_lines(one: Located) -> set[str]:
    """Return the long lines of a document, without their digits."""
    return {plain(text) for text in one.document.lines if len(text.split()) >= LONG_WORDS}


def copies(found: Sequence[Located]) -> Iterator[tuple[Located, Located]]:
    """Return pairs of documents that share most of their long lines; views of one document are none."""
    holders: defaultdict[str, list[int]] = defaultdict(list)
    texts_of = [long_lines(one) for one in found]
    for number, (one, texts) in enumerate(zip(found, texts_of, strict=True)):
        shared = Counter(other for text in texts for other in holders[text])
        for other, count in sorted(shared.items()):
            size = min(len(texts), len(texts_of[other]))
            if one.document.id != found[other].document.id and count >= COPY_SHARE * size:
                yield one, found[other]
                break
        for text in texts:
            if len(holders[text]) < MOST_HOLDERS:
                holders[text].append(number)


def duplicates(found: Sequence[Located]) -> Iterator[Problem]:
    """Return documents that are copies of others before them."""
    for one, other in copies(found):
        where = f"{other.path}:{other.numbers[0]}"
        yield one.problem(0, f"{one.document.id}: the same document as {where}. Keep one of them.")


def repeats(found: Sequence[Located]) -> Iterator[Problem]:
    """Return long lines that are body twice in one document."""
    for one in found:
        seen: dict[str, int] = {}
        for line, (text, label) in enumerate(zip(one.document.lines, one.document.labels, strict=True)):
            if label == BODY and len(text.split()) >= LONG_WORDS:
                first = seen.setdefault(text, line)
                if first != line:
                    place = one.numbers[first] if is_tsv(one.path) else first + 1
                    yield one.problem(line, f"the same line as line {place}, both {BODY}. One of them is a leftover.")


def leaks(train: Sequence[Located], test: Sequence[Located]) -> Iterator[Problem]:
    """Return sites and documents that are on both sides of a split."""
    sites = {one.document.site: one for one in reversed(train)}
    for one in {one.document.site: one for one in reversed(test)}.values():
        if one.document.site in sites:
            where = sites[one.document.site].path
            message = f"site {one.document.site!r} is on both sides, see {where}. Keep a site on one side."
            yield Problem(str(one.path), 0, message)
    tested = {id(one) for one in test}
    for one, other in copies([*train, *test]):
        if id(one) in tested and id(other) not in tested and one.document.site not in sites:
            yield one.problem(0, f"{one.document.id}: also in the training data, {other.path}. Keep one of them.")
