"""The library where processes, threads and the ends of programs meet: scripts of users, each in its own interpreter."""

import json
import os
import pickle
import shutil
import subprocess
import sys
import threading
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
from cleaner.threads import libraries, one_thread

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


def numbers() -> list[int]:
    return [one.num_threads for one in libraries()[0].lib_controllers]


def interrupted(at: int) -> bool:
    """Enter and leave one_thread with Ctrl-C at a line of its module; tells whether there are so many lines.

    Lines with ``with`` do not count, as Python lets no signal come between a lock and its release.
    """
    passed = 0

    def local(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal passed
        passed += event == "line" and not getline(frame.f_code.co_filename, frame.f_lineno).lstrip().startswith("with ")
        if passed == at:
            sys.settrace(None)
            passed += 1
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
        return True
    finally:
        sys.settrace(before)
    return False


def test_ctrl_c_leaves_the_number_of_threads_as_it_was() -> None:
    """Wherever it hits; at the latest when the next comes and goes."""
    with libraries()[0].limit(limits=2, user_api="blas"):
        before, at = numbers(), 1
        while interrupted(at):
            with one_thread():
                assert set(numbers()) == {1}
            assert numbers() == before, at
            at += 1
        assert at > 12


def test_a_limit_of_others_that_ends_meanwhile_stays_so() -> None:
    come, done = threading.Event(), threading.Event()

    def clean() -> None:
        with one_thread():
            come.set()
            assert done.wait(9)

    with libraries()[0].limit(limits=2, user_api="blas"):
        before, other = numbers(), threading.Thread(target=clean)
        with libraries()[0].limit(limits=1, user_api="blas"):
            other.start()
            assert come.wait(9)
        done.set()
        other.join()
        assert numbers() == before
