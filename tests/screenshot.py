"""Draws the README's picture of cleaner annotate: python tests/screenshot.py"""

import asyncio
import re
from pathlib import Path

import numpy as np

from cleaner.annotate_app import AnnotateApp
from cleaner.annotate_page import Page, Sheet
from cleaner.annotate_session import Entry, Session

PICTURE = Path(__file__).with_name("annotate.svg")
LABELS = ["body", "headline", "caption", "byline", "junk"]
#: Proposed label, doubt, words on it, line: invented, so that the picture does not change with the model.
ROWS = [
    ("headline", 0.02, "headline 0.98, junk 0.01", "Night bus to Marrow Hill returns after two winters"),
    ("byline", 0.01, "byline 0.99", "By Tove Albrecht, Transport Reporter"),
    ("junk", 0.03, "junk 0.97", "Save Share Print"),
    ("caption", 0.41, "caption 0.59, body 0.38", "The last 61 leaves the depot at Crane Street on Tuesday night."),
    (
        "body",
        0.04,
        "body 0.96",
        "The night bus to Marrow Hill is back from Monday, two winters after it was cut to save fuel.",
    ),
    (
        "body",
        0.02,
        "body 0.98",
        "Four buses an hour will run until half past two, the council said, one more than before.",
    ),
    ("body", 0.46, "body 0.54, junk 0.42", "More on this: what the ring road cost, street by street"),
    ("body", 0.03, "body 0.97", "“I walked home for two years,” said Imre Adeyemi, a baker. “My shoes are glad.”"),
    ("body", 0.28, "body 0.72, caption 0.21", "A ticket costs the same by night as by day."),
    ("junk", 0.08, "junk 0.92", "R. Castellane/City Desk"),
    ("junk", 0.02, "junk 0.98", "Get the Crane Street letter every Friday"),
]


class Nowhere:
    """A store that keeps nothing."""

    def record(self, entry: Entry) -> None:
        """Keep nothing."""

    def finished(self, page: Page) -> None:
        """Write nothing."""

    def reopened(self, page: Page) -> None:
        """Take nothing back."""

    def objection(self, page: Page) -> str:
        """Find nothing wrong."""
        return ""


def example() -> Sheet:
    """Return an invented document with invented proposals."""
    proposed, doubt, hints, lines = zip(*ROWS, strict=True)
    blanks = tuple(number in (1, 4, 5, 7, 8, 10) for number in range(len(ROWS)))
    kinds, keys = ("",) * len(ROWS), tuple(range(1, len(ROWS) + 1))
    place = Path("crane-street/night-bus.tsv")
    words = np.ones(1, np.float32)
    return Sheet("crane-street/night-bus", place, lines, blanks, proposed, kinds, doubt, hints, keys, words)


def draw() -> str:
    """Return the picture of the program after its first key."""

    async def run() -> str:
        app = AnnotateApp(Session([example()], LABELS, Nowhere()))
        async with app.run_test(size=(100, 23)) as pilot:
            await pilot.press("c")
            await pilot.pause()
            picture = app.export_screenshot(title="cleaner annotate")
            return re.sub(r"@font-face {.*?}\n", "", picture, flags=re.S)  # nothing is fetched to show it

    return asyncio.run(run())


if __name__ == "__main__":
    PICTURE.write_text(draw(), "utf-8")
