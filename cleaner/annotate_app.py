"""The screen of an annotation, on Textual: shows a session and hands it the keys. Decides nothing itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Input, Static

from cleaner.annotate_page import Page
from cleaner.annotate_session import KEYS, Session
from cleaner.errors import CleanerError
from cleaner.wording import amount, printable

COLOURS = ["#9ece6a", "#7dcfff", "#e0af68", "#bb9af7", "#f7768e", "#7aa2f7", "#ff9e64", "#73daca"]
CURSOR, RANGE = Style(bgcolor="#33467c"), Style(bgcolor="#292e42")
SETTLED = Style(dim=True)
#: Keys that Textual names otherwise than by their character.
WIDE = {"enter", "space", "tab"}
LONGEST = 2000  # characters of the line at the cursor that are shown


class Lines(ScrollView, can_focus=True):
    """The lines of the document that is open: number, mark, label, text; one row each."""

    def __init__(self, session: Session) -> None:
        """Show a session."""
        super().__init__()
        self.session = session
        names = list(session.labels.values())
        self.colour = {label: Style(color=COLOURS[n % len(COLOURS)]) for n, label in enumerate(names)}
        self.wide = max(map(len, names))

    def show(self) -> None:
        """Draw anew, the cursor in sight."""
        page = self.session.page
        self.virtual_size = Size(self.size.width, len(page) if page else 0)
        if page:
            top, height = self.scroll_offset.y, max(self.size.height, 1)
            wanted = min(max(top, page.cursor - height + 2), max(page.cursor - 1, 0))
            self.scroll_to(y=wanted, animate=False, immediate=True)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return a row of the screen."""
        page, line = self.session.page, y + self.scroll_offset.y
        if page is None or line >= len(page):
            return Strip.blank(self.size.width, self.rich_style)
        return self.row(page, line).crop(0, self.size.width).apply_style(self.rich_style)

    def row(self, page: Page, line: int) -> Strip:
        """Return a line of the document: ``?`` wants a look, ``✓`` has been given its label."""
        label = page.label(line)
        mark = "✓" if line in page.given else "?" if page.unsure(line) else " "
        ground = CURSOR if line == page.cursor else RANGE if line in page.chosen() else Style()
        colour = self.colour.get(label, Style()) + ground
        gap = "·" if page.sheet.blank_before[line] else " "
        return Strip(
            [
                Segment(f"{line + 1:>4} ", SETTLED + ground),
                Segment(f"{mark} ", Style(bold=True, color="#ff9e64" if mark == "?" else None) + ground),
                Segment(f"{label:<{self.wide}} {gap} ", colour + Style(bold=page.unsure(line))),
                Segment(printable(page.sheet.lines[line][: self.size.width]), colour),
                Segment(" " * self.size.width, ground),
            ]
        )

    def on_click(self, event: events.Click) -> None:
        """Say which line is under the mouse."""
        self.post_message(Pointed(event.y + self.scroll_offset.y))


class Pointed(Message):
    """The mouse points at a line."""

    def __init__(self, line: int) -> None:
        """Take the line's number, from 0."""
        super().__init__()
        self.line = line


class AnnotateApp(App[None]):
    """The program: a line on the whole, the document, the line at the cursor, the keys."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [("ctrl+q", "quit", "quit")]
    CSS = """
    Screen { background: #1a1b26; color: #c0caf5; }
    #top { height: 1; background: #292e42; padding: 0 1; }
    Lines { height: 1fr; background: #1a1b26; scrollbar-size-vertical: 1; }
    #line { height: 5; border-top: solid #3b4261; padding: 0 1; }
    #keys { height: auto; background: #292e42; padding: 0 1; }
    #search { height: 3; display: none; }
    """

    def __init__(self, session: Session) -> None:
        """Show a session."""
        super().__init__()
        self.session = session
        self.lines = Lines(session)
        self.help = False
        self.failure: CleanerError | OSError | None = None

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        yield Static(id="top", markup=False)
        yield self.lines
        yield Static(id="line", markup=False)
        yield Input(id="search", placeholder="search: text and Enter; Enter alone searches again")
        yield Static(id="keys", markup=False)

    def on_mount(self) -> None:
        """Start with the document in front."""
        self.lines.focus()
        self.call_after_refresh(self.show)

    def on_resize(self) -> None:
        """Draw anew."""
        self.call_after_refresh(self.show)

    def on_pointed(self, event: Pointed) -> None:
        """Go to a line."""
        page = self.session.page
        if page:
            with self.kept():
                self.session.go(page, event.line)
            self.show()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """End the program if what is done cannot be kept; :attr:`failure` says why."""
        try:
            yield
        except (CleanerError, OSError) as error:
            self.failure = error
            self.exit()

    def on_key(self, event: events.Key) -> None:
        """Hand a key to the session; the search line has its own."""
        search = self.query_one("#search", Input)
        if search.has_focus:
            if event.key == "escape":
                self.close_search(search)
            return
        if event.key == "ctrl+q":
            return
        event.stop()
        event.prevent_default()
        character = event.character if event.is_printable and event.key not in WIDE else None
        self.press(character or event.key)

    def press(self, key: str) -> None:
        """Do what a key does; those about the screen alone are done here."""
        if key == "?":
            self.help = not self.help
        elif key == "/":
            search = self.query_one("#search", Input)
            search.display, search.value = True, ""
            search.focus()
        else:
            with self.kept():
                self.session.press(key)
        self.show()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Search."""
        with self.kept():
            if not self.session.search(event.value):
                self.bell()
        self.close_search(event.input)

    def close_search(self, search: Input) -> None:
        """Put the search line away."""
        search.display = False
        self.lines.focus()
        self.show()

    def show(self) -> None:
        """Draw the state of the session."""
        page, session = self.session.page, self.session
        total = len(session.pages)
        done = total - session.left()
        where = f"{page.sheet.name}  ·  " if page else "all documents are labelled  ·  "
        unsure = sum(map(page.unsure, range(len(page)))) if page else 0
        counts = f"  ·  {unsure} in doubt  ·  {len(page.given)} of {len(page)} given" if page else ""
        self.query_one("#top", Static).update(f"{where}{done} of {amount(total, 'document')} done{counts}")
        detail = self.detail(page) if page else Text("ctrl+q quits, backspace undoes")
        self.query_one("#line", Static).update(Text(session.notice, style="bold") if session.notice else detail)
        self.query_one("#keys", Static).update(self.keys())
        self.lines.show()

    def detail(self, page: Page) -> Text:
        """Return the line at the cursor in full, and what the model holds of it."""
        line = page.cursor
        chosen = page.chosen()
        words = f"lines {chosen[0] + 1} to {chosen[-1] + 1}" if len(chosen) > 1 else f"line {line + 1}"
        hint = page.sheet.hints[line]
        text = Text(f"{words}: {page.label(line)}" + (f"   ({hint})" if hint else ""), style="bold")
        return text.append(f"\n{printable(page.sheet.lines[line][:LONGEST])}", style="not bold")

    def keys(self) -> Text:
        """Return the keys of the labels, and those of all else in short, or with what they do."""
        text = Text()
        for key, label in self.session.labels.items():
            text.append(f" {key} ", style="reverse").append(f" {label}  ", style=self.lines.colour[label])
        text.append(" capital: the run of lines from here\n")
        if not self.help:
            short = "enter accept  space accept the rest  tab next in doubt  . range  / search  - skip  "
            return text.append(f"{short}backspace undo  ? help  ctrl+q quit", style="dim")
        for key, meaning in KEYS.items():
            text.append(f" {key} ", style="bold").append(f"{meaning}\n", style="dim")
        return text
