"""What became of each output of a run while its blocks come in."""

from cleaner.job import Done
from cleaner.options import BatchOptions
from cleaner.records import Block
from cleaner.summary import Counts, add, taken_back
from cleaner.targets import Plan

__all__ = ["Outputs"]


class Outputs:
    """Of each output: whether a document came of its input, and whether a record of that failed."""

    def __init__(self, plan: Plan, options: BatchOptions) -> None:
        """Nothing has come of any input yet."""
        self.plan, self.options = plan, options
        self.read: set[int] = set()
        self.failed: set[int] = set()
        self.under: Counts = {}  # of the input under way, if its output is written whole or not at all

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

    def left(self) -> list[str]:
        """Return the inputs that are left as they were, because a record of them failed."""
        failed = [self.plan.inputs[number] for number in sorted(self.failed)] if self.options.in_place else []
        return [one.name for one in failed if one.format != "text"]
