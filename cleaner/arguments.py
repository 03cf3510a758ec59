"""What the public functions are given, checked before it is used."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from cleaner.errors import UsageError

Document = TypeVar("Document", str, bytes | bytearray)
Kind = TypeVar("Kind")
#: What a setting that is a number must be an instance of, its name, the least and the most.
NUMBERS: dict[Any, tuple[Any, str, float, float]] = {
    int: (int, "whole number", 1, math.inf),
    float: (int | float, "number", 0, 10**6),
}
#: What numpy and scikit-learn take as a seed.
MOST_SEED = 2**32 - 1
#: What to do about a document of a wrong type.
ADVICE = {
    ("clean_bytes", "str"): "Encode it, or use clean_batch.",
    ("clean_batch", "bytes"): "Decode it, or use clean_bytes.",
    ("clean", "bytes"): "Decode it, or use clean_bytes.",
    ("clean_document", "bytes"): "Decode it.",
    ("label", "bytes"): "Decode it.",
    ("restore", "bytes"): "Decode it.",
    ("clean", "list"): "Use clean_batch for many documents.",
}


def one_text(value: str, name: str) -> str:
    """Return a text given to the function of a name; raise TypeError if it is none."""
    if isinstance(value, str):
        return value
    advice = ADVICE.get((name, type(value).__name__), "Give the text of one document.")
    raise TypeError(f"{name}: a str is wanted, not {type(value).__name__}. {advice}")


def of_kind(options: Kind | None, kind: type[Kind]) -> Kind:
    """Return options, by default those of a kind as it has them; raise TypeError if they are of another."""
    if options is None:
        return kind()
    if isinstance(options, kind):
        return options
    name, home = kind.__name__, kind.__module__
    raise TypeError(f"options: {home}.{name} wanted, not {type(options).__name__}. Give {name}(…), with what you have.")


def check_settings(settings: Any, limits: Mapping[str, tuple[float, float]]) -> None:
    """Raise :class:`UsageError` unless the fields of a dataclass that are numbers and switches hold such.

    ``limits`` are the least and the most of numbers by name; a seed has its own.
    """
    for one in fields(settings):
        value = getattr(settings, one.name)
        if one.type is bool and not isinstance(value, bool):
            raise UsageError(f"{one.name} {value!r}: is neither True nor False. Give one of them.")
        if one.type in NUMBERS:
            kind, what, *usual = NUMBERS[one.type]
            least, most = (0, MOST_SEED) if one.name == "seed" else limits.get(one.name, usual)
            if not isinstance(value, kind) or isinstance(value, bool) or not least <= value <= most:
                span = f"of at least {least:,}" if most == math.inf else f"from {least:,} to {most:,}"
                raise UsageError(f"{one.name} {value!r}: is no {what} {span}. Give one.")


def many(values: Iterable[Document], kind: type[Document], name: str) -> Iterator[Document]:
    """Return the documents given to the method of a name, each checked at its turn.

    Raises:
        TypeError: at once where it is one document or cannot be read one by one, later where a document is of
            another type than ``kind``.
    """
    readable = hasattr(type(values), "__iter__") or hasattr(type(values), "__getitem__")
    if isinstance(values, Mapping) or hasattr(values, "columns"):  # reading it would give names, not texts
        raise TypeError(
            f"{name}: many documents are wanted, not {type(values).__name__}. Give the column of the texts."
        )
    if isinstance(values, (str, bytes, bytearray)) or not readable:
        found = type(values).__name__
        raise TypeError(f"{name}: many documents are wanted, not {found}. Put a single one in a list.")
    return checked(values, kind, name)


def checked(values: Iterable[Document], kind: type[Document], name: str) -> Iterator[Document]:
    """Yield documents; raise TypeError at the first of another type."""
    allowed = (bytes, bytearray) if kind is bytes else (kind,)
    for number, value in enumerate(values, 1):
        if not isinstance(value, allowed):
            found = type(value).__name__
            advice = ADVICE.get((name, found), "Leave it out, or give an empty one.")
            raise TypeError(f"{name}: document {number} (counted from 1) is {found}, {kind.__name__} wanted. {advice}")
        yield value
