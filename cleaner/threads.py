"""How many threads matrix products take: one, while lines are judged."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any

__all__ = ["one_thread"]


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep matrix products in the thread that asks for them.

    They are small, and threads that wait for each other cost more than they save; other cores are for other documents.
    """
    INSIDE.enter()
    try:
        own = libraries()[1]
        with own.limit(limits=1, user_api="blas") if own.lib_controllers else nullcontext():
            yield
    finally:
        INSIDE.leave()


class Inside:
    """Who is in :func:`one_thread`: most libraries have one number of threads for the whole process.

    So the first to come limits it and the last to leave sets it back, whichever threads they are.
    """

    def __init__(self) -> None:
        self.count, self.limits, self.lock = 0, None, threading.RLock()
        if hasattr(os, "register_at_fork"):
            lock = self.lock
            os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=self.forked)

    def enter(self) -> None:
        """Limit the threads of the process, if no one has."""
        with self.lock:
            if self.limits is None:
                self.limits = libraries()[0].limit(limits=1, user_api="blas")
                let_go()
            self.count += 1

    def leave(self) -> None:
        """Set back the threads of the process, if no one else is inside."""
        with self.lock:
            self.count = max(self.count - 1, 0)
            if self.limits is not None and self.count == 0:
                self.limits.restore_original_limits()
                self.limits = None
                let_go()

    def forked(self) -> None:
        """Forget the threads that a new process does not have: the next to leave sets back what they limited."""
        self.count = 0
        self.lock.release()


INSIDE = Inside()


@cache
def libraries() -> tuple[Any, Any]:
    """Return what controls the libraries whose number of threads is the process's, and those where it is a thread's."""
    from threadpoolctl import ThreadpoolController

    blas = ThreadpoolController().select(user_api="blas")
    own = blas.select(internal_api="openblas").select(threading_layer="openmp")
    paths = {one.filepath for one in own.lib_controllers}
    return blas.select(filepath=[one.filepath for one in blas.lib_controllers if one.filepath not in paths]), own


def let_go() -> None:
    """Allow other threads to set back what this one limited; newer versions of threadpoolctl would not."""
    for one in libraries()[0].lib_controllers:
        if hasattr(one, "clear_controlling_thread"):
            one.clear_controlling_thread()
