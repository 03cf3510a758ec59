"""What is wrong between labelled documents: contradictions, duplicates, splits, too little of something."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from cleaner.alike import copies, plain, same_body
from cleaner.checking import Located, Problem
from cleaner.corpus import ALL_WEAK, LONG_WORDS
from cleaner.data_files import is_tsv
from cleaner.labels import BODY
from cleaner.wording import amount

#: Shorter lines say little: a name may be a byline here and a credit there.
TELLING_WORDS = 4
FEW_LINES = 10


def between(found: Sequence[Located], known: Collection[Problem] = ()) -> list[Problem]:
    """Return all that is wrong between documents, and with documents as wholes.

    ``known`` is what is wrong with lines and files already: there are more than those of the documents.
    """
    some = [*shortages(found, known), *duplicates(found), *one_id(found)]
    return [*some, *repeats(found), *contradictions(found)]


def shortages(found: Sequence[Located], known: Collection[Problem] = ()) -> Iterator[Problem]:
    """Return documents without lines or body, and what training needs more of; none that lines left out may fill."""
    wrong = {(one.file, line) for one in known for line in (0, one.line)}
    short = {one.document.site for one in found if (str(one.path), record_number(one)) in wrong}
    for one in found:
        labels, file, number = one.document.labels, str(one.path), record_number(one)
        if (file, number) in wrong:
            continue
        if not labels:
            yield Problem(file, number, f"{one.document.id}: no labelled lines. Label some, or take it out.")
        elif BODY not in labels:
            yield Problem(file, number, f"{one.document.id}: no line is {BODY}. Label its text, or take it out.")
    full = [one for one in found if one.document.labels]
    if not full:
        return
    file = str(full[0].path)
    if not known:
        classes = sorted({label for one in full for label in one.document.labels})
        if len(classes) == 1:
            yield Problem(file, 0, f"the only label in all of the data is {classes[0]!r}. Label other lines, too.")
        if len({one.document.id for one in full}) == 1:
            alone = "the only document (a TSV file is one). Label more: what one says of others is chance."
            yield Problem(file, 0, alone)
        if all(all(one.document.weak) for one in full):
            yield Problem(file, 0, ALL_WEAK)
    yield from small_sites(full, short)


def record_number(one: Located) -> int:
    """Return the number of a document's record in a file of JSON Lines, 0 of a TSV file."""
    return one.numbers[0] if not is_tsv(one.path) and one.numbers else 0


def small_sites(full: Sequence[Located], short: Collection[str]) -> Iterator[Problem]:
    """Return sites of few lines where there are others; not those that are ``short`` of lines that were left out."""
    sites = Counter[str]()
    for one in full:
        sites[one.document.site] += len(one.document.labels)
    for one in {one.document.site: one for one in reversed(full)}.values():
        lines = sites[one.document.site]
        if lines < FEW_LINES and len(sites) > 1 and one.document.site not in short:
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


def first_copies(found: Sequence[Located]) -> Iterator[tuple[Located, Located]]:
    """Return each document that is a copy of others, as training sees it, with the first of them."""
    firsts: dict[int, int] = {}
    for number, other in copies([one.document for one in found]):
        if number not in firsts and same_body(found[number].document, found[other].document):
            firsts[number] = other
    for number, other in firsts.items():
        yield found[number], found[other]


def duplicates(found: Sequence[Located]) -> Iterator[Problem]:
    """Return documents that are copies of others before them."""
    for one, other in first_copies(found):
        where = f"{other.path}:{other.numbers[0]}"
        yield one.problem(0, f"{one.document.id}: the same document as {where}. Keep one of them.")


def one_id(found: Sequence[Located]) -> Iterator[Problem]:
    """Return files of records that all have one id and no long line of body in common: they are no views."""
    files: defaultdict[Path, list[Located]] = defaultdict(list)
    for one in found:
        if not is_tsv(one.path) and one.document.lines:
            files[one.path].append(one)
    for path, some in files.items():
        bodies = [body_lines(one) for one in some]
        apart = all(bodies) and sum(map(len, bodies)) == len(set[str]().union(*bodies))
        if len(some) > 1 and len({one.document.id for one in some}) == 1 and apart:
            same = f"all {len(some)} records have the id {some[0].document.id!r}, as views of one document have"
            yield Problem(str(path), 0, f"{same}, but no line in common. Give each document an id of its own.")


def body_lines(one: Located) -> set[str]:
    """Return the long lines of body of a document."""
    rows = zip(one.document.lines, one.document.labels, strict=True)
    return {text for text, label in rows if label == BODY and len(text.split()) >= LONG_WORDS}


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
    for one, other in first_copies([*train, *test]):
        if id(one) in tested and id(other) not in tested and one.document.site not in sites:
            yield one.problem(0, f"{one.document.id}: also in the training data, {other.path}. Keep one of them.")
