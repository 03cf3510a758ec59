"""All blocks of all inputs, from any place on."""

from collections.abc import Iterator, Sequence

from cleaner import jsonl, parquet, plain, wet
from cleaner.opening import unread
from cleaner.options import BatchOptions
from cleaner.records import Block, Failure, Input


def blocks(inputs: Sequence[Input], begin: tuple[int, int, int, int], options: BatchOptions) -> Iterator[Block]:
    """Yield the blocks of all inputs in order; ``begin`` is input, place in it, record and line.

    What cannot be opened or read on is a failure in a block, not an exception.
    """
    index, place, record, line = begin
    while index < len(inputs):
        source = inputs[index]
        if source.format == "text" and not plain.is_huge(source, options.encoding):
            texts = run_of_texts(inputs, index, options)
            for group in plain.groups(texts):
                yield plain.small_block(group)
                index = group[-1][0] + 1
            continue
        last = None
        try:
            for last in of_file(index, source, (place, record, line), options):
                yield last
        except Exception as error:
            message = unread(source.path, error)
            at = 0 if last is None else last.first + last.count
            lost = Failure(source.name, at, "unreadable", message)
            yield Block((index,), (source,), b"", place, record, 0, failures=(lost,))
        index, place, record, line = index + 1, 0, 1, 0


def run_of_texts(inputs: Sequence[Input], index: int, options: BatchOptions) -> Iterator[tuple[int, Input]]:
    """Yield the text files from here on, up to the first input that is cut into blocks."""
    for number in range(index, len(inputs)):
        source = inputs[number]
        if source.format != "text" or plain.is_huge(source, options.encoding):
            return
        yield number, source


def of_file(index: int, source: Input, at: tuple[int, int, int], options: BatchOptions) -> Iterator[Block]:
    """Yield the blocks of one file."""
    place, record, line = at
    if source.format == "jsonl":
        return jsonl.read_blocks(index, source, (place, record), options.encoding)
    if source.format == "parquet":
        return parquet.read_blocks(index, source, (place, record), options.new_fields)
    if source.format == "wet":
        return wet.read_blocks(index, source, (place, record))
    return plain.read_huge(index, source, place, line, options.input_format == "text")
