"""What the journal of a run says of its shards, and where they leave the run that goes on."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from cleaner.summary import add

Position = tuple[int, int, int, int]


@dataclass
class Shard:
    """What the journal says of one shard."""

    next: Position = (0, 0, 1, 0)  # input, place in it, record, line
    sinks: dict[str, tuple[int, str]] = field(default_factory=dict)  # size afterwards, digest of what was added
    files: list[tuple[int, int, str]] = field(default_factory=list)  # output, size, digest
    done: list[int] = field(default_factory=list)  # outputs that are complete
    read: list[int] = field(default_factory=list)  # outputs with a document
    failed: list[int] = field(default_factory=list)  # outputs of whose input a record failed
    poor: list[int] = field(default_factory=list)  # outputs of rejected texts, where nothing is to stay
    counts: dict[str, Any] = field(default_factory=dict)
    under: dict[str, Any] = field(default_factory=dict)  # those of the input under way, if they may be taken back
    published: list[Any] = field(default_factory=list)  # output, size, digest of a file made from its spool

    def row(self) -> bytes:
        """Return its line of the journal."""
        return json.dumps(vars(self)).encode() + b"\n"


@dataclass
class Start:
    """Where a run begins: at the start, or behind the shards that are complete and verified."""

    position: Position = (0, 0, 1, 0)
    sizes: dict[str, int] = field(default_factory=dict)
    counts: dict[str, Any] = field(default_factory=dict)
    unpublished: list[int] = field(default_factory=list)
    poor: list[int] = field(default_factory=list)
    read: set[int] = field(default_factory=set)
    failed: set[int] = field(default_factory=set)
    under: dict[str, Any] = field(default_factory=dict)
    resumed: int = 0  # shards


def start_behind(shards: Iterable[Shard]) -> tuple[Start, set[int]]:
    """Return where a run goes on behind shards that are verified, and which outputs are complete."""
    start, done = Start(), set[int]()
    for shard in shards:
        start.sizes |= {name: size for name, (size, _) in shard.sinks.items()}
        start.resumed += 1
        add(start.counts, shard.counts)
        start.poor += shard.poor
        start.read |= set(shard.read)
        start.failed |= set(shard.failed)
        done |= {*shard.done, *(number for number, _, _ in shard.files)}
        if shard.next[0] != start.position[0]:
            start.under = {}
        add(start.under, shard.under)
        start.position = shard.next
    return start, done
