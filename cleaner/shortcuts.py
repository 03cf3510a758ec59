"""`clean` and `label` with the shipped model, loaded once."""

from functools import cache

from cleaner.cleaning import Cleaner, LabelledLine


@cache
def shipped() -> Cleaner:
    """Return the shipped model's cleaner."""
    return Cleaner.load()


def clean(text: str) -> str:
    r"""Return a document's body lines as they came, by the shipped model.

    Raises:
        TypeError: the document is no str.

    >>> clean("The ferry was back in service on Friday, the harbour office said.\n\nSHARE THIS\n")
    'The ferry was back in service on Friday, the harbour office said.\n'
    """
    return shipped().clean(text)


def label(text: str) -> list[LabelledLine]:
    r"""Return the non-blank lines of a document, each with its label, by the shipped model.

    Raises:
        TypeError: the document is no str.

    >>> [(line.number, line.label) for line in label("SHARE THIS\n")]
    [(1, 'junk')]
    """
    return shipped().label(text)
