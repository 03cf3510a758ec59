"""Which files a run reads: names, folders, globs and remote paths, each once, in a fixed order."""

import glob
import os
import re
import stat
from collections.abc import Container, Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from cleaner.errors import DataError, UsageError
from cleaner.opening import address, begin_of, begin_of_stdin, is_remote, refuse_packed, remote, stamp, stem
from cleaner.records import SUFFIXES, Input, sniff
from cleaner.settings import SETTINGS

Found = tuple[str, str]  # path, name inside an output folder


#: What Spark and its like put beside the files of a table.
MARKERS = re.compile(r"_(SUCCESS|metadata|common_metadata|(started|committed).*|temporary|delta_log|spark_metadata)")


def walk(folder: str) -> Iterator[Found]:
    """Yield the files of a folder and of those inside it, by name; follows links, each folder once.

    Names that begin with a dot are left out, as formatters do, and so are settings and :data:`MARKERS`.

    Raises:
        UsageError: a folder cannot be listed.
    """
    seen = {os.path.realpath(folder)}
    for root, folders, names in os.walk(folder, onerror=unlisted, followlinks=True):
        below = []
        for name in sorted(folders):
            real = os.path.realpath(os.path.join(root, name))
            if not aside(name) and real not in seen:
                seen.add(real)
                below.append(name)
        folders[:] = below
        for name in sorted(names):
            path = os.path.join(root, name)
            broken = os.path.islink(path) and not os.path.exists(path)  # reading it says what is wrong
            if not aside(name) and name not in SETTINGS and (os.path.isfile(path) or broken):
                yield path, os.path.relpath(path, folder)


def unlisted(error: OSError) -> NoReturn:
    """Say which folder cannot be listed."""
    raise UsageError(f"{error.filename}: {error.strerror}. Check the folder and its permissions.") from None


def aside(name: str) -> bool:
    """Tell whether a name in a folder is none of a document's."""
    return name.startswith(".") or MARKERS.fullmatch(name) is not None


def matches(pattern: str) -> list[Found]:
    """Return the files that a glob names, with their path below its fixed part."""
    fixed = os.path.dirname(pattern[: min(pattern.find(c) for c in "*?[" if c in pattern)])
    found = sorted(path for path in glob.glob(pattern, recursive=True) if os.path.isfile(path))
    if not found:
        raise UsageError(f"{pattern}: no such file. Check the name; - reads from stdin.")
    return [(path, os.path.relpath(path, fixed or ".")) for path in found]


def remote_files(url: str) -> list[Found]:
    """Return the files that a remote path, folder or glob names.

    Those whose names begin with a dot are named by the dot alone, :data:`MARKERS` by no folder.
    """
    system, inner = remote(url)
    root, rest = inner, ""
    try:
        if any(c in inner for c in "*?[") and not is_there(system, inner):
            root = inner[: min(inner.find(c) for c in "*?[" if c in inner)].rpartition("/")[0]
            rest = inner[len(root) :]
        elif system.isfile(inner):
            return [(url, PurePosixPath(inner).name)]
        paths = sorted(system.glob(inner) if rest else system.find(inner))
        found = [(path, os.path.relpath(f"/{path.lstrip('/')}", f"/{root.lstrip('/')}")) for path in paths]
        shown = ("/." in rest or "/." not in f"/{name}" for _, name in found)
        named = (bool(rest) or not any(map(MARKERS.fullmatch, name.split("/"))) for _, name in found)
        found = [one for one, *said in zip(found, shown, named, strict=True) if all(said) and system.isfile(one[0])]
    except Exception as error:
        raise unreachable(url, error) from None
    if not found:
        raise UsageError(f"{url}: no such file. Check the path.")
    scheme, _, within = url.partition("::")
    rest = f"::{within}" if within and "://" in scheme else ""
    return [(system.unstrip_protocol(path) + rest, relative) for path, relative in found]


def is_there(system: Any, inner: str) -> bool:
    """Tell whether a name that may be a glob is that of a file or folder."""
    with suppress(Exception):  # where a store cannot be reached, the glob says so
        return bool(system.exists(inner))
    return False


def unreachable(url: str, error: Exception) -> UsageError:
    """Return as one of ours what a driver raised: anything that the libraries below it raise."""
    reason = f"{type(error).__name__}: {error}"
    return UsageError(f"{url}: cannot be read ({reason}). Check path, network and credentials.")


def listed(name: str) -> list[Found]:
    """Return the files that an argument names."""
    if name == "-":
        return [("-", "stdin.txt")]
    if is_remote(name):
        return remote_files(name)
    if os.path.isdir(name):
        found = list(walk(name))
        if not found:
            raise UsageError(f"{name}: no files in this folder. Give files, or a folder with some.")
        return found
    if os.path.exists(name) and stat.S_ISFIFO(os.stat(name).st_mode):
        raise UsageError(f"{name}: is a pipe, which can be read only once. Use -: COMMAND | cleaner clean -")
    if os.path.lexists(name):
        return [(name, os.path.basename(name))]
    if any(c in name for c in "*?["):
        return matches(name)
    raise UsageError(f"{name}: no such file. Check the name; - reads from stdin.")


def format_by_name(path: str) -> str:
    """Return the format of a file by its suffix, empty if that says nothing."""
    return SUFFIXES.get(os.path.splitext(stem(path))[1].lower(), "")


def format_of(path: str, name: str) -> str:
    """Return the format of a file: by its suffix, or else by its first bytes."""
    if path != "-" and (suffix := format_by_name(path)):
        return suffix
    try:
        begin = begin_of_stdin() if path == "-" else begin_of(path)
    except (DataError, OSError):
        return "text"  # reading it again says what is wrong
    found = sniff(begin, name)
    if found != "parquet":
        refuse_packed(begin, path, name=name)
    return found


def find_inputs(names: Sequence[str], form: str = "", own: Container[object] = ()) -> list[Input]:
    """Return all inputs in the order given; ``form`` is their format, empty: each finds its own.

    In a folder that is given the files at the addresses ``own`` are left out.

    Raises:
        UsageError: a name is no file, a file is named twice, or standard input is Parquet.
    """
    out: list[Input] = []
    seen: dict[object, str] = {}
    for given in names:
        folder = given != "-" and not is_remote(given) and os.path.isdir(given)
        for path, relative in listed(given):
            shown = "stdin" if path == "-" else path
            real = path if path == "-" else address(path)
            if folder and real in own:
                continue
            if real in seen:
                if folder:  # two links to it: the first counts
                    continue
                raise UsageError(
                    f"{shown}: is given twice, or two names are the same file ({seen[real]}). Give it once."
                )
            seen[real] = shown
            out.append(described(path, shown, safe(relative, shown), form))
    if not out:
        raise UsageError(f"{names[0]}: holds only files that the run needs itself. Give files, or a folder with some.")
    return out


def safe(relative: str, shown: str) -> str:
    """Return a path that stays below the folder it is put in; refuse others."""
    parts = Path(relative).parts
    if not parts or os.path.isabs(relative) or ".." in parts:
        raise UsageError(f"{shown}: its name leads out of the output folder. Rename it.")
    return relative


def described(path: str, shown: str, relative: str, form: str) -> Input:
    """Return an input with format, size and stamp."""
    try:
        size, mark = -1, ""
        if path != "-":
            size, mark = stamp(path)
        elif form:
            begin_of_stdin()  # what an earlier run in this process left unread is not of this one
        form = form or format_of(path, shown)
        if path == "-" and form == "parquet":
            raise UsageError("stdin: Parquet is read from its end, and needs a file. Write it to one, and name that.")
        return Input(shown, path, relative, form, size, mark)
    except DataError as error:  # of a format that cannot be read: a failure, and the rest goes on
        return Input(shown, path, relative, "jsonl", size, mark, str(error).removeprefix(f"{shown}: "))
    except OSError:
        return Input(shown, path, relative, form or "text")  # reading it says what is wrong
    except Exception as error:
        if is_remote(path):
            raise unreachable(path, error) from None
        raise
