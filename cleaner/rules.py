"""A user's own rules: lines that always go or always stay, whatever the model says."""

import re
import warnings
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from cleaner.errors import UsageError
from cleaner.lines import BOM, blank, content, split

Applied = tuple[bytes, list[int], dict[int, bytes], set[int]]


@cache
def compiled(patterns: tuple[str, ...], origin: str) -> list[re.Pattern[str]]:
    """Compile regular expressions, once for all blocks.

    Raises:
        UsageError: one is wrong, too large, or empty, which would find every line; names where they come from.
    """
    found = []
    for pattern in patterns:
        if not pattern:
            raise UsageError(
                f"{origin} '': is empty, and finds every line. Give a regular expression; '.' is any line."
            )
        try:
            with warnings.catch_warnings():  # of what may mean something else in a later Python
                warnings.simplefilter("ignore")
                found.append(re.compile(pattern))
        except RecursionError:
            raise UsageError(f"{origin}: parentheses too deep. Simplify the regular expression.") from None
        except (re.error, OverflowError) as error:
            raise UsageError(f"{origin} {pattern!r}: {error}. Correct the regular expression.") from None
    return found


def read_rules(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read a rules file: ``drop: REGEX`` or ``keep: REGEX`` a line, comments after ``#`` at its start.

    Returns the expressions to drop by and to keep by.

    Raises:
        UsageError: the file cannot be read or a line is neither, or its expression is wrong; names the line.
    """
    found: dict[str, list[str]] = {"drop": [], "keep": []}
    try:
        rows = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error}). Give a UTF-8 file of rules.") from None
    for number, row in enumerate(rows, 1):
        if not row.strip() or row.startswith("#"):
            continue
        verb, colon, pattern = row.partition(":")
        if verb.strip() not in found or not colon or not pattern.strip():
            raise UsageError(f"{path}:{number}: no rule. Write drop: REGEX or keep: REGEX.")
        compiled((pattern.strip(),), f"{path}:{number}: {verb.strip()}:")
        found[verb.strip()].append(pattern.strip())
    return tuple(found["drop"]), tuple(found["keep"])


@dataclass
class Rules:
    """Expressions searched in each line without its ending; what is kept by one is not dropped by another."""

    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Compile the expressions."""
        self.drops = compiled(self.drop, "--always-drop")
        self.keeps = compiled(self.keep, "--always-keep")

    def __bool__(self) -> bool:
        return bool(self.drop or self.keep)

    def match(self, patterns: list[re.Pattern[str]], line: str) -> re.Pattern[str] | None:
        """Return the first expression that finds something."""
        return next((one for one in patterns if one.search(line)), None)

    def apply(self, document: bytes) -> Applied:
        """Take the lines out that always go, with the blank lines that follow them.

        Returns what is left, the number of each line that is left, the lines taken out by number, and
        the numbers of the lines that always stay. Numbers count from 1.
        """
        text = document.decode("utf-8", "surrogatepass")
        mark = BOM if text.startswith(BOM) else ""
        left, numbers, gone, stay = [mark], [], {}, set()
        falling = False
        for number, row in enumerate(split(text[len(mark) :]), 1):
            line = content(row)
            if blank(line):
                goes = falling
            elif found := self.match(self.keeps, line):
                self.counts[f"keep: {found.pattern}"] += 1
                stay.add(number)
                goes = falling = False
            else:
                found = self.match(self.drops, line)
                goes = falling = found is not None
                if found:
                    self.counts[f"drop: {found.pattern}"] += 1
            if goes:
                gone[number] = row.encode("utf-8", "surrogatepass")
            else:
                left.append(row)
                numbers.append(number)
        return "".join(left).encode("utf-8", "surrogatepass"), numbers, gone, stay
