"""Progress and summary of a batch run, on stderr: a bar on a terminal, else a line every ten seconds."""

import sys
import time
from collections.abc import Callable
from typing import Any

from cleaner.summary import frequent
from cleaner.wording import amount, printable, tame

EVERY = 10.0  # seconds between lines


class Reporter:
    """Says how a run goes; use it in a with statement."""

    def __init__(self, quiet: bool, write: Callable[[str], None]) -> None:
        """Nothing is shown before :meth:`start`; with ``quiet`` never."""
        self.quiet, self.write = quiet, write
        self.begun = self.last = time.monotonic()
        self.bar: Any = None
        self.task: Any = None
        self.on = False
        self.before: int | None = None

    def __enter__(self) -> "Reporter":
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def say(self, message: str) -> None:
        """Write a line, above the bar if there is one."""
        message = tame(message)
        if self.bar is not None:
            self.bar.console.print(message, markup=False, highlight=False, soft_wrap=True)
        else:
            self.write(message)

    def start(self) -> None:
        """Begin to show progress."""
        self.on = not self.quiet
        if self.on and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
            self.bar = Progress(*columns, console=Console(stderr=True))
            self.task = self.bar.add_task("starting", total=None)
            self.bar.start()

    def progress(self, counts: dict[str, Any], total: int) -> None:
        """Show how far a run is; ``total`` bytes in all, 0 if unknown."""
        if not self.on:
            return
        now = time.monotonic()
        if self.before is None:  # what was there before is no work of this run
            self.before = counts["bytes"]
        words = counts.get("words_kept", 0) + counts.get("words_removed", 0)
        share = counts.get("words_removed", 0) / words if words else 0.0
        speed = (counts["bytes"] - self.before) / 1e6 / max(now - self.begun, 1e-3)
        documents = amount(counts["documents"], "document")
        text = f"{documents}, {speed:.1f} MB/s, {share:.0%} removed, {counts['failed']:,} failed"
        if self.bar is not None:
            self.bar.update(self.task, description=text, completed=counts["bytes"], total=total or None)
        elif now - self.last >= EVERY:
            self.last = now
            left = (total - counts["bytes"]) / 1e6 / speed if total and speed else 0.0
            self.write(text + (f", {left / 60:.0f} min left" if left > 0 else ""))

    def summary(self, counts: dict[str, Any]) -> None:
        """Say at the end what was done."""
        self.write(
            f"{amount(counts['documents'], 'document')}, {counts['failed']:,} failed, {counts['rejected']:,} rejected; "
            f"words: {counts['words_kept']:,} kept, {counts['words_removed']:,} removed"
        )
        for label, lines in counts.get("lines", {}).items():
            self.write(f"  {label:10} {lines:12,} lines {counts['words'].get(label, 0):14,} words")
        for title in ("kinds", "flags", "rules", "encodings", "failures"):
            if counts.get(title):
                parts = ", ".join(f"{name} {n:,}" for name, n in sorted(counts[title].items()))
                self.write(f"{title}: {parts}")
        lines = frequent(counts.get("removed_lines", {}), 10)
        if lines:
            self.write("most often removed:")
        for line, count in lines:
            self.write(f"  {count:8,}  {printable(line[:80])}")
