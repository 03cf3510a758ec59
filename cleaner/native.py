"""Calls the kernels as machine code, without importing numba.

Importing numba and preparing it takes most of a second, too long for a command that cleans one file. So
the kernels are compiled once (up to a minute, on the first use after an installation), their object
code is kept in a file, and later processes load that file with llvmlite alone. The file's name has
a digest of the kernels' source, of the library versions and of the processor in it. It lies beside this module,
or, where that cannot be written, in the user's cache folder; where neither can, each process compiles.
"""

import ctypes
import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numpy as np
import numpy.typing as npt

from cleaner.compiling import DATA, DIMS, FLAGS, KERNELS, MODULES, SCATTERED, UNUSED, compiled
from cleaner.threads import FIRST

ENGINES: list[Any] = []


def call(name: str, *arguments: npt.NDArray[Any] | int) -> int:
    """Call a kernel on contiguous arrays of the types in :data:`KERNELS`; returns its count.

    It is handed the arrays themselves: for a short text, to ask numpy where their numbers lie took longer than all
    kernels.
    """
    function, wanted = bound(name)
    values: list[int] = []
    for argument, (dtype, axes) in zip(arguments, wanted, strict=True):
        if axes and isinstance(argument, np.ndarray) and argument.dtype == dtype and argument.ndim == axes:
            values.append(id(argument))
        elif isinstance(argument, int) and not axes:
            values.append(argument)
        else:
            shown = f"{argument.dtype} {argument.shape}" if isinstance(argument, np.ndarray) else repr(argument)
            raise TypeError(f"{name}: {shown} given for {dtype} in {axes} dimensions")
    count: int = function(*values)
    if count == SCATTERED:
        raise TypeError(f"{name}: an array that is not contiguous given to a kernel")
    return count


@cache
def bound(name: str) -> tuple[Any, list[tuple[np.dtype[Any], int]]]:
    """Return a kernel, and element type and number of dimensions of each parameter; ``int`` has 0."""
    kinds = KERNELS[name].split()
    return loaded()[name], [(np.dtype(kind[:2] if kind != "int" else "i8"), int(kind[3:] or 0)) for kind in kinds]


def loaded() -> dict[str, Any]:
    """Return the compiled kernels by name; threads that ask at once wait for the first, which :func:`load`s them."""
    with FIRST:
        return load()


@cache
def load() -> dict[str, Any]:
    """Load the compiled kernels from the cache file, or compile them anew.

    Raises:
        ImportError: numpy's arrays are laid out otherwise than the kernels take them to be.
    """
    probe = np.empty((3, 5))
    words = (ctypes.c_int64 * (FLAGS + 1)).from_address(id(probe))
    if words[DATA] != probe.ctypes.data or ctypes.c_int64.from_address(words[DIMS] + 8).value != 5:
        raise ImportError("this version of numpy lays out its arrays in another way. Install numpy 2.")
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    abort = ctypes.cast(ctypes.pythonapi.Py_FatalError, ctypes.c_void_p).value
    for symbol in UNUSED:
        if not llvm.address_of_symbol(symbol):  # those that numba itself has brought are for code that calls them
            llvm.add_symbol(symbol, abort)
    machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    for code in object_code().values():
        engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(code))
    engine.finalize_object()
    ENGINES.append(engine)  # keeps the code alive
    return {name: function_at(name, engine.get_function_address(name)) for name in KERNELS}


def function_at(name: str, place: int) -> Any:
    """Return a kernel's machine code as a function."""
    return ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * len(KERNELS[name].split()))(place)


def object_code() -> dict[str, bytes]:
    """Read the object code of all kernels, or compile and keep it."""
    name = f"kernels-{fingerprint()}.npz"
    for folder in cache_folders():
        try:
            with (folder / name).open("rb") as file, np.load(file, allow_pickle=False) as stored:
                return {kernel: stored[kernel].tobytes() for kernel in KERNELS}
        except Exception:  # none there, or damaged, which zip and numpy say in many ways: compiled again
            continue
    code = compiled()
    for folder in cache_folders():
        beside = folder / f".{name[:-4]}.{os.getpid()}.npz"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            arrays: dict[str, Any] = {kernel: np.frombuffer(data, np.uint8) for kernel, data in code.items()}
            np.savez(beside, **arrays)
            beside.replace(folder / name)
            break
        except OSError:
            with suppress(OSError):
                beside.unlink()
    return code


def cache_folders() -> Iterator[Path]:
    """Return where compiled code may lie, best first."""
    yield Path(__file__).parent / "__pycache__"
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # the user has no home
        return
    yield folder / "line-cleaner"


def fingerprint() -> str:
    """Return a digest of all that the object code depends on."""
    here = Path(__file__).parent
    state = hashlib.sha256()
    for source in ("alphabet", *MODULES, "vectors", "compiling"):
        state.update((here / f"{source}.py").read_bytes())
    for package in ("llvmlite", "numba"):  # importlib.metadata takes as long to import as to load all kernels
        spec = find_spec(package)
        state.update((Path(str(spec and spec.origin)).parent / "_version.py").read_bytes())
    parts = (llvm.get_process_triple(), llvm.get_host_cpu_name(), DATA)
    state.update(repr((parts, llvm.get_host_cpu_features().flatten())).encode())
    return state.hexdigest()[:20]
