"""Score each line of scraped article text as body, headline, caption, byline or junk, and keep the body."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cleaner.batch import Summary, clean_files
    from cleaner.classifier import LineClassifier
    from cleaner.cleaning import Cleaner, LabelledLine
    from cleaner.comparison import compare
    from cleaner.errors import CleanerError
    from cleaner.evaluation import evaluate
    from cleaner.options import BatchOptions
    from cleaner.restoring import restore
    from cleaner.shortcuts import clean, label
    from cleaner.training import train
    from cleaner.trial import adapt

__all__ = [
    "BatchOptions",
    "Cleaner",
    "CleanerError",
    "LabelledLine",
    "LineClassifier",
    "Summary",
    "adapt",
    "clean",
    "clean_files",
    "compare",
    "evaluate",
    "label",
    "restore",
    "train",
]

#: Where each public name lives; loaded on first use, so that importing cleaner costs nothing.
HOMES = {
    "BatchOptions": "options",
    "Cleaner": "cleaning",
    "CleanerError": "errors",
    "LabelledLine": "cleaning",
    "LineClassifier": "classifier",
    "Summary": "batch",
    "adapt": "trial",
    "clean": "shortcuts",
    "clean_files": "batch",
    "compare": "comparison",
    "evaluate": "evaluation",
    "label": "shortcuts",
    "restore": "restoring",
    "train": "training",
}


def __dir__() -> list[str]:
    """Name what is public, for completion."""
    return list(__all__)


if not TYPE_CHECKING:  # else every name would be there

    def __getattr__(name: str) -> Any:
        """Load a public name's module when it is first asked for (PEP 562)."""
        if name not in HOMES:
            raise AttributeError(f"module 'cleaner' has no attribute {name!r}")
        return getattr(import_module(f"cleaner.{HOMES[name]}"), name)
