"""How messages are worded."""

__all__ = ["amount", "printable"]


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
