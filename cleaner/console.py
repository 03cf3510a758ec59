"""What every verb of the command line shares: the application, errors as lines, exit codes."""

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer

from cleaner.errors import CleanerError
from cleaner.wording import tame

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Inputs = Annotated[list[str] | None, typer.Argument(metavar="[FILE...|-]", help="Text files; - is stdin.")]
ModelName = Annotated[str, typer.Option("--model", "-m", help="A model folder, or the name of a shipped model.")]
Encoding = Annotated[
    str, typer.Option(help="Of what is neither UTF-8 nor has a byte order mark; detect guesses that of text files.")
]
Keep = Annotated[str, typer.Option("--keep", help="The labels of the lines that stay, separated by commas.")]


def path_of(text: str) -> Path:
    """Return a path; one that is empty, as of a variable that is not set, would be the working directory."""
    if not text:
        raise typer.BadParameter("a path is empty; . is the working directory.")
    return Path(text)


path_of.__name__ = "path"  # as the help calls what it takes


class Terminated(KeyboardInterrupt):
    """The process was asked to end."""


def terminate(number: int, frame: FrameType | None) -> NoReturn:
    """End as Ctrl-C does: in order."""
    raise Terminated


@contextmanager
def errors(*, resumes: bool | None = None) -> Iterator[None]:
    """Turn the package's errors into a line on stderr and exit code 2; bear a closed pipe.

    ``resumes`` tells of a batch run whether it can go on where it was stopped; of other commands it is None.
    """
    open_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    with suppress(ValueError):  # outside the main thread
        signal.signal(signal.SIGTERM, terminate)
    if sys.stderr.isatty():
        show_log()
    try:
        yield
        sys.stdout.flush()
    except CleanerError as error:
        say(f"cleaner: {error}")
        raise typer.Exit(2) from None
    except KeyboardInterrupt as stop:
        forget_output()
        say(f"cleaner: stopped.{' The same command with --resume goes on.' if resumes else ''}")
        code = 143 if isinstance(stop, Terminated) else 130
        if resumes is None and threading.active_count() > 1:  # one that still fits a model would abort an orderly end
            sys.stderr.flush()
            os._exit(code)
        raise typer.Exit(code) from None
    except BrokenPipeError:
        forget_output()
        raise typer.Exit(1) from None
    except OSError as error:
        forget_output()
        again = "go on with --resume" if resumes else "run the command again"
        say(f"cleaner: {error.filename or 'output'}: {error.strerror or error}. Put that right, then {again}.")
        raise typer.Exit(2) from None


def show_log() -> None:
    """Show what the library logs for whoever waits at a terminal."""
    import logging

    logging.basicConfig(format="%(name)s: %(message)s")
    logging.getLogger("cleaner").setLevel(logging.INFO)


def open_closed() -> None:
    """Put something in the place of a standard stream that was closed before the start.

    Reading from it or writing to it fails as it would have; but what is written to stderr goes nowhere. A file that is
    opened later does not get its number.
    """
    modes = {"stdin": os.O_WRONLY, "stdout": os.O_RDONLY, "stderr": os.O_WRONLY}
    for number, (name, mode) in enumerate(modes.items()):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, mode)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)  # as workers need it
            stream = open(number, "w" if number else "r", encoding="utf-8", closefd=False)  # noqa: SIM115 - it stays open
            setattr(sys, name, stream)


def forget_output() -> None:
    """Let what is still buffered for stdout go nowhere, so that closing it does not fail a second time."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def say_left_out(data: Sequence[Path]) -> None:
    """Say which files in folders of labelled data are not read, if there are any."""
    from cleaner.data_files import left_out

    if words := left_out(data):
        say(f"cleaner: {words}")


def say(message: str) -> None:
    """Write a line for the user to stderr."""
    print(tame(message), file=sys.stderr)
