"""Arrays in memory that is used again: given back and asked for anew, page by page, it costs a fifth of the time.

Whether the C library keeps what is freed depends on what lies behind it: three of six processes were slow.
"""

import math
import sys
import threading
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Item = TypeVar("Item", bound=np.generic)
#: Smaller arrays are asked for anew; larger ones are of texts that hardly come again. Bytes.
SMALL, LARGE = 1 << 15, 1 << 24


class Kept(threading.local):
    """The buffers of a thread, by what they are for."""

    def __init__(self) -> None:
        """Have none yet."""
        self.buffers: dict[str, npt.NDArray[np.uint8]] = {}


def references(name: str) -> int:
    """Return how many references there are to a buffer, that of this function among them."""
    buffer = KEPT.buffers[name]
    return sys.getrefcount(buffer)


KEPT = Kept()
KEPT.buffers[""] = np.empty(0, np.uint8)
UNUSED = references("")  # of a buffer that no array uses; the number depends on how Python counts


def empty(name: str, shape: int | tuple[int, ...], dtype: type[Item]) -> npt.NDArray[Item]:
    """Return an array with any content, in the memory of the last one of that name unless something still uses it."""
    size = math.prod(shape if isinstance(shape, tuple) else (shape,)) * np.dtype(dtype).itemsize
    if not SMALL <= size <= LARGE:
        return np.empty(shape, dtype)
    buffers = KEPT.buffers
    if name not in buffers or len(buffers[name]) < size or references(name) > UNUSED:
        buffers[name] = np.empty(size + size // 4, np.uint8)
    return buffers[name][:size].view(dtype).reshape(shape)
