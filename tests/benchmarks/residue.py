"""Which share of the residue of pages, put between the paragraphs of real text, is removed.

    python tests/benchmarks/residue.py ../shared/corpus/valid

The pieces are those of `residue.tsv`, written for this, none of them a line of the training documents: plain captions,
which name nobody that the text names and have no credit, bylines, image credits, prompts, headlines of other stories,
comments. Each is put into several English texts as extractors left them, alone between two paragraphs. Prints the
shares by sort for each aim and writes `residue.json` beside this file; `--lines` lists the pieces with their shares.
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
    """A line of residue and its sort."""

    sort: str
    line: str


PIECES = [Piece(*row.split("\t")) for row in (FOLDER / "residue.tsv").read_text("utf-8").splitlines()]


def put_in(documents: Sequence[LabelledDocument]) -> list[tuple[LabelledDocument, int]]:
    """Return texts with a piece each, all pieces in turn, :data:`TIMES` times; and on which line it stands."""
    chance = random.Random(1)
    carriers = [
        (one, between)
        for one in documents
        if one.language == "en" and one.view not in PAGE_VIEWS and (between := places(one))
    ]
    chance.shuffle(carriers)
    found = []
    for piece, (one, between) in zip(PIECES * TIMES, islice(cycle(carriers), len(PIECES) * TIMES), strict=True):
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


def removed(cleaner: Cleaner, texts: Sequence[tuple[LabelledDocument, int]], aim: str = "balanced") -> dict[str, float]:
    """Return the share of each piece that is removed."""
    model = cleaner.model
    batch = model.read([one.text().encode("utf-8", "surrogatepass") for one, _ in texts])
    probabilities, kinds = model.probabilities_and_kinds(batch)
    chosen = model.decide(batch, probabilities, aim, kinds)
    begins = np.searchsorted(batch.document, np.arange(len(texts)))
    gone = [model.labels[chosen[begin + at]] != "body" for begin, (_, at) in zip(begins, texts, strict=True)]
    shares = np.reshape(gone, (TIMES, -1)).mean(axis=0)
    return {piece.line: float(share) for piece, share in zip(PIECES, shares, strict=True)}


def by_sort(shares: dict[str, float]) -> dict[str, float]:
    """Return the share removed for each sort."""
    sorts = list(dict.fromkeys(piece.sort for piece in PIECES))
    return {sort: float(np.mean([shares[piece.line] for piece in PIECES if piece.sort == sort])) for sort in sorts}


def main() -> None:
    """Measure and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="default")
    parser.add_argument("--output", type=Path, default=FOLDER / "residue.json")
    parser.add_argument("--lines", action="store_true", help="list the pieces, those that are kept most first")
    chosen = parser.parse_args()
    cleaner, texts = Cleaner.load(chosen.model), put_in(read_labelled([chosen.data]))
    result: dict[str, object] = {"pieces": len(PIECES), "texts": len(texts)}
    for aim in AIMS:
        shares = removed(cleaner, texts, aim)
        result[aim] = by_sort(shares)
        print(f"{aim:10}", "  ".join(f"{sort} {share:.2f}" for sort, share in by_sort(shares).items()), flush=True)
        if chosen.lines and aim == "balanced":
            print(*(f"{share:.2f}  {line}" for line, share in sorted(shares.items(), key=lambda row: row[1])), sep="\n")
    chosen.output.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
