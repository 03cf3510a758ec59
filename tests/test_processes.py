"""The library where processes, threads and the ends of programs meet: scripts of users, each in its own interpreter."""

import json
import os
import pickle
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from linecache import getline
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from documents import jsonl

from cleaner import BatchOptions, clean_files
from cleaner.batch import Hooks
from cleaner.cleaning import Cleaner
from cleaner.model_files import find_model
from cleaner.threads import libraries, one_thread, set_threads, threads

#: Small inputs are large to these scripts, and come in several blocks.
BEGIN = """
import sys, threading
import cleaner, cleaner.batch, cleaner.jsonl
cleaner.batch.SMALL_BYTES, cleaner.jsonl.BLOCK_BYTES = 0, 20_000
options = cleaner.BatchOptions(workers=2)
"""
DAEMON = """
import multiprocessing
def go(name):
    return cleaner.clean_files("a.jsonl", "o.jsonl", options).counts["documents"]
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.map_async(go, ["x"]).get(60) == [120]
"""
ENDS_BEFORE = """
threading.Thread(target=cleaner.clean_files, args=["a.jsonl", "o.jsonl", options]).start()
"""
ENDS_MEANWHILE = """
begun = threading.Event()
hooks = cleaner.batch.Hooks(progress=lambda counts, total: begun.set())
threading.Thread(target=cleaner.clean_files, args=["a.jsonl", "o.jsonl", options, hooks]).start()
begun.wait(60)
"""
CLOSED = """
sys.stdout = sys.stderr = None
cleaner.clean_files("a.jsonl", "o.jsonl", options)
"""


@pytest.mark.parametrize("script", [DAEMON, ENDS_BEFORE, ENDS_MEANWHILE, CLOSED], ids=range(4))
def test_a_run_comes_to_its_end(script: str, tmp_path: Path) -> None:
    """In a process that may start none, in a thread that outlives the program, with nowhere to write to."""
    source = jsonl(tmp_path / "a.jsonl", 120)
    clean_files(str(source), str(tmp_path / "whole"), BatchOptions(output_format="jsonl"))
    (tmp_path / "script.py").write_text(BEGIN + script)
    run = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, timeout=120, check=False)
    assert (run.returncode, run.stderr) == (0, b"")
    assert (tmp_path / "o.jsonl").read_bytes() == (tmp_path / "whole").read_bytes()
    assert {one.name for one in tmp_path.iterdir()} == {"a.jsonl", "o.jsonl", "whole", "script.py"}


def test_a_run_keeps_to_the_model_that_it_began_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run begins after the model has been trained anew."""
    monkeypatch.setattr("cleaner.jsonl.BLOCK_BYTES", 20_000)
    source, mine = jsonl(tmp_path / "a.jsonl", 120), tmp_path / "mine"
    shutil.copytree(find_model("default"), mine)
    clean_files(str(source), str(tmp_path / "whole.jsonl"), BatchOptions(model=str(mine)))

    def trained(counts: dict[str, Any], total: int) -> None:
        card = json.loads((mine / "card.json").read_text("utf-8"))
        card["weights"][0] = 1e6  # all is body
        (mine / "card.json").write_text(json.dumps(card), "utf-8")
        clean_files(str(source), str(tmp_path / "other.jsonl"), BatchOptions(model=str(mine)))

    clean_files(str(source), str(tmp_path / "o.jsonl"), BatchOptions(model=str(mine)), Hooks(progress=trained))
    assert (tmp_path / "o.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert (tmp_path / "o.jsonl").read_bytes() != (tmp_path / "other.jsonl").read_bytes()


def test_a_cleaner_is_the_same_bytes_in_every_process() -> None:
    code = "import hashlib, pickle; from cleaner import Cleaner\n"
    code += "one = Cleaner.load(keep=['caption', 'body', 'headline', 'byline'])\n"
    code += "print(hashlib.sha256(pickle.dumps(one)).hexdigest())"
    found = set()
    for seed in "12":
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        found.add(subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True).stdout)
    assert len(found) == 1
    assert pickle.loads(pickle.dumps(Cleaner.load(keep=["caption", "body"]))).keep == {"body", "caption"}


FORK = """
import os, threading
from cleaner.cleaning import Cleaner
from cleaner.threads import libraries, one_thread, threads

def stay():
    with one_thread():
        come.set()
        done.wait()

cleaner, come, done = Cleaner.load(), threading.Event(), threading.Event()
with libraries()[0].limit(limits=2, user_api="blas"):
    other, before = threading.Thread(target=stay), threads()
    other.start()
    come.wait()
    child = os.fork()
    if child == 0:
        try:
            os._exit(cleaner.clean("SHARE THIS\\n") != "" or threads() != before)
        finally:
            os._exit(2)
    status = os.waitpid(child, 0)[1]
    done.set()
    other.join()
assert status == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_beside_a_thread_that_cleans_goes_on() -> None:
    """In a process of its own: who forks beside others' threads may wait without end."""
    subprocess.run([sys.executable, "-c", FORK], timeout=200, check=True)


def limited(number: int) -> Any:
    """Have so many threads for matrix products."""
    return libraries()[0].limit(limits=number, user_api="blas")


def enter_elsewhere() -> Callable[[], list[int]]:
    """Have another thread enter one_thread; returns what makes it leave and tells what it saw before."""
    come, done = threading.Event(), threading.Event()
    seen: list[int] = []

    def stay() -> None:
        with one_thread():
            come.set()
            assert done.wait(9)
            seen.extend(threads())

    def leave() -> list[int]:
        done.set()
        other.join()
        return seen

    other = threading.Thread(target=stay)
    other.start()
    assert come.wait(9)
    return leave


def test_threads_leave_the_number_of_threads_as_it_was() -> None:
    """The first that comes goes before the second."""
    with limited(2):
        before = threads()
        with one_thread():
            leave = enter_elsewhere()
        assert leave() == [1] * len(before)
        assert threads() == before


def test_what_others_set_meanwhile_stays_so() -> None:
    """A limit of others, which was there before, ends."""
    with limited(2):
        before = threads()
        set_threads([1] * len(before))
        leave = enter_elsewhere()
        set_threads(before)
        leave()
        assert threads() == before


def interrupted(at: int) -> str:
    """Enter and leave one_thread with Ctrl-C at a line of its module; returns the line, nothing if there are fewer.

    Lines with ``with`` do not count, as Python lets no signal come between a lock and its release.
    """
    passed, hit = 0, ""

    def local(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal passed, hit
        line = getline(frame.f_code.co_filename, frame.f_lineno).strip()
        passed += event == "line" and not line.startswith("with ")
        if passed == at and not hit:
            sys.settrace(None)
            hit = line
            raise KeyboardInterrupt
        return local

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        return local if frame.f_code.co_filename.endswith("cleaner/threads.py") else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with one_thread():
            pass
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
    return hit


#: What stands before the ``try`` of leaving: hit there, the number of threads is set back by who leaves next.
THRESHOLD = {"INSIDE.leave(who)", "late: KeyboardInterrupt | None = None", "while True:", "try:"}


def test_ctrl_c_leaves_the_number_of_threads_as_it_was() -> None:
    with limited(2):
        before, at = threads(), 1
        while line := interrupted(at):
            assert threads() == before or line in THRESHOLD, line
            with one_thread():
                assert set(threads()) == {1}
            assert threads() == before, line
            at += 1
        assert at > 12
