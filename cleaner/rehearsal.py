"""The part of the training data that travels with the package: what an adapted model must not forget.

The sites whose names begin with a letter of :data:`PART`; `pyproject.toml` puts the same into the wheel.
"""

from pathlib import Path

from cleaner.corpus import LabelledDocument, fold_of, read_labelled
from cleaner.errors import ModelError

PART = "abcdefgh"
#: One site in so many is kept out of the rehearsal and tells what is forgotten.
HELD_OUT = 3


def find_rehearsal() -> Path:
    """Return the folder of the package's training data, in a wheel or beside the package in a clone.

    Raises:
        ModelError: it is in neither place.
    """
    package = Path(__file__).parent
    for root in (package, package.parent):
        if (root / "training_data").is_dir():
            return root / "training_data"
    raise ModelError(f"{package}: the training data is missing, adapting needs it. Install line-cleaner again.")


def read_rehearsal() -> tuple[list[LabelledDocument], list[LabelledDocument]]:
    """Return the documents to rehearse, and those of other sites that tell what is forgotten."""
    sites = sorted(site for site in find_rehearsal().iterdir() if site.is_dir() and site.name[0] in PART)
    documents = read_labelled(sites)
    held = [document for document in documents if fold_of(document.site, HELD_OUT) == 0]
    return [document for document in documents if fold_of(document.site, HELD_OUT) != 0], held
