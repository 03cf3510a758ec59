"""What became of each output of a run while its blocks come in."""

from typing import BinaryIO

from cleaner.encodings import extends_ascii
from cleaner.job import Done
from cleaner.options import BatchOptions
from cleaner.records import Block
from cleaner.summary import Counts, add, taken_back
from cleaner.targets import Plan


class Outputs:
    """Of each output: whether a document came of its input, and whether a record of that failed."""

    def __init__(self, plan: Plan, options: BatchOptions, stdout: BinaryIO | None) -> None:
        """Nothing has come of any input yet; ``stdout`` takes what has no file."""
        self.plan, self.options, self.stdout = plan, options, stdout
        self.unended = -1  # the input of a text on standard output to which no line end was written yet
        self.read: set[int] = set()
        self.failed: set[int] = set()
        self.under: Counts = {}  # of the input under way, if its output is written whole or not at all

    def show(self, data: bytes) -> None:
        """Write to standard output, if there is one."""
        if self.stdout is not None:
            self.stdout.write(data)

    def show_text(self, number: int, data: bytes, encoding: str) -> None:
        """Write a text, or a piece of one, to standard output; the last line of another text ends before it."""
        plain = extends_ascii(encoding)
        if data and plain and self.unended not in (-1, number):
            self.show(b"\n")
        self.show(data)
        if data:
            self.unended = number if plain and not data.endswith((b"\n", b"\r")) else -1

    def alone(self, block: Block) -> bool:
        """Tell whether a block holds several texts with an output each: of one that fails there is none."""
        return block.grouped and block.sources[0].format == "text" and len(self.plan.outputs) > 1

    def note(self, block: Block, done: Done) -> int:
        """Note what came of a block, and return the number of its output.

        With the last of an input that is left as it was what had been counted of it is taken back.
        """
        number = self.plan.place[block.inputs[0]] if self.plan.outputs else 0
        if self.alone(block):
            return number
        if done.counts.get("documents"):
            self.read.add(number)
        if done.failures:
            self.failed.add(number)
        if self.plan.outputs and self.whole(number):
            add(self.under, done.counts)
            if block.last and self.spoiled(number):
                add(done.counts, taken_back(self.under))
            self.under = {} if block.last else self.under
        return number

    def whole(self, number: int) -> bool:
        """Tell whether an output is written only if no record of its input fails."""
        return self.options.in_place or self.plan.outputs[number].form == "text"

    def spoiled(self, number: int) -> bool:
        """Tell whether an output is not to be written: no record of it could be cleaned, or it must be whole."""
        return number in self.failed and (self.whole(number) or number not in self.read)

    def to_withdraw(self, done: Done) -> list[int]:
        """Return the outputs of texts that were rejected: what an earlier run wrote there is not to stay."""
        written = self.plan.outputs and not self.options.in_place
        return [self.plan.place[index] for index in done.poor] if written else []

    def left(self) -> list[str]:
        """Return the inputs that are left as they were, because a record of them failed."""
        failed = [self.plan.inputs[number] for number in sorted(self.failed)] if self.options.in_place else []
        return [one.name for one in failed if one.format != "text"]
