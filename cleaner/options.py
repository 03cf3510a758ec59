"""What a batch run is asked to do."""

import os
from collections.abc import Iterable, Mapping, Set
from dataclasses import asdict, dataclass, fields
from numbers import Integral, Real
from typing import Any

from cleaner.decision import AIMS
from cleaner.errors import UsageError
from cleaner.labels import DEFAULT_KEEP
from cleaner.opening import local
from cleaner.records import FORMATS
from cleaner.settings import LISTS, PATHS

#: What may differ between a run and the one that goes on with it.
FREE = ("workers", "resume", "summary", "strict")
#: The files beside the output.
SIDES = ("removed", "rejected", "errors")
#: What a value may be, by the kind of its default.
KINDS: dict[type, type] = {str: str, bool: bool, int: Integral, float: Real}


@dataclass(frozen=True)
class BatchOptions:
    """All options of :func:`cleaner.clean_files`; paths may be remote, except those of the rules file and the model.

    ``keep`` (labels, not a single one), ``aim``, ``model``: as for :meth:`Cleaner.load`. ``text_field``, ``id_field``:
    empty, they are found. ``encoding``: of what is neither UTF-8 nor has a byte order mark; ``detect`` guesses that of
    text files. ``removed``, ``rejected``, ``errors``: files for removed lines, poor documents, failed records.
    ``min_quality``: the least expected share of body words, 0 to 1. ``always_drop``, ``always_keep``: regular
    expressions. ``workers``: 0 is one for each core. ``summary``: a file; ``-`` is for the command alone. All others
    are what ``cleaner clean --help`` says of them.
    """

    model: str | os.PathLike[str] = "default"
    keep: Iterable[str] = tuple(sorted(DEFAULT_KEEP))
    aim: str = "balanced"
    text_field: str = ""
    id_field: str = ""
    input_format: str = ""
    output_format: str = ""
    encoding: str = ""
    add_labels: bool = False
    add_quality: bool = False
    extract: bool = False
    min_quality: float = 0.0
    removed: str | os.PathLike[str] = ""
    rejected: str | os.PathLike[str] = ""
    errors: str | os.PathLike[str] = ""
    summary: str | os.PathLike[str] = ""
    always_drop: Iterable[str] = ()
    always_keep: Iterable[str] = ()
    rules: str | os.PathLike[str] = ""
    workers: int = 0
    resume: bool = False
    strict: bool = False
    in_place: bool = False
    check: bool = False
    diff: bool = False

    def __post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            UsageError: an option is of another type or out of range, or two do not go together.
        """
        self.settle()
        if not 0 <= self.min_quality <= 1:
            raise UsageError(f"--min-quality {self.min_quality}: give a share between 0 and 1.")
        if self.min_quality and not self.rejected:
            raise UsageError("--min-quality needs --rejected FILE, so that poor documents are not lost.")
        if self.rejected and not self.min_quality:
            raise UsageError("--rejected needs --min-quality X: without it no document is poor.")
        if self.aim not in AIMS:
            raise UsageError(f"--aim {self.aim}: unknown. Use one of {', '.join(AIMS)}.")
        if self.workers < 0:
            raise UsageError(f"--workers {self.workers}: give a number of processes, 0 for one for each core.")
        object.__setattr__(self, "min_quality", float(self.min_quality))  # JSON has none of numpy, no fractions
        object.__setattr__(self, "workers", int(self.workers))
        if sum((self.check, self.diff, self.in_place)) > 1:
            raise UsageError("--check, --diff and --in-place do not go together. Choose one.")
        if (self.check or self.diff) and self.resume:
            raise UsageError("--resume needs an output: it does not go with --check or --diff.")
        for name in ("input_format", "output_format"):
            if (form := getattr(self, name)) not in ("", *FORMATS):
                raise UsageError(f"--{name.replace('_', '-')} {form}: use one of {', '.join(FORMATS)}.")

    def settle(self) -> None:
        """Turn paths into text and several texts into tuples; raise UsageError if an option is of another type."""
        for option in fields(self):
            value, kind = getattr(self, option.name), type(option.default)
            if option.name in LISTS:
                object.__setattr__(self, option.name, several(option.name, value))
                continue
            if option.name in PATHS and isinstance(value, str | os.PathLike):
                value = path_text(value)
                object.__setattr__(self, option.name, value)
            if not isinstance(value, KINDS[kind]) or (kind is not bool and isinstance(value, bool)):
                wanted = {str: "a str", bool: "True or False", int: "an int", float: "a float"}[kind]
                raise UsageError(f"{option.name}: {value!r} given. Give {wanted}, or leave it out.")
        for name in SIDES:
            if getattr(self, name) == "-":
                raise UsageError(f"--{name} -: stdout is for the text. Give a file.")

    @property
    def new_fields(self) -> set[str]:
        """The names of the fields that are added to the records."""
        extracted = {"cleaner_headline", "cleaner_byline", "cleaner_captions"} if self.extract else set()
        more = {"cleaner_labels": self.add_labels, "cleaner_quality": self.add_quality}
        return extracted | {name for name, wanted in more.items() if wanted}

    @property
    def sides(self) -> dict[str, str]:
        """The files beside the output, by what goes into them; none where nothing is written."""
        names = () if self.check or self.diff else SIDES
        return {name: getattr(self, name) for name in names if getattr(self, name)}

    def decisive(self) -> dict[str, Any]:
        """Return the options that the output depends on."""
        return {name: value for name, value in asdict(self).items() if name not in FREE}

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "BatchOptions":
        """Build options from values by name; names that are none are left out."""
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in given.items() if name in names})


def path_text(path: str | os.PathLike[str]) -> str:
    """Return a path as text; where text would name the shipped model or a stream, a path object is what lies there.

    Raises:
        UsageError: no file can have such a name.
    """
    text = local(os.fspath(path))
    if "\0" in text:
        raise UsageError(f"{text!r}: no file can have a name with a NUL in it. Take it out.")
    named = text == "-" or (text == BatchOptions.model and os.path.isdir(text))
    return os.path.join(".", text) if named and not isinstance(path, str) else text


def several(name: str, values: Any) -> tuple[str, ...]:
    """Return texts as a tuple, those of a set in order; raise UsageError if they are none."""
    if isinstance(values, str):
        each = tuple(one.strip() for one in values.split(",")) if name == "keep" else (values,)
        raise UsageError(f"{name}: {values!r} given. Give a tuple: {each!r}.")
    found = tuple(values) if isinstance(values, Iterable) else ()
    if not isinstance(values, Iterable) or not all(isinstance(one, str) for one in found):
        raise UsageError(f"{name}: {values!r} given. Give a tuple of str, or leave it out.")
    return tuple(sorted(found)) if isinstance(values, Set) else found
