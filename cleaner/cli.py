"""The command line; the only module that prints, exits, or reads and writes for the user.

Exit codes: 0 fine, 1 some documents failed, 2 wrong use.
"""

import difflib
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from cleaner.errors import CleanerError, DataError, UsageError

app = typer.Typer(
    help="Score each line of scraped article text as body, headline, caption, byline or junk, and keep the body.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Inputs = Annotated[list[str] | None, typer.Argument(metavar="[FILE...|-]", help="Text files in UTF-8; - is stdin.")]
ModelName = Annotated[str, typer.Option("--model", "-m", help="A model folder, or the name of a shipped model.")]
Keep = Annotated[str, typer.Option("--keep", help="The labels of the lines that stay, separated by commas.")]
Data = Annotated[list[Path], typer.Argument(metavar="DATA...", help="Folders or files: .tsv, .jsonl, .jsonl.gz.")]


@contextmanager
def errors() -> Iterator[None]:
    """Turn the package's errors into a line on stderr and exit code 2; bear a closed pipe."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        yield
        sys.stdout.flush()
    except CleanerError as error:
        say(f"cleaner: {error}")
        raise typer.Exit(2) from None
    except BrokenPipeError:
        forget_output()
        raise typer.Exit(1) from None
    except OSError as error:
        forget_output()
        say(f"cleaner: {error.filename or 'output'}: {error.strerror}. Make room or choose another output.")
        raise typer.Exit(2) from None


def forget_output() -> None:
    """Let what is still buffered for stdout go nowhere, so that closing it does not fail a second time."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def say(message: str) -> None:
    """Write a line for the user to stderr."""
    print(message, file=sys.stderr)


def check_inputs(names: list[str] | None) -> list[str]:
    """Return the inputs, stdin where there are none; refuse what is no file before anything is written."""
    found = names or ["-"]
    for name in found:
        if name != "-" and not os.path.exists(name):
            raise UsageError(f"{name}: no such file. Check the name; - reads from stdin.")
        if name != "-" and os.path.isdir(name):
            raise UsageError(f"{name}: is a folder. Give its files, for example {name.rstrip('/')}/*.txt")
    return found


def read(name: str) -> bytes:
    """Read a document and check that it is UTF-8."""
    data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{'stdin' if name == '-' else name}:{line}: not UTF-8 at byte {error.start + 1}. "
            "Convert it first, for example with: iconv -f latin1 -t utf-8"
        ) from None
    return data


def each(names: list[str], work: Callable[[str, bytes], None]) -> None:
    """Do the work for every document; name those that cannot be read, go on, and exit 1 at the end."""
    failed = False
    for name in names:
        try:
            data = read(name)
        except (DataError, OSError) as error:
            say(f"cleaner: {error}")
            failed = True
            continue
        work(name, data)
    if failed:
        raise typer.Exit(1)


def write_beside(path: Path, data: bytes) -> None:
    """Write a file beside its place and rename it, so that no half file ever has the name.

    A link is followed; what is no file (a pipe, a device) is written to.
    """
    real = path.resolve()
    beside = real.with_name(f".{real.name}.{os.getpid()}")
    try:
        if real.exists() and not real.is_file():
            real.write_bytes(data)
            return
        beside.write_bytes(data)
        beside.replace(real)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise UsageError(f"{path}: {error.strerror}. Choose another output; nothing was written there.") from None


def target(output: Path | None, names: list[str]) -> Callable[[str], Path | None]:
    """Return where each document goes: stdout, the file, or its name inside the folder."""
    if output is None:
        return lambda name: None
    if len(names) == 1 and not output.is_dir():
        chosen = output
        places = [chosen]
    else:
        if not output.is_dir():
            raise UsageError(f"{output}: no such folder. Make it first: several documents need a folder.")
        places = [output / (Path(name).name if name != "-" else "stdin.txt") for name in names]
    if len(set(places)) < len(places):
        raise UsageError(f"{output}: two inputs have the same name. Clean them into separate folders.")
    for name, place in zip(names, places, strict=True):
        if name != "-" and place.exists() and os.path.samefile(name, place):
            raise UsageError(f"{place}: is the input itself. Choose another output.")
    where = dict(zip(names, places, strict=True))
    return where.__getitem__


@app.command()
def clean(
    files: Inputs = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file, or for several inputs a folder; else stdout.")
    ] = None,
    keep: Keep = "body",
    aim: Annotated[
        str, typer.Option("--aim", help="precision, balanced or recall: in doubt a line goes, or stays.")
    ] = "balanced",
    model: ModelName = "default",
    diff: Annotated[bool, typer.Option("--diff", help="Show what would go, as a unified diff; write no text.")] = False,
) -> None:
    """Strip what is not body from text.

    Example: cleaner clean article.txt > body.txt
    """
    from cleaner.cleaning import Cleaner

    with errors():
        names = check_inputs(files)
        place = target(output, names)
        cleaner = Cleaner.load(model, [label.strip() for label in keep.split(",")], aim)

        def one(name: str, data: bytes) -> None:
            document = cleaner.clean_document(data.decode())
            cleaned = document.text.encode()
            if document.suspicious:
                say(f"cleaner: {name}: suspicious: {document.suspicious}. Look at it with: cleaner label {name}")
            result = show_diff(name, data, cleaned) if diff else cleaned
            where = place(name)
            if where is None:
                sys.stdout.buffer.write(result)
            else:
                write_beside(where, result)

        each(names, one)


def show_diff(name: str, before: bytes, after: bytes) -> bytes:
    """Return a unified diff."""
    old, new = (data.decode().splitlines() for data in (before, after))
    rows = difflib.unified_diff(old, new, name, f"{name} (cleaned)", lineterm="")
    return "".join(row + "\n" for row in rows).encode()


@app.command()
def label(
    files: Inputs = None,
    model: ModelName = "default",
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
        names = check_inputs(files)
        cleaner = Cleaner.load(model)
        each(names, lambda name, data: FORMS[form](name, data.decode(), cleaner))


@app.command()
def train(
    data: Data,
    output: Annotated[Path, typer.Option("--output", "-o", help="The model folder to write.")],
    test: Annotated[
        list[Path] | None, typer.Option("--test", help="Labelled data to measure on; its scores go into the card.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed and data give the same weights.")] = 0,
) -> None:
    """Train a model on labelled lines.

    Example: cleaner train my_pages/ -o models/mine
    """
    from cleaner.listing import print_scores, progress
    from cleaner.training import Options
    from cleaner.training import train as train_model

    with errors():
        with progress() as report:
            trained = train_model(data, output, Options(seed=seed), report, test or ())
        print_scores(trained.card["held_out"]["all"], "held-out sites")
        if test:
            print_scores(trained.card["scores"], "test data")
        say(f"wrote {output}")


@app.command()
def evaluate(
    data: Data,
    model: ModelName = "default",
    as_json: Annotated[bool, typer.Option("--json", help="Print all figures as JSON.")] = False,
) -> None:
    """Measure a model on labelled lines.

    Example: cleaner evaluate my_pages/ --model models/mine
    """
    from cleaner.evaluation import evaluate as evaluate_model
    from cleaner.listing import print_scores

    with errors():
        found = evaluate_model(data, model)
        if as_json:
            print(json.dumps(found, indent=1, ensure_ascii=False))
        else:
            print_scores(found, ", ".join(map(str, data)))


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
            print(json.dumps(card, indent=1, ensure_ascii=False))
        else:
            print_card(card)


def version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        from importlib.metadata import version as installed

        print(installed("line-cleaner"))
        raise typer.Exit


@app.callback()
def main(
    show_version: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Score each line of scraped article text as body, headline, caption, byline or junk, and keep the body."""
