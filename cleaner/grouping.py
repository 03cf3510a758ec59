"""Documents to pieces and groups of a size that is worked on at a time."""

from collections.abc import Iterable, Iterator

from cleaner.lines import border

#: Bytes of text that are worked on at a time: small enough for the processor's caches.
BATCH_BYTES = 600_000
#: Documents that are worked on at a time, however short they are.
BATCH_DOCUMENTS = 10_000
#: Bytes from which a document is cut into pieces.
PIECE_BYTES = 2_000_000


def pieces(document: bytes) -> Iterator[tuple[bytes, bool]]:
    """Cut a document larger than :data:`PIECE_BYTES` behind line feeds; each piece is labelled on its own.

    So time and memory do not grow with the document. No article is that large. With each goes whether it is the last.
    """
    begin = 0
    while cut := border(document, begin, PIECE_BYTES):
        yield document[begin:cut], False
        begin = cut
    yield document[begin:], True


def batches(documents: Iterable[tuple[bytes, bool]]) -> Iterator[list[tuple[bytes, bool]]]:
    """Group documents so that each has about :data:`BATCH_BYTES`, but not too many documents.

    What goes wrong in reading on is raised after the documents that were read before.
    """
    group: list[tuple[bytes, bool]] = []
    size = 0
    try:
        for document in documents:
            group.append(document)
            size += len(document[0])
            if size >= BATCH_BYTES or len(group) >= BATCH_DOCUMENTS:
                yield group
                group, size = [], 0
    except Exception:
        if group:
            yield group
        raise
    if group:
        yield group
