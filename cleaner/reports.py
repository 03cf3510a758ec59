"""What the command line prints of measurements: scores, two models side by side, errors in words, learning curves."""

import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from cleaner.wording import amount, printable, short

#: What an adapted model was tried on.
HELD_OUT, GENERAL = "held-out documents of your data", "in general (invented sites)"
#: Characters of a line that a list of errors shows.
SHOWN = 80


def console() -> Console:
    """Return where tables go: as wide as the terminal, in a file 120 columns; no name of a file is markup."""
    return Console(width=None if sys.stdout.isatty() else 120, markup=False, emoji=False)


def grid(*columns: str, title: str | None = None) -> Table:
    """Return a table without lines."""
    return Table(*columns, title=title, title_justify="left", box=None)


def shown(*cells: object) -> list[str]:
    """Return what stands in a row, with nothing in it that a terminal obeys."""
    return [printable(str(one)) for one in cells]


def held_out(card: dict[str, Any]) -> str:
    """Return what the held-out figures of a model are of: where all data are of one site, of its documents."""
    sites = sum(row["sites"] for row in card.get("data") or [{"sites": 2}])
    return "held-out sites" if sites > 1 else "held-out documents of the one site"


def print_scores(found: dict[str, Any], title: str) -> None:
    """Print the main figures of an evaluation."""
    out = console()
    table = grid("label", "precision", "recall", "F1", "± ", "lines", title=title)
    for label, row in found["labels"].items():
        shares = [f"{row[name]:.3f}" for name in ("precision", "recall", "f1", "f1_error")]
        table.add_row(*shown(label, *shares, row["lines"]))
    out.print(table)
    columns = ("body F1", "(uncleaned)", "recall", "removed", "rightly", "shingles", "calibration")
    for key in ("by_view", "by_source", "by_language"):
        groups = {"all": found, **found[key]} if key == "by_view" else found[key]
        table = grid(key.removeprefix("by_"), *columns)
        for name, group in groups.items():
            table.add_row(
                printable(name),
                f"{group['body_f1']:.3f}",
                f"{group['body_f1_uncleaned']:.3f}",
                f"{group['body_recall']:.3f}",
                f"{group['removal_recall']:.3f}",
                f"{group['removal_precision']:.3f}",
                "{before:.3f} > {after:.3f}".format(**group["shingles"]) if group["shingles"] else "",
                f"{group['calibration_error']:.3f}",
            )
        out.print(table)
    out.print("Body F1, recall and removals in words; shingles: mean 4-gram F1 of documents, before > after.")


def print_evaluation(found: dict[str, Any], title: str) -> None:
    """Print the figures of an evaluation, what its errors cost, and the costliest errors if there are any."""
    print_scores(found, title)
    out, errors = console(), found["errors"]
    labels = list(found["labels"])
    table = grid("words", *(f"as {label}" for label in labels), title="confusion in words (rows: the truth)")
    for label, row in zip(labels, errors["confusion"], strict=True):
        table.add_row(label, *(f"{number:,}" for number in row))
    out.print(table)
    out.print(
        f"{amount(errors['lost'], 'word')} of body lost and {amount(errors['left'], 'word')} of the rest left, "
        f"of {errors['words']:,}; {errors['label']:,} with a wrong label.",
        highlight=False,
    )
    if found.get("costliest"):
        table = grid("document", "line", "truth", "predicted", "words", "text", title="costliest errors")
        for row in found["costliest"]:
            cells = [row[key] for key in ("document", "line", "truth", "predicted", "words")]
            table.add_row(*shown(*cells, short(row["text"], SHOWN)))
        out.print(table)


def print_before_after(before: dict[str, Any], after: dict[str, Any], title: str) -> None:
    """Print the figures of a model before and after it was adapted."""
    heading = f"{title}: {amount(after['documents'], 'document')}, {amount(after['lines'], 'line')}"
    table = grid("", "before", "after", title=heading)
    errors = (before["errors"], after["errors"])
    for key, name in (("keep_or_drop", "words wrongly kept or dropped"), ("label", "words with a wrong label")):
        table.add_row(name, *(f"{row[key]:,}" for row in errors))
    for key, name in (
        ("body_f1", "body F1, in words"),
        ("body_recall", "body kept"),
        ("removal_recall", "rest removed"),
    ):
        table.add_row(name, *(f"{row[key]:.4f}" for row in (before, after)))
    for label in before["f1"]:
        table.add_row(printable(f"F1 {label}"), *(f"{row['f1'][label]:.4f}" for row in (before, after)))
    console().print(table)


def print_comparison(found: dict[str, Any], names: Sequence[str], number: int) -> None:
    """Print two models side by side, and so many of the lines that they label differently."""
    out = console()
    heading = f"{', '.join(amount(found[f'{one}s'], one) for one in ('document', 'line', 'word'))}"
    table = grid("", *names, "difference", "95 % interval", title=heading)
    for row in found["figures"]:
        form = ",.0f" if row["figure"].endswith("words") else ".4f"
        values = [f"{row[key]:{form}}" for key in ("first", "second")]
        signed = [f"{row[key]:+{form}}" for key in ("difference", "low", "high")]
        table.add_row(row["figure"], *values, signed[0], f"{signed[1]} to {signed[2]}")
    out.print(table)
    lines = found["differing"]
    counts = {change: sum(row["change"] == change for row in lines) for change in ("worse", "better", "neither")}
    out.print(
        f"{amount(counts['worse'], 'line')} worse, {counts['better']:,} better, {counts['neither']:,} neither.",
        highlight=False,
    )
    table = grid("", "document", "line", "words", "truth", *names, "text")
    for row in lines[:number]:
        cells = [row[key] for key in ("change", "document", "line", "words", "truth", "first", "second")]
        table.add_row(*shown(*cells, short(row["text"], SHOWN)))
    if lines[:number]:
        out.print(table)


def print_curve(rows: Sequence[dict[str, Any]], title: str) -> None:
    """Print how errors fall with the number of documents that a model is adapted to."""
    labels = list(rows[0]["f1"])
    heading = f"{title}: {amount(rows[0]['documents'], 'document')}, each left out when it is measured"
    names = ("wrongly kept or dropped", "wrong labels", "body F1", *(f"F1 {label}" for label in labels))
    table = grid("adapted to", *names, title=heading)
    for row in rows:
        words = [f"{row['errors'][key]:,}" for key in ("keep_or_drop", "label")]
        table.add_row(str(row["adapted_to"]), *words, f"{row['body_f1']:.4f}", *(f"{row['f1'][k]:.3f}" for k in labels))
    console().print(table)
    console().print("Errors in words.", highlight=False)
