"""The verbs `clean` and `restore`: options to one library call, and what it found to words."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer
from typer.core import TyperCommand, TyperOption

from cleaner.console import Encoding, Keep, ModelName, app, errors, say
from cleaner.errors import CleanerError, DataError, UsageError
from cleaner.settings import LISTS, find_settings
from cleaner.wording import amount

if TYPE_CHECKING:
    from cleaner.batch import Summary
    from cleaner.options import BatchOptions
    from cleaner.reporting import Reporter

#: Failures that are named on stderr; the others are counted, and in the summary.
NAMED = 50

Files = Annotated[
    list[str] | None,
    typer.Argument(metavar="[FILE|FOLDER|GLOB|URL|-]...", help="Text, JSONL, Parquet or WET; - is stdin."),
]
Output = Annotated[str, typer.Option("--output", "-o", help="A file, or for several texts a folder; else stdout.")]
Aim = Annotated[str, typer.Option(help="In doubt a line goes (precision), stays (recall), or between.")]
TextField = Annotated[str, typer.Option(help="The field with the text; found by itself among the usual names.")]
IdField = Annotated[str, typer.Option(help="The field that names the document.")]
InputFormat = Annotated[str, typer.Option(help="text, jsonl, parquet or wet; found by suffix and content.")]
OutputFormat = Annotated[str, typer.Option(help="text, jsonl, parquet or wet; else as the input, WET as jsonl.")]
AddLabels = Annotated[bool, typer.Option("--add-labels", help="Add cleaner_labels: what each line is.")]
AddQuality = Annotated[bool, typer.Option("--add-quality", help="Add cleaner_quality: shares, words, flags.")]
Extract = Annotated[bool, typer.Option("--extract", help="Add cleaner_headline, cleaner_byline, cleaner_captions.")]
MinQuality = Annotated[float, typer.Option(help="Least expected share of body words, 0 to 1; needs --rejected.")]
Rejected = Annotated[str, typer.Option(metavar="FILE", help="Where poor documents go, complete.")]
Removed = Annotated[str, typer.Option(metavar="FILE", help="Where removed lines go; `cleaner restore` reads it.")]
ErrorFile = Annotated[str, typer.Option("--errors", metavar="FILE", help="Where failed records go, untouched.")]
SummaryFile = Annotated[str, typer.Option("--summary", metavar="FILE", help="Write the summary as JSON; - is stdout.")]
Drop = Annotated[
    list[str] | None, typer.Option(metavar="REGEX", help="Lines that go, unless --always-keep finds them. Repeatable.")
]
Always = Annotated[
    list[str] | None, typer.Option(metavar="REGEX", help="Lines that stay, whatever --always-drop says. Repeatable.")
]
RulesFile = Annotated[str, typer.Option(metavar="FILE", help="Such rules in a file: drop: REGEX or keep: REGEX.")]
Workers = Annotated[int, typer.Option("--workers", "-j", help="Processes; 0 is one for each core.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")]
Strict = Annotated[bool, typer.Option("--strict", help="Stop at the first record that fails.")]
InPlace = Annotated[bool, typer.Option("--in-place", help="Write to the inputs themselves.")]
Check = Annotated[bool, typer.Option("--check", help="Name the files from which something would go; exit 1 if any.")]
Diff = Annotated[bool, typer.Option("--diff", help="Print what would go, as a unified diff; write no text.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no summary on stderr.")]


class Switched(TyperCommand):
    """A command whose switches have a twin that is not in its help: ``--no-quiet`` takes back what settings say."""

    def make_parser(self, ctx: Any) -> Any:
        """Return the parser of the options, with the twins."""
        parser = super().make_parser(ctx)
        for one in self.params:
            if isinstance(one, TyperOption) and one.is_flag:
                names = [f"--no-{name[2:]}" for name in one.opts if name.startswith("--")]
                parser.add_option(one, names, one.name, action="store_const", const=False)
        return parser

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments, with the project's defaults; where these are wrong, help is given all the same."""
        try:
            ctx.obj, ctx.default_map = defaults()
        except typer.Exit:
            if not {"-h", "--help"} & set(takewhile(lambda one: one != "--", args)):
                raise
        return super().parse_args(ctx, args)


def defaults() -> tuple[Path | None, dict[str, Any]]:
    """Return the file with the project's defaults of the options of `clean`, and the defaults."""
    with errors():
        types = get_type_hints(clean) | {"errors": str}
        for name in ("context", "error_file", "files", "output", "return"):
            del types[name]
        try:
            folder = Path.cwd()
        except FileNotFoundError:  # it was deleted, and holds no settings
            return None, {}
        path, found = find_settings(folder, types)
    if "errors" in found:
        found["error_file"] = found.pop("errors")
    return path, found


@app.command(cls=Switched)
def clean(
    context: typer.Context,
    files: Files = None,
    output: Output = "",
    keep: Keep = "body",
    aim: Aim = "balanced",
    model: ModelName = "default",
    text_field: TextField = "",
    id_field: IdField = "",
    input_format: InputFormat = "",
    output_format: OutputFormat = "",
    encoding: Encoding = "",
    add_labels: AddLabels = False,
    add_quality: AddQuality = False,
    extract: Extract = False,
    min_quality: MinQuality = 0.0,
    rejected: Rejected = "",
    removed: Removed = "",
    error_file: ErrorFile = "",
    summary: SummaryFile = "",
    always_drop: Drop = None,
    always_keep: Always = None,
    rules: RulesFile = "",
    workers: Workers = 0,
    resume: Resume = False,
    strict: Strict = False,
    in_place: InPlace = False,
    check: Check = False,
    diff: Diff = False,
    quiet: Quiet = False,
) -> None:
    """Strip what is not body from text.

    Example: cleaner clean article.txt > body.txt
    """
    given = dict(context.params)
    with errors(resumes=resumable(given)), sources_named(context):
        refuse_idle(context)
        run(given)


def refuse_idle(context: typer.Context) -> None:
    """Refuse files that would not be written; those of a file of settings are meant for other runs."""
    how = next((name for name in ("check", "diff") if context.params[name]), "")
    for name, option in (("removed", "--removed"), ("error_file", "--errors")):
        path, source = context.params[name], context.get_parameter_source(name)
        if how and path and getattr(source, "name", "") == "COMMANDLINE":
            raise UsageError(f"{option} {path}: --{how} writes no such file. Leave one of the two out.")


@contextmanager
def sources_named(context: typer.Context) -> Iterator[None]:
    """Say of an error about options which of them a file of settings has set."""
    try:
        yield
    except CleanerError as error:
        text = str(error)
        options = {name: max(one.opts, key=len) for one in context.command.params if (name := one.name)}
        found = [
            name
            for name in context.default_map or {}
            if re.search(rf"{options[name]}(?![\w-])|^{name}: ", text) or text.startswith(f"{context.params[name]}: ")
        ]
        found = [name for name in found if getattr(context.get_parameter_source(name), "name", "") == "DEFAULT_MAP"]
        if not found:
            raise
        named = ", ".join(options[name] for name in found)
        raise type(error)(f"{text} ({named}: set in {context.obj}.)") from None


def resumable(given: dict[str, Any]) -> bool:
    """Tell whether a run that is stopped can go on: it writes to files, and can read its inputs again."""
    writes = given["output"] not in ("", "-", "/dev/stdout") or given["in_place"]
    return bool(writes) and "-" not in (given["files"] or ["-"])


def run(given: dict[str, Any]) -> None:
    """Clean, say what happened, and exit."""
    from cleaner.batch import Hooks, clean_files
    from cleaner.options import BatchOptions
    from cleaner.reporting import Reporter

    given |= {name: tuple(given[name] or ()) for name in LISTS if name != "keep"}
    given |= {"keep": named(given["keep"]), "errors": given["error_file"]}
    options = BatchOptions.of(given)
    reporter = Reporter(given["quiet"], say)
    shown = 0

    def failed(failure: object) -> None:
        nonlocal shown
        shown += 1
        if shown <= NAMED:
            reporter.say(f"cleaner: {failure}")
        elif shown == NAMED + 1:
            reporter.say("cleaner: further failures are counted; --errors FILE keeps them, --summary FILE names them.")

    hooks = Hooks(sys.stdout.buffer, failed, reporter.progress, reporter.start)
    try:
        with reporter:
            found = clean_files(given["files"] or ["-"], given["output"], options, hooks)
    except DataError as error:
        if not options.strict:
            raise
        say(f"cleaner: {error}")
        raise typer.Exit(1) from None
    finish(found, options, reporter)


def named(labels: str) -> tuple[str, ...]:
    """Return the labels that are named, separated by commas."""
    return tuple(one.strip() for one in labels.split(",")) if labels.strip() else ()


def finish(found: "Summary", options: "BatchOptions", reporter: "Reporter") -> None:
    """Say what a run did, and exit."""
    if options.summary == "-":
        print(json.dumps(found.counts, indent=1))
    if found.big and not reporter.quiet:
        reporter.summary(found.counts)
    suspicious = found.counts.get("flags", {}).get("suspicious", 0)
    if suspicious and not reporter.quiet:
        went = amount(suspicious, "document")
        say(f"cleaner: nearly all of {went} went; --add-quality marks which, cleaner label says why.")
    for name in found.changed:
        print(name)
    if found.failed or found.changed:
        sys.stdout.flush()
        raise typer.Exit(1)


@app.command()
def restore(
    cleaned: Annotated[str, typer.Argument(metavar="CLEANED", help="A cleaned text or JSONL file.")],
    removed: Annotated[str, typer.Option("--removed", metavar="FILE", help="What `clean --removed` wrote.")],
    output: Annotated[str, typer.Option("--output", "-o", help="A file; else stdout.")] = "",
    file: Annotated[str, typer.Option(help="Its name in FILE, where several files are in it.")] = "",
    encoding: Annotated[str, typer.Option(help="Of the text, if neither UTF-8 nor with a byte order mark.")] = "",
    text_field: TextField = "",
) -> None:
    """Put removed lines back where they were.

    Example: cleaner restore body.txt --removed removed.jsonl -o article.txt
    """
    from cleaner.atomic import write_beside
    from cleaner.opening import address, compress, compression, local
    from cleaner.restoring import restore_file
    from cleaner.targets import check_name

    with errors():
        check_name(output)
        read = [address(local(path)) for path in (cleaned, removed) if path != "-"]
        if output not in ("", "-") and address(local(output)) in read:
            raise UsageError(f"{output}: is read. Choose another output.")
        data = restore_file(cleaned, removed, file, encoding, text_field)
        if output not in ("", "-"):
            write_beside(local(output), compress(compression(output), data))
        else:
            sys.stdout.buffer.write(data)
