"""The annotation's screen: the real program, driven by Textual's pilot and through a terminal."""

import asyncio
import os
import re
import select
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from screenshot import PICTURE, draw, example
from textual.pilot import Pilot
from textual.widgets import Input, Static

from cleaner.annotate_app import AnnotateApp
from cleaner.annotate_files import Folder, places, proposals, text_files
from cleaner.annotate_session import Session
from cleaner.cleaning import Cleaner
from cleaner.corpus import read_tsv
from cleaner.wording import printable

COMMAND = str(Path(sys.executable).with_name("cleaner"))
README = Path(__file__).parents[1] / "README.md"
TEXT = "Ferry back in service\n\nThe ferry was back in service on Friday, the harbour office said.\n\nSHARE THIS\n"


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    for name in ("ferry", "bridge"):
        (tmp_path / "quay").mkdir(exist_ok=True)
        (tmp_path / "quay" / f"{name}.txt").write_text(f"{TEXT}About the {name} [bold]x[/bold] \x1b[31m\n")
    return tmp_path / "quay"


def session(texts: Path, cleaner: Cleaner) -> Session:
    """Begin, or go on with, an annotation as the command does."""
    out = texts.parent / "out"
    files = places(text_files([texts]), out, "")
    folder = Folder.open(out)
    sheets = [one for one in (proposals(file, place, cleaner) for file, place in files.items()) if one]
    return Session(sheets, cleaner.model.labels, folder, folder.journal.entries)


def drive(one: Session, steps: Callable[[AnnotateApp, Pilot[None]], Awaitable[None]]) -> None:
    """Run the program without a terminal and let go of its files."""

    async def run() -> None:
        app = AnnotateApp(one)
        async with app.run_test(size=(90, 24)) as pilot:
            await pilot.pause()
            await steps(app, pilot)

    asyncio.run(run())
    assert isinstance(one.store, Folder)
    one.store.journal.close()


def text_of(app: AnnotateApp, name: str) -> str:
    return str(app.query_one(name, Static).render())


def test_keys_reach_the_session(texts: Path, cleaner: Cleaner) -> None:
    one = session(texts, cleaner)

    async def steps(app: AnnotateApp, pilot: Pilot[None]) -> None:
        page = one.page
        assert page is not None
        await pilot.press("1", "h", "3", "full_stop", "shift+down", "J")
        assert page.given == {0: "headline", 2: "junk", 3: "junk"}
        await pilot.press("backspace", "2", "tab", "shift+tab", "home", "end", "pageup", "pagedown", "ctrl+z")
        assert page.given == {}
        await pilot.press("minus", "space")
        assert one.left() == 1
        assert "1 of 2 documents done" in text_of(app, "#top")
        await pilot.press("space")
        assert one.page is None
        assert "all documents are labelled" in text_of(app, "#top")
        await pilot.press("backspace", "space", "j", "enter")
        await pilot.press("ctrl+q")

    drive(one, steps)
    read = [read_tsv(path) for path in sorted((texts.parent / "out").rglob("*.tsv"))]
    assert [document.id for document in read] == ["quay/bridge", "quay/ferry"]


def test_search_and_help(texts: Path, cleaner: Cleaner) -> None:
    one = session(texts, cleaner)

    async def steps(app: AnnotateApp, pilot: Pilot[None]) -> None:
        page = one.page
        assert page is not None
        assert "ctrl+q quit" in text_of(app, "#keys")
        await pilot.press("home", "slash", *"share", "enter")
        assert page.cursor == 2
        assert page.given == {}
        await pilot.press("slash", *"bjc", "escape", "home", "slash", "enter")
        assert page.cursor == 2
        assert not app.query_one("#search", Input).display
        await pilot.press("question_mark")
        assert "go to line 12" in text_of(app, "#keys")
        await pilot.press("question_mark")
        assert "go to line 12" not in text_of(app, "#keys")

    drive(one, steps)


def test_mouse_and_size(texts: Path, cleaner: Cleaner) -> None:
    one = session(texts, cleaner)

    async def steps(app: AnnotateApp, pilot: Pilot[None]) -> None:
        page = one.page
        assert page is not None
        await pilot.click(app.lines, offset=(20, 2))
        assert page.cursor == 2
        assert "line 3: " in text_of(app, "#line")
        await pilot.click(app.lines, offset=(20, 9))
        assert page.cursor == 3
        await pilot.resize_terminal(20, 8)
        await pilot.press("home", "j")
        assert page.given == {0: "junk"}

    drive(one, steps)


def test_long_document_keeps_the_cursor_in_sight(tmp_path: Path, cleaner: Cleaner) -> None:
    (tmp_path / "quay").mkdir()
    (tmp_path / "quay" / "long.txt").write_text("".join(f"Line number {n} of the log.\n" for n in range(500)))
    one = session(tmp_path / "quay", cleaner)

    async def steps(app: AnnotateApp, pilot: Pilot[None]) -> None:
        for keys, row in ((("end",), 499), (("home",), 0), (("2", "5", "0"), 249), (("pageup",), 229)):
            await pilot.press(*keys)
            await pilot.pause()
            assert one.page is not None
            assert one.page.cursor == row
            assert app.lines.scroll_offset.y <= row < app.lines.scroll_offset.y + app.lines.size.height

    drive(one, steps)


def test_goes_on_where_it_stopped(texts: Path, cleaner: Cleaner) -> None:
    def at(one: Session) -> tuple[str, dict[int, str], int]:
        assert one.page is not None
        return one.page.sheet.name, dict(one.page.given), one.page.cursor

    async def steps(app: AnnotateApp, pilot: Pilot[None]) -> None:
        await pilot.press("space", "2", "c", "1", "h", "4")

    one = session(texts, cleaner)
    drive(one, steps)
    again = session(texts, cleaner)
    assert at(again) == at(one)
    assert at(again)[1:] == ({0: "headline", 1: "caption"}, 3)
    assert again.left() == 1
    assert isinstance(again.store, Folder)
    again.store.journal.close()


def test_the_screen_says_why_nothing_is_undone(texts: Path, cleaner: Cleaner) -> None:
    one = session(texts, cleaner)

    async def steps(app: AnnotateApp, pilot: Pilot[None]) -> None:
        await pilot.press("space")
        (place,) = (texts.parent / "out").rglob("*.tsv")
        place.write_text("junk\tBy hand.\n")
        await pilot.press("backspace")
        assert f"{place.name}: changed by other means" in text_of(app, "#line")
        await pilot.click(app.lines, offset=(20, 2))
        assert "changed by other means" not in text_of(app, "#line")

    drive(one, steps)


def test_a_full_disk_ends_the_program(texts: Path, cleaner: Cleaner, monkeypatch: pytest.MonkeyPatch) -> None:
    one = session(texts, cleaner)

    def full(entry: object) -> None:
        raise OSError(28, "No space left on device")

    async def steps(app: AnnotateApp, pilot: Pilot[None]) -> None:
        monkeypatch.setattr(one.store, "record", full)
        await pilot.press("1", "h")
        assert isinstance(app.failure, OSError)
        assert one.page is not None
        assert one.page.given == {}

    drive(one, steps)


def test_text_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[31m\tb\u202ec\u00a0d") == "a [31m b c d"


def test_screenshot_is_the_one_in_the_readme() -> None:
    """The picture in the README shows what the program draws now; fonts and the like are Textual's."""
    assert f"]({PICTURE.relative_to(README.parent)})" in README.read_text("utf-8")
    there, now = (set(re.findall(r">([^<>]+)</text>", svg)) for svg in (PICTURE.read_text("utf-8"), draw()))
    assert now == there
    words = " ".join(there).replace("&#160;", " ")
    assert all(label in words for label in ("headline", "byline", "caption", "body", "junk", "accept", "in doubt"))
    assert all(line[:40] in words for line in example().lines)


@pytest.fixture
def terminal(texts: Path) -> Iterator[Callable[[list[str]], tuple[int, int]]]:
    """Run the command in a pseudo-terminal; returns process and terminal."""
    pty = pytest.importorskip("pty")
    running = []

    def start(arguments: list[str]) -> tuple[int, int]:
        process, handle = pty.fork()
        if process == 0:
            os.environ["TERM"] = "xterm-256color"
            os.execv(COMMAND, [COMMAND, *arguments])
        running.append((process, handle))
        return process, handle

    yield start
    for _, handle in running:
        os.close(handle)


def exit_code(process: int, seconds: float = 60) -> int:
    """Wait until a process has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(process, 9)
    raise AssertionError(f"has not ended after {seconds} seconds")


def wait_for(handle: int, what: str, seconds: float = 60) -> str:
    """Read what a terminal shows until a text is in it."""
    seen, end = b"", time.monotonic() + seconds
    while what.encode() not in seen and time.monotonic() < end:
        if select.select([handle], [], [], 0.2)[0]:
            try:
                seen += os.read(handle, 65536)
            except OSError:  # the program has ended
                break
    assert what.encode() in seen, seen.decode("utf-8", "replace")[-2000:]
    return seen.decode("utf-8", "replace")


def test_the_command_in_a_terminal_killed_and_started_again(
    texts: Path, terminal: Callable[[list[str]], tuple[int, int]]
) -> None:
    out = texts.parent / "out"
    process, handle = terminal(["annotate", str(texts), "-o", str(out)])
    wait_for(handle, "0 of 2 documents done")
    for key in b"1h2c":
        os.write(handle, bytes([key]))
    wait_for(handle, "2 of 4 given")
    os.kill(process, 9)
    os.waitpid(process, 0)
    process, handle = terminal(["annotate", str(texts), "-o", str(out)])
    wait_for(handle, "2 of 4 given")
    os.write(handle, b" ")
    wait_for(handle, "1 of 2 documents done")
    os.write(handle, b"\x11")
    wait_for(handle, "1 of 2 documents labelled in")
    assert exit_code(process) == 0
    (written,) = out.rglob("*.tsv")
    assert read_tsv(written).labels[:2] == ("headline", "caption")


def test_suspects_are_corrected_in_place(tmp_path: Path, terminal: Callable[[list[str]], tuple[int, int]]) -> None:
    cases = Path(__file__).with_name("cases")
    (tmp_path / "wrong/quay").mkdir(parents=True)
    for _ in range(2):  # the second time the same mistakes are made again by hand
        for path in cases.glob("en-*.tsv"):
            text = path.read_text("utf-8").replace("body\tASHBROOK", "junk\tASHBROOK")
            (tmp_path / "wrong/quay" / path.name).write_text(text, "utf-8")
        process, handle = terminal(["annotate", "--suspects", str(tmp_path / "wrong"), "--in-place"])
        wait_for(handle, "rather body")
        os.write(handle, b"b")
        wait_for(handle, "1 of 16 given")
        os.write(handle, b" ")
        wait_for(handle, "1 of 1 document done")
        os.write(handle, b"\x11")
        wait_for(handle, "labelled in")
        assert exit_code(process) == 0
        for path in cases.glob("en-*.tsv"):
            assert (tmp_path / "wrong/quay" / path.name).read_text("utf-8") == path.read_text("utf-8")


def test_the_command_goes_on_though_a_labelled_text_was_fetched_anew(
    texts: Path, terminal: Callable[[list[str]], tuple[int, int]]
) -> None:
    out = texts.parent / "out"
    for keys, words in ((b" ", "1 of 2 documents labelled in"), (b"", "0 of 1 document labelled in")):
        process, handle = terminal(["annotate", str(texts), "-o", str(out)])
        assert ("has changed since it was labelled, left out" in wait_for(handle, " done")) is not bool(keys)
        os.write(handle, keys + b"\x11")
        wait_for(handle, words)
        assert exit_code(process) == 0
        (written,) = out.rglob("*.tsv")
        (texts / f"{written.stem}.txt").write_text("Another text.\n")


def test_the_command_with_labels_of_the_user(texts: Path, terminal: Callable[[list[str]], tuple[int, int]]) -> None:
    out = texts.parent / "out"
    for labels, words in (
        ("speaker", "no body among them"),
        ("body,speaker,stage", "1 of 2 documents labelled"),
        ("body,stage", "was labelled 'speaker', which is none of body, stage"),
        ("", "or name all: --labels body,headline,caption,byline,junk,speaker"),
        ("body,stage,speaker", "1 of 2 documents labelled"),
    ):
        process, handle = terminal(["annotate", str(texts), "-o", str(out), "--labels", labels])
        right = words.startswith("1 of")
        if right:
            wait_for(handle, " done")
            os.write(handle, b"\x11" if list(out.rglob("*.tsv")) else b"1s \x11")
        wait_for(handle, words)
        assert exit_code(process) == (0 if right else 2)
    (written,) = out.rglob("*.tsv")
    assert set(read_tsv(written).labels) == {"speaker", "body"}
