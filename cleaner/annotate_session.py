"""The annotation of many documents, key by key: what a key does, which document is next. No screen.

Every change of state is an *entry*: a small dictionary that is stored first and applied then, by the same
code that applies the stored ones when the program starts again.
"""

from collections.abc import Iterable, Sequence
from string import ascii_lowercase
from typing import Any, Protocol

import numpy as np

from cleaner.annotate_order import Order
from cleaner.annotate_page import Page, Sheet
from cleaner.errors import UsageError

Entry = dict[str, Any]
PAGE_LINES = 20

#: What the keys besides those of the labels do.
KEYS = {
    "enter": "accept this line or range",
    "space": "accept the rest, on to the next document",
    "tab, shift+tab": "next, previous line in doubt",
    "12": "go to line 12",
    ".": "begin a range here (or shift and an arrow)",
    "/": "search; alone: search again",
    "backspace": "undo, also into the document before",
    "-": "skip the document for now",
    "?": "this help",
    "ctrl+q": "quit; all is saved",
    "marks": "? in doubt, ✓ label given, · after a blank line",
}


class Store(Protocol):
    """Where a session keeps what was done."""

    def record(self, entry: Entry) -> None:
        """Keep an entry for good, before anything else happens."""

    def finished(self, page: Page) -> None:
        """Write the labels of a document."""

    def reopened(self, page: Page) -> None:
        """Take the labels of a document back."""

    def objection(self, page: Page) -> str:
        """Return why the file of a document must neither be replaced nor go; empty if it may."""


def label_keys(labels: Sequence[str]) -> dict[str, str]:
    """Return a key for each label: its first letter that is free, else any that is.

    >>> label_keys(["body", "headline", "caption", "byline", "junk"])
    {'b': 'body', 'h': 'headline', 'c': 'caption', 'y': 'byline', 'j': 'junk'}
    """
    found: dict[str, str] = {}
    for label in labels:
        free = next((char for char in label + ascii_lowercase if char in ascii_lowercase and char not in found), "")
        if not free:
            raise UsageError(f"{len(labels)} labels, and a letter for each of 26 only. Annotate with fewer labels.")
        found[free] = label
    return found


class Session:
    """Documents being labelled; :meth:`press` is what the keyboard does."""

    def __init__(self, sheets: Sequence[Sheet], labels: Sequence[str], store: Store, past: Iterable[Entry] = ()):
        """Take up where the entries of the past end.

        Raises:
            UsageError: a line has been given a label that is not among the labels.
        """
        self.store = store
        self.labels = label_keys(labels)
        self.known: dict[str, dict[int, str]] = {sheet.site: {} for sheet in sheets}
        self.pages = {sheet.name: Page(sheet, self.known[sheet.site]) for sheet in sheets}
        self.order = Order(sheets)
        self.page: Page | None = None
        self.skipped: list[str] = []
        self.finished: list[str] = []
        self.unwritten: set[str] = set()  # finished, the file not yet written
        self.taken_back: set[str] = set()  # no longer finished, the file not yet gone
        self.digits = ""
        self.searched = ""
        self.notice = ""  # why the last key did nothing
        for entry in past:
            self.apply(entry)
        self.check(labels)
        self.settle()
        if self.page is None or self.page.done:
            self.open_next()
        else:
            self.page.propose()

    def check(self, labels: Sequence[str]) -> None:
        """Refuse to go on with other labels than before: the files would mix them."""
        given = [(page, line, label) for page in self.pages.values() for line, label in page.given.items()]
        other = [(page.sheet.place, line + 1, label) for page, line, label in given if label not in labels]
        if other:
            place, line, label = other[0]
            every = ",".join(dict.fromkeys([*labels, *(label for _, _, label in other)]))
            raise UsageError(
                f"{place}: line {line} was labelled {label!r}, which is none of {', '.join(labels)}. "
                f"Go on with --model and --labels as before, or name all: --labels {every}"
            )

    def settle(self) -> None:
        """Bring the files in line with the documents; after a crash, too. A file that is in line is left alone."""
        for name in sorted(self.unwritten):
            self.store.finished(self.pages[name])
        for name in sorted(self.taken_back):
            self.store.reopened(self.pages[name])
        if self.unwritten or self.taken_back:
            self.do({"do": "settled"})

    # What is stored

    def do(self, entry: Entry) -> None:
        """Store an entry and apply it."""
        self.notice = ""
        self.store.record(entry)
        self.apply(entry)

    def apply(self, entry: Entry) -> None:
        """Apply an entry; one about a document that is not among the inputs does nothing."""
        match entry:
            case {"do": "open", "document": name}:
                self.page = self.pages.get(name)
            case {"do": "anew"}:
                self.page = None
            case {"do": "settled"}:
                self.unwritten.clear()
                self.taken_back.clear()
            case _ if self.page is None:
                pass
            case {"do": "give", "lines": lines, "done": done}:
                self.page.give({int(line): label for line, label in lines.items()}, done)
                self.learn(self.page)
            case {"do": "undo"}:
                self.page.undo()
                self.learn(self.page)
                self.page.propose()
            case {"do": "at", "line": line, "start": start}:
                self.page.go(line, start)
            case {"do": "skip"}:
                name = self.page.sheet.name
                self.skipped = [*(other for other in self.skipped if other != name), name]

    def learn(self, page: Page) -> None:
        """Note whether a document is done, and let its labels carry over to like lines of the site's others."""
        name, site = page.sheet.name, page.sheet.site
        if page.done:
            self.finished.append(name)
            self.unwritten.add(name)
            self.taken_back.discard(name)
        elif name in self.finished:
            self.finished.remove(name)
            self.unwritten.discard(name)
            self.taken_back.add(name)
        self.known[site].clear()
        for other in self.pages.values():
            if other.sheet.site == site:
                self.known[site].update((other.sheet.keys[line], label) for line, label in other.given.items())

    def open(self, name: str) -> None:
        """Turn to a document, its proposals as the labels given since make them."""
        page = self.pages[name]
        self.do({"do": "open", "document": name, "digest": page.sheet.digest})
        page.propose()
        if not page.steps:
            self.go(page, page.next_unsure(-1))

    def open_next(self) -> None:
        """Turn to the document that teaches most, those skipped last; none is left: ``page`` is None."""
        names, pages = list(self.pages), list(self.pages.values())
        for page in pages:
            if not page.done:
                page.propose()
        values = self.order.values(pages)
        open_names = [names[number] for number in np.argsort(-values, kind="stable") if not pages[number].done]
        waiting = [name for name in open_names if name not in self.skipped]
        again = [name for name in self.skipped if name in open_names]
        if waiting or again:
            self.open((waiting + again)[0])
        else:
            self.page = None

    # What keys do

    def press(self, key: str) -> None:
        """Do what a key does: a character, or a name such as ``enter`` or ``shift+up``."""
        digits, self.digits = self.digits, ""
        page = self.page
        if key in ("backspace", "ctrl+z"):
            self.undo()
        elif page is None:
            pass
        elif key.isascii() and key.isdigit():
            self.digits = digits + key if digits + key != "0" else ""
            self.go(page, int(self.digits or 1) - 1, page.start)
        elif len(key) == 1 and key.lower() in self.labels:
            lines = page.chosen() if key.islower() or page.start is not None else page.run()
            self.give(page, dict.fromkeys(lines, self.labels[key.lower()]))
        elif key == "enter":
            self.give(page, {line: page.label(line) for line in page.chosen()})
        elif key == "space":
            self.finish(page)
        elif key == "-":
            self.skip()
        elif key == ".":
            self.go(page, page.cursor, page.cursor)
        elif key == "escape":
            self.go(page, page.cursor)
        else:
            self.move(page, key)

    def move(self, page: Page, key: str) -> None:
        """Move the cursor; with shift, or in a range, the range grows."""
        steps = {"up": -1, "down": 1, "pageup": -PAGE_LINES, "pagedown": PAGE_LINES, "home": -len(page)}
        steps["end"] = len(page)
        name = key.removeprefix("shift+")
        if key in ("tab", "shift+tab"):
            self.go(page, page.next_unsure(page.cursor, 1 if key == "tab" else -1), page.start)
        elif name in steps:
            start = page.cursor if key != name and page.start is None else page.start
            self.go(page, page.cursor + steps[name], start)

    def go(self, page: Page, line: int, start: int | None = None) -> None:
        """Move the cursor of the document that is open."""
        line = min(max(line, 0), len(page) - 1)
        if (line, start) != (page.cursor, page.start):
            self.do({"do": "at", "line": line, "start": start})

    def give(self, page: Page, labels: dict[int, str]) -> None:
        """Give labels and go on to the next line in doubt."""
        self.do({"do": "give", "lines": labels, "done": False})
        self.go(page, page.next_unsure(max(labels)))

    def finish(self, page: Page) -> None:
        """Accept the rest of the document, write it and go on to the next."""
        self.notice = self.store.objection(page)
        if self.notice:
            return
        self.do({"do": "give", "lines": page.rest(), "done": True})
        self.settle()
        self.open_next()

    def skip(self) -> None:
        """Leave the document for later."""
        self.do({"do": "skip"})
        self.open_next()

    def undo(self) -> None:
        """Take the last step back; where there is none, that of the document finished last."""
        if self.page is None or not self.page.steps:
            if not self.finished:
                return
            self.notice = self.store.objection(self.pages[self.finished[-1]])
            if self.notice:
                return
            self.open(self.finished[-1])
        self.do({"do": "undo"})
        self.settle()

    def search(self, text: str) -> bool:
        """Go to the next line that holds a text, round the end; an empty text is the last one again."""
        self.searched = text or self.searched
        page = self.page
        if page is None or not self.searched:
            return False
        found = page.find(self.searched, [*range(page.cursor + 1, len(page)), *range(page.cursor + 1)])
        if found is not None:
            self.go(page, found, page.start)
        return found is not None

    def left(self) -> int:
        """Return how many documents are not finished."""
        return sum(not page.done for page in self.pages.values())
