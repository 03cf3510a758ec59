"""What the public functions are given, checked before it is used."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

__all__ = ["many", "of_kind", "one_text"]

Document = TypeVar("Document", str, bytes | bytearray)
Kind = TypeVar("Kind")
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
