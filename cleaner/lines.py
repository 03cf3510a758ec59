"""Text to lines and back, losing nothing.

A line ends where :meth:`str.splitlines` ends it (LF, CRLF, CR, U+2028 and the rest), and keeps its
ending. A byte order mark at the start of a text belongs to the text, not to its first line.
"""

from collections.abc import Iterable, Iterator

BOM = "\ufeff"
MARK = BOM.encode()
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


def border(data: bytes | bytearray, begin: int, size: int, searched: int = 0) -> int:
    r"""Return where a piece of UTF-8 that begins there ends: behind a line feed, above ``size`` only where a line is.

    0 if all that is there is one piece, or more must come to tell. Never before a byte order mark: that would be
    the next piece's, no longer its line's. The first ``searched`` bytes have been looked through in vain.

    >>> border(b"one\ntwo\nthree", 0, 9), border(b"one\n\xef\xbb\xbftwo", 0, 4)
    (8, 0)
    """
    end, cut = begin + size, -1
    if len(data) < end + len(MARK):
        return 0
    if searched < end:
        cut = data.rfind(b"\n", begin, end)
        while cut >= 0 and data.startswith(MARK, cut + 1):
            cut = data.rfind(b"\n", begin, cut)
    if cut < 0:
        cut = data.find(b"\n", max(end, searched))
        while cut >= 0 and MARK.startswith(data[cut + 1 : cut + 1 + len(MARK)]):  # or the beginning of one
            cut = data.find(b"\n", cut + 1)
    return cut + 1


def line_pieces(pieces: Iterator[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Cut a stream behind line feeds into parts of at most ``size`` bytes, longer only where a line is.

    Yields each part and whether it is the last; where the cuts are depends on the content alone.
    """
    buffer, searched = bytearray(), 0
    for piece in pieces:
        buffer += piece
        while cut := border(buffer, 0, size, searched):
            yield bytes(buffer[:cut]), False
            del buffer[:cut]
            searched = 0
        searched = len(buffer) - len(MARK)  # a line feed behind that may stand before a mark
    yield bytes(buffer), True
