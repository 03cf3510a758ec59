"""Markup in lines; see `kernels.py` for how kernels are written.

Markup is read as what it shows: tags, and of Markdown the targets of links, the marks of headings and of bold type,
and the backslash before a mark are no tokens and have no length. Links keep their brackets, italics their marks.
A line of nothing else is read as if it were text.
"""

from typing import Any

from cleaner.kernels import jit

LONGEST = 2048  # bytes of a tag, or of a link's target in Markdown
# Bytes.
BLANK, QUOTE_MARK, HASH, QUERY, OPENED, CLOSED, STAR, HYPHEN, DOT = 32, 34, 35, 63, 40, 41, 42, 45, 46
COLON_BYTE = 58
STROKE, FROM, EQUALS, TO, BACKSLASH, BRACKET = 47, 60, 61, 62, 92, 93


@jit
def target(data: Any, at: int, end: int) -> int:
    """Return how many bytes the target of a Markdown link has that begins at a byte, with its parentheses; 0 for none.

    It is an address, perhaps with a title in quotation marks.
    """
    if at + 1 >= end or data[at] != OPENED:
        return 0
    depth, address, last = 1, data[at + 1] == CLOSED, min(end, at + LONGEST)
    for place in range(at + 1, last):
        byte = data[place]
        if byte == BLANK:
            if not address or place + 2 >= end or data[place + 1] != QUOTE_MARK:
                return 0
            for closing in range(place + 3, last):
                if data[closing] == CLOSED and data[closing - 1] == QUOTE_MARK:
                    return closing + 1 - at
            return 0
        if byte == OPENED and data[place - 1] == BRACKET:
            return 0
        address = address or byte == STROKE or byte == HASH or byte == DOT or byte == QUERY or byte == COLON_BYTE
        depth += (byte == OPENED) - (byte == CLOSED)
        if depth == 0:
            return place + 1 - at if address else 0
    return 0


@jit
def ascii_letter(byte: int) -> bool:
    """Tell whether a byte is a letter of ASCII."""
    return (byte >= 97 and byte <= 122) or (byte >= 65 and byte <= 90)


@jit
def ascii_digit(byte: int) -> bool:
    """Tell whether a byte is a digit of ASCII."""
    return byte >= 48 and byte <= 57


@jit
def tag(data: Any, at: int, end: int) -> int:
    """Return how many bytes a tag of HTML has that begins at a byte; 0 for none."""
    place = at + 1 + (at + 1 < end and data[at + 1] == STROKE)
    if place >= end or not ascii_letter(data[place]):
        return 0
    while place < end and (ascii_letter(data[place]) or data[place] == HYPHEN or ascii_digit(data[place])):
        place += 1
    named, valued = place, False
    for closing in range(place, min(end, at + LONGEST)):
        byte = data[closing]
        if byte == FROM or (closing == named and byte != BLANK and byte != STROKE and byte != TO):
            return 0
        valued |= byte == EQUALS
        if byte == TO:
            return closing + 1 - at if valued or closing == named or data[closing - 1] == STROKE else 0
    return 0


@jit
def markup(data: Any, at: int, begin: int, end: int) -> int:
    """Return how many bytes of markup begin at a byte; 0 for none."""
    byte, after = data[at], at + 1
    if byte == FROM:
        return tag(data, at, end)
    if byte == HASH and at == begin:
        while after < end and data[after] == HASH:
            after += 1
        return after - at if after < end and data[after] == BLANK else 0
    if byte == STAR and after < end and data[after] == STAR:
        return 2
    if byte != BACKSLASH or after >= end or data[after] <= BLANK or data[after] >= 127:
        return 0
    return int(not ascii_digit(data[after]) and not ascii_letter(data[after]))
