"""How many keys it takes to label a document: python tests/benchmarks/annotating.py [--out-of-fold] [--save] [DATA...]

A simulated annotator who knows the truth presses the keys of the real session: at each step the cheapest keys
to the nearest wrong line, its label (a range, or a run, where that takes fewer keys), in the end space. The
documents are those of about 60 lines; the model must not have seen them. With ``--out-of-fold`` the proposals
come from models trained on the data's other sites alone, which know less than the shipped one. Exit code 1 if
the median is above 10. ``--save`` keeps the figures for the README.
"""

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from labelling import save

from cleaner.annotate_files import proposals
from cleaner.annotate_page import Page, Sheet
from cleaner.annotate_session import Entry, Session
from cleaner.cleaning import Cleaner
from cleaner.corpus import LabelledDocument, read_labelled
from cleaner.sampling import label_order
from cleaner.suspects import out_of_fold

ROOT = Path(__file__).parents[2]
SIZES = range(50, 71)
WANTED = 10
Keys = list[str]


class Nowhere:
    """A store that keeps nothing."""

    def record(self, entry: Entry) -> None:
        """Keep nothing."""

    def finished(self, page: Page) -> None:
        """Write nothing."""

    def reopened(self, page: Page) -> None:
        """Take nothing back."""

    def objection(self, page: Page) -> str:
        """Find nothing wrong."""
        return ""


def to(page: Page, line: int) -> Keys:
    """Return the fewest keys that move the cursor to a line."""
    steps = line - page.cursor
    ways = [["down" if steps > 0 else "up"] * abs(steps), list(str(line + 1))]
    place = page.cursor
    for tabs in range(1, 4):
        place = page.next_unsure(place)
        if abs(line - place) <= 1:
            ways.append(["tab"] * tabs + ["down"] * (line - place) + ["up"] * (place - line))
    return min(ways, key=len)


def wrong_lines(page: Page, truth: Sequence[str]) -> set[int]:
    """Return the lines that show another label than the true one."""
    return {line for line in range(len(page)) if page.label(line) != truth[line]}


def corrections(
    page: Page, truth: Sequence[str], wrong: set[int], letter: dict[str, str]
) -> Iterator[tuple[float, Keys]]:
    """Return ways to put lines right: keys for each line put right, and the keys."""
    for line in sorted(wrong):
        key = letter[truth[line]]
        yield len(to(page, line)) + 1, [*to(page, line), key]
        run = range(line, line + 1)
        while run.stop < len(page) and run.stop not in page.given and page.label(run.stop) == page.label(line):
            run = range(line, run.stop + 1)
        if all(truth[other] == truth[line] for other in run):
            yield (len(to(page, line)) + 1) / len(run), [*to(page, line), key.upper()]
        end, right = line, 1
        while end + 1 < len(page) and truth[end + 1] == truth[line]:
            end += 1
            right += end in wrong
            far = min(["down"] * (end - line), list(str(end + 1)), key=len)
            keys = [*to(page, line), ".", *far, key]
            yield len(keys) / right, keys


def annotate(sheet: Sheet, truth: Sequence[str], labels: Sequence[str]) -> Keys:
    """Label a document as it should be; return the keys."""
    session = Session([sheet], labels, Nowhere())
    letter = {label: key for key, label in session.labels.items()}
    page, pressed = session.pages[sheet.name], Keys()
    while wrong := wrong_lines(page, truth):
        _, keys = min(corrections(page, truth, wrong, letter), key=lambda way: (way[0], len(way[1])))
        for key in keys:
            session.press(key)
        pressed += keys
    session.press("space")
    assert page.done
    assert page.labels() == list(truth)
    return [*pressed, "space"]


def sheet_by(cleaner: Cleaner, document: LabelledDocument, folder: Path) -> Sheet:
    """Return what the program would propose for a document's text."""
    path = folder / "document.txt"
    path.write_text(document.text(), "utf-8")
    sheet = proposals(path, Path(f"{document.id}.tsv"), cleaner)
    assert sheet is not None
    assert len(sheet.lines) == len(document.lines)
    return sheet


def sheets(documents: Sequence[LabelledDocument], held_out: bool) -> Iterator[tuple[Sheet, LabelledDocument]]:
    """Return the documents of the sizes in question with their proposals."""
    cleaner = Cleaner.load()
    labels = label_order(documents)
    found = out_of_fold(documents) if held_out else [None] * len(documents)
    with tempfile.TemporaryDirectory() as folder:
        for document, shares in zip(documents, found, strict=True):
            if len(document.lines) not in SIZES:
                continue
            sheet = sheet_by(cleaner, document, Path(folder))
            if shares is not None:
                proposed = tuple(labels[code] for code in shares.argmax(axis=1))
                doubt = tuple(float(value) for value in 1 - shares.max(axis=1))
                sheet = replace(sheet, proposed=proposed, doubt=doubt)
            yield sheet, document


def measure(documents: Sequence[LabelledDocument], held_out: bool) -> dict[str, Any]:
    """Return the figures."""
    labels = label_order(documents)
    rows = []
    for sheet, document in sheets(documents, held_out):
        wrong = sum(a != b for a, b in zip(sheet.proposed, document.labels, strict=True))
        keys = annotate(sheet, document.labels, list(dict.fromkeys([*labels, *sheet.proposed])))
        rows.append((len(keys), wrong, len(document.lines)))
    keys, wrong, lines = np.array(rows).T
    sites = len({document.site for document in documents if len(document.lines) in SIZES})
    figures = {"keys_median": np.median(keys), "keys_mean": keys.mean(), "keys_90_percent": np.quantile(keys, 0.9)}
    figures |= {"wrong_proposals_median": np.median(wrong), "lines_median": np.median(lines)}
    return {"documents": len(rows), "sites": sites, **{name: round(float(one), 2) for name, one in figures.items()}}


def main() -> None:
    """Print the figures."""
    names = [name for name in sys.argv[1:] if not name.startswith("--")]
    held_out = "--out-of-fold" in sys.argv
    default = ROOT / "training_data" if held_out else Path(__file__).with_name("pages")
    found = measure(read_labelled([Path(name) for name in names] or [default]), held_out)
    print(json.dumps(found))
    if "--save" in sys.argv:
        save("annotating_out_of_fold" if held_out else "annotating", found)
    sys.exit(found["keys_median"] > WANTED)


if __name__ == "__main__":
    main()
