"""How messages are worded."""

__all__ = ["amount"]


def amount(number: int, word: str) -> str:
    """Return a number with what it counts, in the singular where it is one.

    >>> amount(1, "line"), amount(0, "line"), amount(2000, "line")
    ('1 line', '0 lines', '2,000 lines')
    """
    return f"{number:,} {word}{'s' * (number != 1)}"
