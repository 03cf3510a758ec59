"""Where a run writes, and what is refused before it writes anything."""

import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from cleaner.atomic import beside, exists, is_special
from cleaner.errors import UsageError
from cleaner.inputs import format_by_name
from cleaner.opening import COMPRESSIONS, address, begin_of, compression, is_remote, remote, stamp, stem
from cleaner.options import BatchOptions
from cleaner.records import SUFFIXES, Input

ENDINGS = {"jsonl": ".jsonl", "parquet": ".parquet", "wet": ".wet", "text": ".txt"}
#: How names end that promise what is not written.
OTHERS = (".7z", ".br", ".csv", ".lz4", ".lzma", ".rar", ".tar", ".tgz", ".tsv", ".xls", ".xlsx", ".zip", ".zstd")
#: Files beside the output that hold what its documents lack: of an input that is left as it was, nothing.
HELD = ("removed", "rejected")


@dataclass(frozen=True)
class Output:
    """A file to write: its path, format, compression, and for Parquet the file that it is made like."""

    path: str
    form: str
    packed: str = ""
    like: str = ""


@dataclass(frozen=True)
class Plan:
    """Inputs, outputs, and which input goes where."""

    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]  # none: everything goes to standard output
    place: tuple[int, ...]  # the output of each input
    work: Path | None  # folder for what is not complete; none: there is no place for one
    form: str  # of all outputs; empty: as the inputs

    @property
    def begun(self) -> bool:
        """Whether a run lies unfinished in the work folder."""
        return self.work is not None and (self.work / "journal.jsonl").exists()


def plan(
    names: Sequence[str], inputs: Sequence[Input], output: str, options: BatchOptions, own: Mapping[object, str]
) -> Plan:
    """Decide where everything goes; ``own`` are the run's own files, by address.

    Raises:
        UsageError: the output does not go with the inputs or the options, is one of the inputs or of the run's own
            files, or lies among the inputs.
    """
    wanted = options.output_format
    if output and (options.check or options.diff):
        remedy = "leave -o out" if options.check else f"send it there: --diff > {output}"
        raise UsageError(f"{output}: {'--check' if options.check else '--diff'} writes no text; {remedy}.")
    for path in (output, *options.sides.values(), os.fspath(options.summary)):
        check_name(path)
    folder = bool(output) and into_folder(names, inputs, output)
    if output and not folder:
        said = format_by_name(output)
        if wanted and said not in ("", wanted):
            raise UsageError(f"{output}: its name is that of {said}. Change it, or leave --output-format {wanted} out.")
        wanted = wanted or said
    if wanted in ("jsonl", "parquet") and not options.input_format:  # of no bytes come no records
        inputs = [replace(one, format="jsonl") if one.path == "-" and not begin_of("-") else one for one in inputs]
    check_forms(inputs, wanted, options)
    inputs = inputs if folder else distinct(inputs)
    if options.check or options.diff:
        found = Plan(tuple(inputs), (), (), side_work(options), wanted)
    elif options.in_place:
        found = in_place(inputs, output, options)
    elif not output:
        found = to_stdout(names, inputs, wanted, options)
    elif folder:
        found = to_folder(inputs, output, wanted)
    else:
        found = to_file(inputs, output, wanted)
    refuse(found, names, output, options, own)
    return found


def check_name(path: str) -> None:
    """Refuse a file whose name is that of a format or a compression that is not written; a folder has any name.

    Raises:
        UsageError: its name is one.
    """
    if compression(path) and stem(path).lower().endswith(".parquet"):
        raise UsageError(f"{path}: Parquet packs itself. Leave out {os.path.splitext(path)[1]}.")
    suffix = next((one for one in OTHERS if stem(path).lower().endswith(one)), "")
    if suffix and (is_remote(path) or not os.path.isdir(path)):
        raise UsageError(
            f"{path}: {suffix} is not written. End its name in one of {', '.join(SUFFIXES)}, and then, to compress it, "
            f"in one of {', '.join(COMPRESSIONS)}."
        )


def distinct(inputs: Sequence[Input]) -> Sequence[Input]:
    """Return inputs of which no two have a name inside their folders: with as much of their paths as that needs."""
    names = [one.relative for one in inputs]
    while len(found := Counter(names)) < len(names):
        before = names
        names = [longer(name, one.path) if found[name] > 1 else name for name, one in zip(before, inputs, strict=True)]
        if names == before:
            break
    return [replace(one, relative=name) for one, name in zip(inputs, names, strict=True)]


def longer(name: str, path: str) -> str:
    """Return a name that is the end of a path with the folder before it, if there is one."""
    whole = path if is_remote(path) else os.path.abspath(path)
    folder = whole.removesuffix(f"/{name}")
    return name if folder in ("", whole) else f"{os.path.basename(folder)}/{name}"


def into_folder(names: Sequence[str], inputs: Sequence[Input], output: str) -> bool:
    """Tell whether the output is a folder."""
    if output.endswith("/") or (not is_remote(output) and os.path.isdir(output)):
        return True
    many = any(name != "-" and not is_remote(name) and os.path.isdir(name) for name in names)
    said = format_by_name(output)
    if (many or len(inputs) > 1) and said in ("", "text"):
        if said or compression(output):
            remedy = f"Choose one of .jsonl or .parquet, or a folder: -o {os.path.splitext(stem(output))[0]}/"
            raise UsageError(f"{output}: a text file holds one text. {remedy}")
        if not many and not is_remote(output):
            raise UsageError(f"{output}: no such folder. Make it first: several documents need a folder.")
        return True
    return False


def check_forms(inputs: Sequence[Input], wanted: str, options: BatchOptions) -> None:
    """Refuse conversions that do not exist and fields where there are none."""
    for source in inputs:
        if source.fault:
            continue
        form = wanted or source.written
        if form == "text" and source.format != "text":
            raise UsageError(f"{source.name}: records cannot become text files. Choose jsonl or parquet.")
        if form == "wet" and source.format != "wet":
            raise UsageError(f"{source.name}: only WET can be written as WET. Choose jsonl or parquet.")
        if options.new_fields and form in ("text", "wet"):
            raise UsageError(f"{source.name}: {form} has no fields to add to. Choose --output-format jsonl.")


def to_stdout(names: Sequence[str], inputs: Sequence[Input], wanted: str, options: BatchOptions) -> Plan:
    """Write everything to standard output."""
    forms = {wanted or source.written for source in inputs if not source.fault}
    if "parquet" in forms:
        raise UsageError("Parquet needs an output file: give -o FILE, or --output-format jsonl.")
    if len(forms) > 1:
        raise UsageError(f"inputs of several formats ({', '.join(sorted(forms))}): choose one by --output-format.")
    folder = next((name for name in names if name != "-" and not is_remote(name) and os.path.isdir(name)), "")
    if folder and "text" in forms:
        raise UsageError(f"{folder}: is a folder. Say where its copies go: -o FOLDER, or --output-format jsonl.")
    if options.resume:
        raise UsageError("--resume needs an output: give -o.")
    return Plan(tuple(inputs), (), (), side_work(options), wanted)


def side_work(options: BatchOptions) -> Path | None:
    """Return the work folder of a run that writes to standard output: beside its first other file."""
    first = next(iter(options.sides.values()), "")
    return hidden(first) if first else None


def hidden(path: str) -> Path:
    """Return the folder beside a file for what is not complete."""
    if is_remote(path) or is_special(path):
        return Path(f".cleaner-{hashlib.sha256(path.encode()).hexdigest()[:12]}")
    return beside(Path(os.path.realpath(path)), ".cleaner")


def to_file(inputs: Sequence[Input], output: str, wanted: str) -> Plan:
    """Write all inputs to one file."""
    forms = {wanted or source.written for source in inputs if not source.fault} or {wanted or inputs[0].written}
    if len(forms) > 1:
        raise UsageError(f"{output}: inputs of several formats. Choose one by --output-format.")
    form = forms.pop()
    if form == "text" and len(inputs) > 1:
        raise UsageError(f"{output}: no such folder. Make it first: several documents need a folder.")
    like = inputs[0].path if form == "parquet" and inputs[0].format == "parquet" else ""
    packed = compression(output) if form != "parquet" else ""
    return Plan(tuple(inputs), (Output(output, form, packed, like),), (0,) * len(inputs), hidden(output), wanted)


def to_folder(inputs: Sequence[Input], output: str, wanted: str) -> Plan:
    """Write every input to its own file, under its own name."""
    outputs: list[Output] = []
    seen: dict[str, str] = {}
    for source in inputs:
        form, relative = wanted or source.written, source.relative
        if source.path == "-":
            relative = "stdin" + ENDINGS[form]
        elif form != source.format:
            relative = stem(relative)
            while os.path.splitext(relative)[1].lower() in SUFFIXES:
                relative = os.path.splitext(relative)[0]
            relative += ENDINGS[form]
        if relative in seen:
            raise UsageError(f"{output}: two inputs have the same name, {relative}. Clean them into separate folders.")
        seen[relative] = source.name
        path = f"{output.rstrip('/')}/{relative}" if is_remote(output) else os.path.join(output, relative)
        like = source.path if form == source.format == "parquet" else ""
        outputs.append(Output(path, form, compression(relative) if form != "parquet" else "", like))
    work = hidden(output) if is_remote(output) else Path(output) / ".cleaner"
    return Plan(tuple(inputs), tuple(outputs), tuple(range(len(inputs))), work, wanted)


def in_place(inputs: Sequence[Input], output: str, options: BatchOptions) -> Plan:
    """Write every input to where it lies."""
    if output or options.output_format:
        raise UsageError("--in-place writes to the inputs: leave -o and --output-format out.")
    for source in inputs:
        if source.path == "-" or is_remote(source.path) or source.format == "wet":
            raise UsageError(f"{source.name}: --in-place needs local text, JSONL or Parquet files. Use -o.")
    outputs = tuple(
        Output(os.path.realpath(one.path), one.format, compression(one.path), one.path * (one.format == "parquet"))
        for one in inputs
    )
    return Plan(tuple(inputs), outputs, tuple(range(len(inputs))), hidden(inputs[0].path), "")


def refuse(found: Plan, names: Sequence[str], output: str, options: BatchOptions, own: Mapping[object, str]) -> None:
    """Refuse outputs that are inputs, lie among them, coincide, or cannot be."""
    if options.resume and any(source.path == "-" for source in found.inputs):
        raise UsageError("--resume cannot read standard input again. Give files.")
    taken = {address(one.path): one.name for one in found.inputs if one.path != "-"}
    written: set[object] = set()
    sides = [*options.sides.values(), *([os.fspath(options.summary)] if options.summary not in ("", "-") else [])]
    for path in [*(one.path for one in found.outputs), *sides]:
        where, here = address(path), options.in_place and path not in sides
        if where in own:
            remedy = "Leave it out." if here else "Choose another output."
            raise UsageError(f"{path}: holds the {own[where]}. {remedy}")
        if where in taken and not here:
            raise UsageError(f"{path}: is the input itself. Choose another output, or --in-place.")
        if where in written:
            raise UsageError(f"{path}: two outputs are the same file. Give each its own.")
        written.add(where)
    for path in [*sides, *(one.path for one in found.outputs if one.path == output)]:  # folders are made
        parent = os.path.dirname(path) or "."
        if not is_remote(path) and not os.path.isdir(parent):
            raise UsageError(f"{path}: there is no folder {parent}. Make it first.")
    refuse_to_lose(found, options)
    files = {one.path for one in found.inputs}
    for name in names:
        folder = name not in files if is_remote(name) else name != "-" and os.path.isdir(name)
        if output and folder and inside(output, name):
            raise UsageError(f"{output}: lies inside the input folder {name}. Choose a folder outside.")


def refuse_to_lose(found: Plan, options: BatchOptions) -> None:
    """Refuse to write over what an earlier run in place removed: only a run that goes on adds to it."""
    for path in [options.sides[name] for name in HELD if options.in_place and name in options.sides]:
        there = exists(path) if is_remote(path) else os.path.isfile(path)
        if there and not found.begun and stamp(path)[0] and begin_of(path):
            again = " No unfinished run is left to resume." if options.resume else ""
            raise UsageError(
                f"{path}: is there already; what an earlier run removed in place may be nowhere else.{again} "
                "Move it, or name another file."
            )


def inside(path: str, folder: str) -> bool:
    """Tell whether a path lies in a folder."""
    if is_remote(path) != is_remote(folder):
        return False
    if not is_remote(path):
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
    (store, inner), (other, outer) = remote(path), remote(folder)
    return bool(store == other) and PurePosixPath(inner).is_relative_to(outer)
