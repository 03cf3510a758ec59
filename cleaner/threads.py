"""How many threads matrix products take: one, while lines are judged; and what one thread alone prepares."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache, cached_property
from typing import Any, TypeVar
from weakref import WeakSet

T = TypeVar("T")


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep matrix products in the thread that asks for them.

    They are small, and threads that wait for each other cost more than they save; other cores are for other documents.
    """
    who = Caller()
    try:
        INSIDE.enter(who)
        own = libraries()[1]
        with own.limit(limits=1, user_api="blas") if own.lib_controllers else nullcontext():
            yield
    finally:
        INSIDE.leave(who)


class Caller:
    """Somebody in :func:`one_thread`."""


class Inside:
    """Who is in :func:`one_thread`: most libraries have one number of threads for the whole process.

    So the first to come limits it and the last to leave sets it back, whichever threads they are, and wherever Ctrl-C
    hits them.
    """

    def __init__(self) -> None:
        #: Whoever is hit by Ctrl-C on the threshold vanishes by itself.
        self.who: WeakSet[Caller] = WeakSet()
        self.normal: list[int] | None = None
        self.lock = forked_alone(self.who.clear)

    def enter(self, who: Caller) -> None:
        """Limit the threads of the process, if no one has."""
        with self.lock:
            if self.normal is None:
                self.normal = threads()
            self.who.add(who)
            set_threads([1] * len(self.normal))

    def leave(self, who: Caller) -> None:
        """Set back the threads of the process, if no one else is inside; what someone else has set meanwhile stays."""
        late: KeyboardInterrupt | None = None
        while True:
            try:
                with self.lock:
                    if self.normal is not None and self.who <= {who}:
                        both = zip(self.normal, threads(), strict=True)
                        set_threads([back if now == 1 else now for back, now in both])
                        self.normal = None
                    self.who.discard(who)
                break
            except KeyboardInterrupt as stop:  # halfway: once more from the start
                late = stop
        if late:
            raise late


def forked_alone(forget: Callable[[], object]) -> threading.RLock:
    """Return a lock that a fork waits for and that is free in the child, where there are no other threads to forget."""

    def forked() -> None:
        forget()
        lock.release()

    lock = threading.RLock()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=forked)
    return lock


#: For what the first to need it prepares, be it compiled kernels or a model's tables: the others wait, and so does who
#: forks, as in the child nobody would go on with it.
FIRST = forked_alone(lambda: None)
INSIDE = Inside()


class prepared(cached_property[T]):  # noqa: N801 - used like property
    """A property that is computed once, by the first thread that asks."""

    def __get__(self, of: Any, kind: type | None = None) -> Any:
        """Compute it, unless another thread has."""
        with FIRST:
            return super().__get__(of, kind)


@cache
def libraries() -> tuple[Any, Any]:
    """Return what controls the libraries whose number of threads is the process's, and those where it is a thread's."""
    from threadpoolctl import ThreadpoolController

    blas = ThreadpoolController().select(user_api="blas")
    own = blas.select(internal_api="openblas").select(threading_layer="openmp")
    paths = {one.filepath for one in own.lib_controllers}
    return blas.select(filepath=[one.filepath for one in blas.lib_controllers if one.filepath not in paths]), own


def threads() -> list[int]:
    """Return the number of threads of each library that has one for the process."""
    return [one.num_threads for one in libraries()[0].lib_controllers]


def set_threads(numbers: list[int]) -> None:
    """Set those numbers in a way that other threads may set them, too; newer threadpoolctl would not let them."""
    for one, number in zip(libraries()[0].lib_controllers, numbers, strict=True):
        one.set_num_threads(number)
        if hasattr(one, "clear_controlling_thread"):
            one.clear_controlling_thread()
