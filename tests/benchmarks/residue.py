"""Which share of the residue of pages, put between the paragraphs of real text, is removed.

    python tests/benchmarks/residue.py ../shared/corpus/valid

The pieces are those of `residue.tsv`, written for this, none of them a line of the training documents: plain captions,
which name nobody that the text names and have no credit, bylines, image credits, prompts, headlines of other stories,
comments. Each is put into several texts of its language as extractors left them, alone between two paragraphs. Prints
the shares by sort for each aim, writes `residue.json` beside this file, where `others` are all languages but English,
and with `--lines` lists the pieces with their shares.
"""

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cleaner.cleaning import Cleaner
from cleaner.corpus import PAGE_VIEWS, LabelledDocument, read_labelled
from cleaner.decision import AIMS

FOLDER = Path(__file__).parent
TIMES = 12  # texts that each piece is put into
PARAGRAPH = 12  # words from which a line is one


class Piece(NamedTuple):
    """A line of residue, its language and its sort."""

    language: str
    sort: str
    line: str


PIECES = [Piece(*row.split("\t")) for row in (FOLDER / "residue.tsv").read_text("utf-8").splitlines()]
LANGUAGES = list(dict.fromkeys(piece.language for piece in PIECES))


def pieces_in(language: str) -> list[Piece]:
    """Return the pieces in a language."""
    return [piece for piece in PIECES if piece.language == language]


def put_in(documents: Sequence[LabelledDocument], language: str) -> list[tuple[LabelledDocument, int]]:
    """Return texts with a piece each, all pieces in turn, :data:`TIMES` times; and on which line it stands."""
    chance, pieces = random.Random(1), pieces_in(language)
    carriers = [
        (one, between)
        for one in documents
        if one.language == language and one.view not in PAGE_VIEWS and (between := places(one))
    ]
    chance.shuffle(carriers)
    found = []
    for piece, (one, between) in zip(pieces * TIMES, islice(cycle(carriers), len(pieces) * TIMES), strict=True):
        at = chance.choice(between)
        lines, blank = list(one.lines), list(one.blank_before)
        lines.insert(at, piece.line)
        blank.insert(at, blank[at])
        found.append((replace(one, lines=tuple(lines), blank_before=tuple(blank)), at))
    return found


def places(document: LabelledDocument) -> list[int]:
    """Return the lines of a document that are paragraphs behind another one."""
    long = [
        label == "body" and len(line.split()) >= PARAGRAPH
        for label, line in zip(document.labels, document.lines, strict=True)
    ]
    return [number for number in range(1, len(long)) if long[number - 1] and long[number]]


def removed(
    cleaner: Cleaner, texts: Sequence[tuple[LabelledDocument, int]], aim: str = "balanced"
) -> dict[Piece, float]:
    """Return the share of each piece that is removed."""
    model = cleaner.model
    batch = model.read([one.text().encode("utf-8", "surrogatepass") for one, _ in texts])
    probabilities, kinds = model.probabilities_and_kinds(batch)
    chosen = model.decide(batch, probabilities, aim, kinds)
    begins = np.searchsorted(batch.document, np.arange(len(texts)))
    gone = [model.labels[chosen[begin + at]] != "body" for begin, (_, at) in zip(begins, texts, strict=True)]
    shares = np.reshape(gone, (TIMES, -1)).mean(axis=0)
    return dict(zip(pieces_in(texts[0][0].language), map(float, shares), strict=True))


def by_sort(shares: dict[Piece, float]) -> dict[str, float]:
    """Return the share removed for each sort."""
    sorts = list(dict.fromkeys(piece.sort for piece in PIECES))
    return {sort: float(np.mean([share for piece, share in shares.items() if piece.sort == sort])) for sort in sorts}


def main() -> None:
    """Measure and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="default")
    parser.add_argument("--output", type=Path, default=FOLDER / "residue.json")
    parser.add_argument("--lines", action="store_true", help="list the pieces, those that are kept most first")
    chosen = parser.parse_args()
    cleaner, documents = Cleaner.load(chosen.model), read_labelled([chosen.data])
    shares: dict[str, dict[Piece, float]] = {aim: {} for aim in AIMS}
    groups = {language: pieces_in(language) for language in LANGUAGES}
    used: dict[str, set[tuple[str, str]]] = {}
    for language in groups:
        texts = put_in(documents, language)
        used[language] = {(one.id, one.view) for one, _ in texts}
        for aim in AIMS:
            shares[aim] |= removed(cleaner, texts, aim)
    groups["others"] = [piece for piece in PIECES if piece.language != "en"]
    used["others"] = set().union(*(used[language] for language in LANGUAGES if language != "en"))
    result: dict[str, dict[str, object]] = {}
    for name, pieces in groups.items():
        pages = {page for page, _ in used[name]}
        result[name] = {"pieces": len(pieces), "times": TIMES, "texts": len(used[name]), "pages": len(pages)}
        for aim in AIMS:
            found = by_sort({piece: shares[aim][piece] for piece in pieces})
            result[name][aim] = found
            print(f"{name:6} {aim:10}", "  ".join(f"{sort} {share:.2f}" for sort, share in found.items()), flush=True)
    if chosen.lines:
        rows = sorted(shares["balanced"].items(), key=lambda row: row[1])
        print(*(f"{share:.2f}  {piece.language} {piece.line}" for piece, share in rows), sep="\n")
    chosen.output.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
