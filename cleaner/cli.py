"""The command line: `label` and `info` are here, `clean` and `restore` in `cli_clean.py`.

`annotate` and `check-data` are in `cli_data.py`, the verbs of training in `cli_train.py`. Exit codes: 0 fine, 1 some
records failed or something was found, 2 wrong use or no room, 130 and 143 stopped.
"""

import json
import os
from collections.abc import Callable
from typing import Annotated, Any

import typer

from cleaner import cli_clean, cli_data, cli_train
from cleaner.console import Encoding, Inputs, ModelName, app, errors, say
from cleaner.encodings import check
from cleaner.errors import DataError, UsageError

__all__ = ["app", "cli_clean", "cli_data", "cli_train"]


def check_inputs(names: list[str] | None) -> list[str]:
    """Return the inputs, stdin where there are none; refuse what is no file before anything is written."""
    found = names or ["-"]
    for name in found:
        if name != "-" and not os.path.exists(name):
            raise UsageError(f"{name}: no such file. Check the name; - reads from stdin.")
        if name != "-" and os.path.isdir(name):
            raise UsageError(f"{name}: is a folder. Give its files, for example {name.rstrip('/')}/*.txt")
    return found


def each(names: list[str], encoding: str, work: Callable[[str, str], None]) -> None:
    """Do the work for every document; name those that cannot be read, go on, and exit 1 at the end."""
    from cleaner.plain import read_text

    failed = False
    for name in names:
        try:
            text = read_text(name, encoding)
        except DataError as error:
            say(f"cleaner: {error}")
            failed = True
            continue
        work(name, text)
    if failed:
        raise typer.Exit(1)


@app.command()
def label(
    files: Inputs = None,
    model: ModelName = "default",
    encoding: Encoding = "",
    form: Annotated[str, typer.Option("--format", help="table, tsv (as training data), or jsonl.")] = "table",
) -> None:
    """Show what each line is.

    Example: cleaner label article.txt --format tsv > article.tsv
    """
    from cleaner.cleaning import Cleaner
    from cleaner.listing import FORMS

    with errors():
        if form not in FORMS:
            raise UsageError(f"--format {form}: unknown. Use one of {', '.join(FORMS)}.")
        check(encoding)
        names = check_inputs(files)
        if form == "tsv" and len(names) > 1:
            raise UsageError("--format tsv: several texts would be one document of labelled lines. Give one at a time.")
        cleaner = Cleaner.load(model)
        each(names, encoding, lambda name, text: FORMS[form](name, text, cleaner))


@app.command()
def info(
    model: Annotated[str, typer.Argument(help="A model folder, or the name of a shipped model.")] = "default",
    as_json: Annotated[bool, typer.Option("--json", help="Print the card as it is.")] = False,
) -> None:
    """Show a model's card: what it was trained on and how good it is.

    Example: cleaner info default
    """
    from cleaner.listing import print_card
    from cleaner.model import Model

    with errors():
        card: dict[str, Any] = Model.load(model).card
        if as_json:
            print(json.dumps(card, indent=1))
        else:
            print_card(card)


def version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        from importlib.metadata import version as installed

        with errors():
            print(installed("line-cleaner"))
        raise typer.Exit


@app.callback()
def main(
    show_version: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Score each line of scraped article text as body, headline, caption, byline or junk, and keep the body."""
