"""What the command line prints besides measurements (`reports.py`): labelled lines, cards, progress."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from cleaner import lines
from cleaner.cleaning import Cleaner, LabelledLine
from cleaner.errors import ModelError
from cleaner.reports import GENERAL, HELD_OUT, grid, held_out, print_before_after, print_scores
from cleaner.wording import printable

COLOURS = ["green", "bold cyan", "yellow", "magenta", "red", "blue"]


def as_table(name: str, text: str, cleaner: Cleaner) -> None:
    """Print the labelled lines of a document as a table, coloured on a terminal."""
    table = grid("line", "label", "kind", "p", "text", title=printable(name))
    order = cleaner.model.labels
    for line in cleaner.label(text):
        colour = COLOURS[order.index(line.label) % len(COLOURS)]
        share = f"{line.probabilities[line.label]:.2f}"
        table.add_row(str(line.number), Text(printable(line.label), colour), line.kind, share, printable(line.text))
    Console(markup=False, emoji=False).print(table)


def as_tsv(name: str, text: str, cleaner: Cleaner) -> None:
    """Print the labelled lines as training data; a tab inside a line becomes a space."""
    found = {line.number: line for line in cleaner.label(text)}
    rows = lines.split(text)
    for number in range(1, len(rows) + 1):
        line = found.get(number)
        sys.stdout.buffer.write((tsv_row(line) if line else "\n").encode("utf-8", "surrogatepass"))


def tsv_row(line: LabelledLine) -> str:
    """Return a line of training data: label, text, and the kind of junk where it is known."""
    kind = f"\t{line.kind}" if line.kind else ""
    return f"{line.label}\t{line.text.replace(chr(9), ' ')}{kind}\n"


def as_jsonl(name: str, text: str, cleaner: Cleaner) -> None:
    """Print a JSON object for each line."""
    for line in cleaner.label(text):
        shares = {label: round(share, 4) for label, share in line.probabilities.items()}
        row = {"file": name, "line": line.number, "label": line.label, "kind": line.kind}
        row |= {"probabilities": shares, "text": line.text}
        sys.stdout.buffer.write((json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass"))


FORMS: dict[str, Callable[[str, str, Cleaner], None]] = {"table": as_table, "tsv": as_tsv, "jsonl": as_jsonl}


@contextmanager
def progress() -> Iterator[Callable[[str, float], None]]:
    """Show steps on stderr: a bar on a terminal, else plain lines."""
    console = Console(stderr=True)
    begin = time.monotonic()
    if not console.is_terminal:
        yield lambda step, share: console.print(f"{time.monotonic() - begin:6.0f} s {share:4.0%} {step}")
        return
    with Progress(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda step, share: bar.update(task, description=step, completed=share)


def print_card(card: dict[str, Any]) -> None:
    """Print what a model is and how good it is.

    Raises:
        ModelError: what the card says of data and figures is not of the form that training writes.
    """
    try:
        print_parts(card, Console(markup=False, emoji=False))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        what = printable(f"{type(error).__name__}: {error}")
        raise ModelError(f"the card's data or figures are not as training writes them ({what}). Use --json.") from None


def print_parts(card: dict[str, Any], console: Console) -> None:
    """Print the parts of a card one after another."""

    def say(text: str) -> None:
        console.print(printable(text), highlight=False, soft_wrap=True)

    if isinstance(base := card.get("base"), dict):
        say(f"adapted from: {base.get('name', '?')} of {base.get('date', '?')}, sha256 {base.get('sha256', '?')}")
    for key in ("date", "labels", "weights", "features", "sha256", "libraries", "options"):
        if key in card:
            say(f"{key}: {json.dumps(card[key], ensure_ascii=False)}")
    columns = ("source", "documents", "sites", "lines", "licence")
    table = grid(*columns, title="trained on")
    for row in card.get("data") or []:
        table.add_row(*(printable(str(row.get(name, "?"))) for name in columns))
    console.print(table)
    tried = card.get("adaptation") or {}
    for name, title in (("held_out", HELD_OUT), ("general", GENERAL)):
        if tried.get(name):
            print_before_after(tried[name]["before"], tried[name]["after"], title)
    if card.get("scores"):
        print_scores(card["scores"], "scores on test data")
    elif card.get("held_out"):
        print_scores(card["held_out"]["all"], f"scores on {held_out(card)}")
    for warning in card.get("warnings") or []:
        say(f"warning: {warning}")
