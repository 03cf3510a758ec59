"""Text to lines and back, losing nothing.

A line ends where :meth:`str.splitlines` ends it (LF, CRLF, CR, U+2028 and the rest), and keeps its
ending. A byte order mark at the start of a text belongs to the text, not to its first line.
"""

from collections.abc import Iterable

__all__ = ["BOM", "blank", "content", "join", "split"]

BOM = "\ufeff"
ZERO_WIDTH = "\u200b\ufeff"


def split(text: str) -> list[str]:
    r"""Cut a text into its lines, endings included; :func:`join` puts them back.

    >>> split("one\r\n\ntwo")
    ['one\r\n', '\n', 'two']
    """
    return text.splitlines(keepends=True)


def join(lines: Iterable[str]) -> str:
    """Put lines back together as they came."""
    return "".join(lines)


def content(line: str) -> str:
    r"""Return a line without its ending.

    >>> content("one\r\n")
    'one'
    """
    return "".join(line.splitlines()[:1])


def blank(line: str) -> bool:
    r"""Tell whether a line shows nothing: white space and zero-width characters alone.

    >>> blank("\u00a0\n"), blank("one\n")
    (True, False)
    """
    return all(char.isspace() or char in ZERO_WIDTH for char in line)
