"""How messages are worded."""

#: Characters that command a terminal, but for ends of lines.
COMMANDS = dict.fromkeys((*range(10), *range(11, 32), *range(127, 160)), " ")


def amount(number: int, word: str) -> str:
    """Return a number with what it counts, in the singular where it is one.

    >>> amount(1, "line"), amount(0, "line"), amount(2000, "line")
    ('1 line', '0 lines', '2,000 lines')
    """
    return f"{number:,} {word}{'s' * (number != 1)}"


def printable(text: str) -> str:
    r"""Return a text with a space for each character that shows nothing, as those that command a terminal.

    >>> printable("one\x1b[2J two\tthree\u00a0four")
    'one [2J two three four'
    """
    return "".join(char if char.isprintable() else " " for char in text)


def short(text: str, size: int) -> str:
    """Return a text, or so many of its characters with an ellipsis where there are more."""
    return text[:size] + "…" * (len(text) > size)


def tame(text: str) -> str:
    r"""Return a text of lines with a space for each character that commands a terminal.

    >>> tame("a.jsonl:3: no field 'text'\nits fields: \x1b[2Jx")
    "a.jsonl:3: no field 'text'\nits fields:  [2Jx"
    """
    return text.translate(COMMANDS)
