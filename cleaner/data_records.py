"""Records of labelled documents in JSON Lines: parsed, and what is wrong with them in words."""

import json
import re
import reprlib
from typing import Any

from cleaner import lines
from cleaner.data_files import QUOTE, UNQUOTED
from cleaner.labels import BLANK, KINDS, RULE

EXAMPLE = (
    'A record is a line such as {"id": "1", "site": "quay.example", "lines": [{"text": "By A. Person", '
    '"label": "byline"}]}.'
)
#: What no label has: tabs, ends of lines, characters that nobody sees.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\xad\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
#: Kinds of lines that are no junk, in public gold sets.
OTHER_KINDS = ("bio", "date", "title")


def record_of(row: bytes) -> dict[str, Any]:
    """Return the record of a labelled document; of its lines it is only known that they are a list.

    Raises:
        ValueError: it is none; says why and what to do, not where.
    """
    try:
        record = json.loads(row.decode("utf-8-sig", "surrogatepass"))
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start + 1} of the record. Save the whole file as UTF-8.") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON ({error.msg}, character {error.pos + 1}). {EXAMPLE}") from None
    except RecursionError:
        raise ValueError(f"no labelled document, nested too deeply. {EXAMPLE}") from None
    except ValueError:
        raise ValueError(f"no labelled document, a number of too many digits. {EXAMPLE}") from None
    if not isinstance(record, dict):
        raise ValueError(f"{reprlib.repr(record)} is no labelled document. {EXAMPLE}")
    problem = (
        wanted(record, ("id", "site"), str, "a text")
        or wanted(record, ("lines",), list, "a list")
        or allowed(record, ("source", "view", "lang"), str, "a text")
    )
    if problem:
        raise ValueError(f"{problem} {EXAMPLE}")
    return record


def line_problem(row: Any) -> str:
    """Return what is wrong with a line of a record, save for the name of its label; empty if nothing is."""
    if not isinstance(row, dict):
        return f"{reprlib.repr(row)} is no line. {EXAMPLE}"
    problem = wanted(row, ("text",), str, "a text")
    if problem or lines.blank(row["text"]):
        return problem
    problem = (
        wanted(row, ("label",), str, "a text")
        or allowed(row, ("weak", "blank_before"), bool, "true or false")
        or allowed(row, ("kind",), str, "a text")
    )
    kind = row.get("kind") or ""
    if not problem and kind and kind.partition("/")[0] not in (*KINDS, *OTHER_KINDS):
        return f"{kind!r} is no kind. Use one of {', '.join(KINDS)}, or leave it out."
    return problem


def label_problem(label: str) -> str:
    """Return why a label cannot be one; empty if it can.

    >>> label_problem("Body"), label_problem("body")
    ("'Body' is no label. Write 'body'.", '')
    """
    if not label.strip():
        return "a text and no label. Give it one, such as body."
    if label.startswith(QUOTE):
        return f"{label!r} is no label. {UNQUOTED}"
    right, why = label.strip().lower(), ""
    if CONTROL.search(right):
        why = "with a tab or an invisible character in it. Take it out."
    elif "," in right:
        why = "with a comma in it, which stands between labels. Take it out."
    elif right.startswith("#"):
        why = "as what begins with # is a header. Take it out."
    elif right in (BLANK, RULE):
        why = "as removed lines without one are called so. Choose another name."
    if why:
        return f"{label!r} is no label, {why}"
    return f"{label!r} is no label. Write {right!r}." if label != right else ""


def wanted(record: dict[str, Any], keys: tuple[str, ...], kind: type, name: str) -> str:
    """Return which of some keys is missing or of another type; empty if none is."""
    for key in keys:
        if key not in record:
            return f'"{key}" is missing.'
        if not isinstance(record[key], kind):
            return f'"{key}" is {reprlib.repr(record[key])}. Write {name}.'
    return ""


def allowed(record: dict[str, Any], keys: tuple[str, ...], kind: type, name: str) -> str:
    """Return which of some keys is of another type, not null; empty if none is."""
    wrong = [key for key in keys if not isinstance(record.get(key), kind | None)]
    return f'"{wrong[0]}" is {reprlib.repr(record[wrong[0]])}. Write {name}, or leave it out.' if wrong else ""
