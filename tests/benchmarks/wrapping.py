"""What is kept of text whose lines were wrapped at a column, as text browsers and mail leave them, or joined.

    python tests/benchmarks/wrapping.py ../shared/corpus/valid

Each document is measured as it is, wrapped, and with all lines of the body that follow each other in one line; body and
the rest are counted in words. Prints a table and writes `wrapping.json` beside this file.
"""

import argparse
import json
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from cleaner.cleaning import Cleaner
from cleaner.copies import wrapped
from cleaner.corpus import LabelledDocument, read_labelled
from cleaner.evaluation import figures, measure
from cleaner.labels import BODY

OUTPUT = Path(__file__).with_name("wrapping.json")
WIDTHS = (50, 72, 100)
#: Blank lines between all paragraphs or not, and by how many spaces lines are indented.
WAYS = {"nothing else": (False, 0), "blank lines": (True, 0), "blank lines, indented": (True, 3)}
SHOWN = ("body_f1", "body_recall", "removal_recall")


def main() -> None:
    """Measure and write the figures."""
    chosen = arguments(__doc__, OUTPUT)
    documents = read_labelled([chosen.data])
    texts = {"as it is": documents}
    for width in WIDTHS:
        for name, (apart, indent) in WAYS.items():
            texts[f"{width} columns, {name}"] = [wrapped(one, width, apart, indent) for one in documents]
    texts["joined"] = [in_one_line(one) for one in documents]
    write_figures(texts, Cleaner.load(chosen.model), chosen.output)


def in_one_line(document: LabelledDocument) -> LabelledDocument:
    """Return a document with all lines of the body that follow each other in one."""
    rows = zip(document.lines, document.labels, document.kinds, document.weak, document.blank_before, strict=True)
    stretches: list[list[tuple[str, str, str, bool, bool]]] = []
    for (label, _), some in groupby(rows, key=lambda row: (row[1], row[3])):
        group = list(some)
        stretches += [group] if label == BODY else [[row] for row in group]
    lines, labels, kinds, weak, blank = zip(
        *((" ".join(row[0] for row in group), *group[0][1:]) for group in stretches), strict=True
    )
    return replace(document, lines=lines, labels=labels, kinds=kinds, weak=weak, blank_before=blank, rows=())


def arguments(about: str | None, output: Path) -> argparse.Namespace:
    """Return the data, the model and where the figures go, from the command line."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="default")
    parser.add_argument("--output", type=Path, default=output)
    return parser.parse_args()


def write_figures(texts: dict[str, list[LabelledDocument]], cleaner: Cleaner, output: Path) -> None:
    """Measure documents in several forms, by name; print a row for each and write all."""
    found = {}
    for name, some in texts.items():
        scores = figures(measure(some, cleaner))
        found[name] = {group: {key: scores[group][key] for key in SHOWN} for group in ("pages", "extracts")}
        shown = (f"{group} " + " ".join(f"{scores[group][key]:.3f}" for key in SHOWN) for group in found[name])
        print(f"{name:36}", "   ".join(shown), flush=True)
    output.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
