"""The verbs that make and check labelled data: annotate and check-data."""

import json
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cleaner.console import Encoding, ModelName, app, errors, path_of, say, say_left_out
from cleaner.encodings import check
from cleaner.errors import DataError, UsageError
from cleaner.labels import LABELS
from cleaner.wording import amount, printable, short, tame

if TYPE_CHECKING:
    from cleaner.annotate_page import Sheet
    from cleaner.checking import Located
    from cleaner.cleaning import Cleaner
    from cleaner.suspects import Suspects

SHOWN = 70  # characters of a suspect's text
REMEDY = "Correct them, or name all labels with --labels."

OPENED = "Inputs are labelled: open the lines whose label is likely wrong."
CORRECTED = "With --suspects and one folder: correct its files themselves."

Others = Annotated[
    list[Path] | None,
    typer.Option("--test", help="The other side of a split: no site may be on both.", parser=path_of),
]
Labels = Annotated[str, typer.Option("--labels", help="The allowed labels, separated by commas; else the model's.")]


@app.command()
def annotate(
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="INPUT...", help="Text files, or folders of .txt files.", parser=path_of),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The folder for labelled files; needed unless --in-place.", parser=path_of),
    ] = None,
    model: ModelName = "default",
    labels: Labels = "",
    site: Annotated[str, typer.Option(help="The site of all documents; else each file's folder.")] = "",
    encoding: Encoding = "",
    suspects: Annotated[bool, typer.Option("--suspects", help=OPENED)] = False,
    in_place: Annotated[bool, typer.Option("--in-place", help=CORRECTED)] = False,
) -> None:
    """Label documents in the terminal, starting from what the model proposes; the same command goes on.

    Example: cleaner annotate scraped/ -o my_pages
    """
    with errors():
        folder = output_folder(inputs, output, suspects, in_place)
        from cleaner.annotate_files import Folder, own_labels, places, text_files
        from cleaner.cleaning import Cleaner

        check(encoding)
        names = own_labels(labels) if labels else []
        run = screen()
        cleaner = Cleaner.load(model)
        store = Folder.reopen(folder, in_place) if suspects else None
        if suspects:
            begun = store.begun() if store else ()
            sheets, failed = opened_suspects(inputs, cleaner, None if in_place else folder, names, begun), False
        else:
            sheets, failed = opened(places(text_files(inputs, say), folder, site), encoding, cleaner, names)
        store = store or Folder.open(folder, in_place)
        names = names or [*cleaner.model.labels, *sorted({label for sheet in sheets for label in sheet.proposed})]
        run(without_those_left_out(sheets, store), list(dict.fromkeys(names)), store)
        if failed:
            raise typer.Exit(1)


def output_folder(inputs: Sequence[Path], output: Path | None, suspects: bool, in_place: bool) -> Path:
    """Return the folder that is written to."""
    if in_place and (not suspects or len(inputs) != 1 or output is not None or not inputs[0].is_dir()):
        raise UsageError("--in-place: goes with --suspects, one folder and no -o. Leave it out, or the others.")
    if in_place:
        return inputs[0]
    if output is None:
        raise UsageError("no output. Name a folder for the labelled files with -o.")
    if suspects and any(path.resolve() == output.resolve() for path in inputs):
        raise UsageError(f"{output}: is the input itself. Choose another folder, or say --in-place.")
    return output


def screen() -> Any:
    """Return what shows sheets in this terminal until the user quits.

    Raises:
        UsageError: this is no terminal, or Textual is not installed.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("annotate needs a terminal. Run it in one; elsewhere: cleaner label --format tsv")
    try:
        from cleaner.annotate_app import AnnotateApp
    except ImportError:
        raise UsageError("annotate needs Textual. Install it: pip install 'line-cleaner[annotate]'") from None
    from cleaner.annotate_session import Session

    def run(sheets: list["Sheet"], labels: list[str], store: Any) -> None:
        session = Session(sheets, labels, store, store.past(sheets))
        if session.page is not None:
            shown = AnnotateApp(session)
            shown.run()
            if shown.failure:
                raise shown.failure
        done = len(session.pages) - session.left()
        say(f"{done} of {amount(len(session.pages), 'document')} labelled in {store.journal.path.parent}")
        if session.left():
            say("the same command goes on where you stopped")

    return run


def opened(
    places: Mapping[Path, Path], encoding: str, cleaner: "Cleaner", labels: Sequence[str]
) -> tuple[list["Sheet"], bool]:
    """Return texts with their proposals, and whether one could not be read; that is said."""
    from cleaner.annotate_files import proposals

    failed, sheets = False, []
    for file, place in places.items():
        try:
            sheet = proposals(file, place, cleaner, labels, encoding)
        except DataError as error:
            say(f"cleaner: {error}")
            failed = True
            continue
        if sheet is None:
            say(f"{file}: no lines, left out")
        else:
            sheets.append(sheet)
    return sheets, failed


def opened_suspects(
    inputs: Sequence[Path], cleaner: "Cleaner", output: Path | None, labels: Sequence[str], begun: Collection[str]
) -> list["Sheet"]:
    """Return labelled documents with likely mistakes, and those begun.

    The files themselves are to be corrected without ``output``.
    """
    from cleaner.annotate_files import digests
    from cleaner.annotate_suspects import suspect_sheets
    from cleaner.checking import Reader
    from cleaner.data_files import labelled_files

    reader = Reader(labels=labels)
    files = labelled_files(inputs)
    before = {} if output else digests(files)
    found = [one for one in reader.read_all(files) if one.document.lines]
    if reader.problems:
        raise DataError(f"{reader.problems[0]} See them all with: cleaner check-data")
    sheets = suspect_sheets(found, suspicious(found, cleaner), cleaner, output, begun)
    if weak := sum(any(one.document.weak) for one in found):
        say(f"{amount(weak, 'document')} left out: weak labels, which TSV files do not have")
    return [replace(sheet, file=before.get(sheet.place, "")) for sheet in sheets]


def suspicious(located: Sequence["Located"], cleaner: "Cleaner") -> "Suspects":
    """Return the suspects among labelled lines, showing progress."""
    from cleaner.listing import progress
    from cleaner.suspects import find_suspects, opinions

    documents = [one.document for one in located]
    with progress() as report:
        found = opinions(documents, cleaner.model, report)
    say(f"judged by {found.judge}")
    return find_suspects(documents, found.probabilities, found.labels)


def without_those_left_out(sheets: list["Sheet"], store: Any) -> list["Sheet"]:
    """Return the documents without those that cannot be labelled here; they are named."""
    reasons = {sheet.name: (sheet.place, why) for sheet, why in store.left_out(sheets)}
    for place, why in reasons.values():
        say(f"{place}: {why}")
    return [sheet for sheet in sheets if sheet.name not in reasons]


@app.command()
def check_data(
    data: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Labelled folders or files.", parser=path_of)],
    test: Others = None,
    labels: Labels = "",
    suspects: Annotated[
        bool, typer.Option("--suspects", help="List the lines whose label is likely wrong, the surest first.")
    ] = False,
    model: ModelName = "default",
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object for each finding.")] = False,
) -> None:
    """Find what is wrong with labelled files, with file and line; exit code 1 if anything is.

    Example: cleaner check-data my_pages/ --suspects
    """
    from cleaner.annotate_files import own_labels
    from cleaner.checking import Reader
    from cleaner.checking_documents import between, leaks, only_site
    from cleaner.cleaning import Cleaner

    with errors():
        cleaner = Cleaner.load(model) if suspects or model != "default" else None
        known = own_labels(labels) if labels else cleaner.model.labels if cleaner else LABELS
        reader = Reader(labels=known)
        found, tested = (reader.read_all(paths) for paths in (data, test or ()))
        problems = sorted([*reader.summed(found), *between(found, reader.problems), *leaks(found, tested)])
        for problem in problems:
            print(json.dumps(vars(problem)) if as_json else tame(str(problem)))
        lines = sum(len(one.document.lines) for one in found)
        say_left_out([*data, *(test or ())])
        say(f"{amount(len(problems), 'problem')} in {amount(len(found), 'document')}, {amount(lines, 'line')}")
        if site := only_site(found):
            say(f"note: all documents are from one site, {site!r}. If they are not: a folder is a site.")
        if suspects and reader.refused:
            names = ", ".join(map(repr, dict.fromkeys(reader.refused)))
            raise DataError(f"suspects are not looked for without the lines labelled {names}. {REMEDY}")
        listed = list_suspects(found, cleaner, as_json) if suspects and cleaner else 0
        if problems or listed:
            raise typer.Exit(1)


def list_suspects(found: Sequence["Located"], cleaner: "Cleaner", as_json: bool) -> int:
    """Print the likely mistakes, the surest first; return how many there are."""
    found = [one for one in found if one.document.lines]
    if not found:
        raise DataError("no labelled lines to judge. Put the problems above right first.")
    suspects = suspicious(found, cleaner)
    for suspect in suspects.ranked[: suspects.flagged]:
        number, line = suspect.place
        one = found[number]
        text = one.document.lines[line]
        problem = one.problem(line, f"labelled {suspect.label!r} ({suspect.given:.2f})")
        row = {**vars(problem), "label": suspect.label, "suggested": suspect.suggested, "text": text}
        row |= {"probability": round(suspect.given, 4), "confidence": round(suspect.confidence, 4)}
        plain = f"{problem}, rather {suspect.suggested!r} ({suspect.confidence:.2f}): {printable(short(text, SHOWN))}"
        print(json.dumps(row) if as_json else plain)
    look = ". Look at them with: cleaner annotate --suspects" if suspects.flagged else ""
    say(f"{amount(suspects.flagged, 'suspect')}{look}")
    return suspects.flagged
