"""The kernels against plain numpy: on invented and real pages, and on bytes that mean nothing."""

import gc
import io
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import reference

from cleaner import alphabet as a
from cleaner import compiling, native
from cleaner.cleaning import Cleaner, encode
from cleaner.context import rarities
from cleaner.corpus import read_labelled
from cleaner.decision import LONG, line_weights
from cleaner.features import packed
from cleaner.second_pass import SecondPass

ROOT = Path(__file__).parents[1]
Floats = npt.NDArray[np.float32]
VALID = ROOT.parent / "shared/corpus/valid"
MIXTURE = np.frombuffer("\n\n\r\t  aaBcD.,9’\u2028\x85Ж港".encode(), np.uint8)


def groups(documents: list[bytes]) -> Iterator[list[bytes]]:
    waiting = iter(documents)
    while group := list(islice(waiting, 40)):
        yield group


def believed(cleaner: Cleaner, draft: Floats, final: Floats, found: Floats) -> Floats:
    """Return the draft's probabilities where it is sure, else the final; the nearer to what was found between both."""
    over = draft.max(axis=1, initial=0) - np.asarray(cleaner.model.card["sure"])[draft.argmax(axis=1)]
    nearer = np.abs(found - draft).max(axis=1, initial=0) < np.abs(found - final).max(axis=1, initial=0)
    return np.where(np.where(np.abs(over) < 1e-4, nearer, over >= 0)[:, None], draft, final)


def agrees(cleaner: Cleaner, documents: list[bytes]) -> None:
    for group in groups(documents):
        result = cleaner.result(group)
        draft, final = reference.probabilities(cleaner.model, result.batch)
        expected = believed(cleaner, draft, final, result.probabilities)
        assert np.abs(result.probabilities - expected).max(initial=0) < 1e-4
        codes = cleaner.model.decide(result.batch, expected, kinds=result.kinds)
        differ = np.flatnonzero(result.codes != codes)
        weights = np.asarray(cleaner.model.card["weights"], np.float32)
        weighted = expected * line_weights(weights, result.batch.words(), cleaner.model.labels, LONG[cleaner.aim])
        assert all(np.ptp(np.sort(weighted[line])[-2:]) < 1e-3 for line in differ), "other labels, and no near tie"


def invented() -> list[bytes]:
    return [encode(document.text()) for document in read_labelled([ROOT / "training_data"])]


def random_bytes(seed: int) -> list[bytes]:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 3000, 20)
    return [rng.integers(0, 256, size, np.uint8).tobytes() for size in sizes] + [
        rng.choice(MIXTURE, size).tobytes() for size in sizes
    ]


def test_some_invented_pages(cleaner: Cleaner) -> None:
    agrees(cleaner, invented()[::12])


@pytest.mark.parametrize("seed", range(3))
def test_random_bytes(cleaner: Cleaner, seed: int) -> None:
    agrees(cleaner, random_bytes(seed))


@pytest.mark.parametrize(
    "documents", [[], [b""], [b"\n"], [b"\n", b"", b"a"], [b"a\n" * 5000], [b"word " * 9000]], ids=len
)
def test_edges(cleaner: Cleaner, documents: list[bytes]) -> None:
    agrees(cleaner, documents)


@pytest.mark.parametrize("labels", [["body", "headline", "caption", "byline", "junk"], ["body", "c", "d", "e", "f"]])
def test_what_lines_share_and_where_they_stand(cleaner: Cleaner, labels: list[str]) -> None:
    """Whatever the draft head says, of all lines or of some, with the labels of the shipped model or others."""
    documents = [*invented()[::90], b"", b"a\nHello Anna\nhello anna\n" * 9, b"word " * 3000]
    batch, rng = cleaner.model.read(documents), np.random.default_rng(0)
    context, draft = cleaner.model.see(batch), rng.dirichlet([0.3] * 5, len(batch)).astype(np.float32)
    context.labels = np.array([labels.index(one) if one in labels else -1 for one in ("body", "headline", "junk")])
    second = SecondPass(context, draft)
    some = np.flatnonzero(rng.random(len(batch)) < 0.2)
    rows = [np.concatenate([row for _, row in second.inputs(lines)]) for lines in (np.arange(len(batch)), some)]
    borders = reference.Borders(batch.document)
    expected = reference.related(batch, borders, draft, labels, cleaner.model.arrays["rarity"])
    assert np.abs(second.related - expected).max() < 1e-5
    assert np.abs(second.placed - reference.placed(batch, borders, draft, labels)).max() < 1e-5
    assert np.array_equal(rows[0][some], rows[1])


def test_how_rare_words_are(cleaner: Cleaner) -> None:
    """Counted by the kernels' words; what no text has is as rare as the rarest."""
    texts = [*invented()[::90], "港湾管理署长 Á Bright ñandú".encode(), b"a", "署".encode(), b""]
    batches = [cleaner.model.read(texts[:20]), cleaner.model.read(texts[20:])]
    having, size = np.zeros(65536, np.int64), 0
    for batch in batches:
        t, number = batch.tokens, batch.document
        pairs = ((doc, key) for line, doc in enumerate(number) for key, _ in reference.content_words(t, line))
        places = {(int(doc), reference.rarity_place(key)) for doc, key in pairs}
        having += np.bincount([place for _, place in places], minlength=65536)
        size += len(set(number.tolist()))
    rarest = round(8 * np.log(size / (1 + having[having > 0].min())))
    expected = np.where(having > 0, np.rint(8 * np.log(size / (1 + having))).clip(1), rarest)
    assert np.array_equal(rarities(batches), expected)


@pytest.mark.slow
def test_all_invented_pages(cleaner: Cleaner) -> None:
    agrees(cleaner, invented())


@pytest.mark.slow
@pytest.mark.skipif(not VALID.is_dir(), reason="no corpus beside the project")
def test_all_real_pages(cleaner: Cleaner) -> None:
    agrees(cleaner, [encode(document.text()) for document in read_labelled([VALID])])


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("[Sport](https://a.example/sport/)", "[Sport]"),
        ("[Top](#top) []()", "[Top] []"),
        ('See [the *full* list](/a_(b)?c=1 "A list (of b") here', "See [the *full* list] here"),
        ("[![Image 1](a.jpg)](b.html) Boats", "[![Image 1]] Boats"),
        ("## What the mayor said", " What the mayor said"),
        ("###### 3.", " 3."),
        ("**Friday:** rain, **then** sun", "Friday: rain, then sun"),
        (r"1\. A \[new\] ferry \- at last", "1. A [new] ferry - at last"),
        (r"\[1\](Smith: 2019) and \*x\*", "[1](Smith: 2019) and *x*"),
        ('<p title="é é é">The <b>ferry</b> was late.<br/><BR /></p>', "The ferry was late."),
        ("2 * 3 ** 4", "2 * 3  4"),
    ],
)
def test_markup_is_read_as_what_it_shows(cleaner: Cleaner, line: str, shown: str) -> None:
    found, expected = (cleaner.model.read([encode(text)]) for text in (line, shown))
    for name in found.tokens._fields:
        assert np.array_equal(getattr(found.tokens, name), getattr(expected.tokens, name)), name
    assert np.array_equal(found.counts[:, : a.INDENTED], expected.counts[:, : a.INDENTED])


@pytest.mark.parametrize(
    "line",
    [
        r"C:\new and 5\6",
        "#ferry #boats, C# and F# ##",
        "a [note] (that is not a link), [sic](Smith), [x](y z), [港](参见第三章关于港口的说明)",
        '[sic](Smith "the man" said so in a speech) (1)',
        "[open](https://a.example",
        "[1](" + "/" * 3000 + ")",
        "<https://a.example/b> 2 < 3 and <3, 5 > 4",
        "Jane Doe <jane@harbour.example>, <stdio.h>, Map<String, List>, if i<n and j>m",
        "income is <half of the median, she said, and growth was > 5",
        "<기생충>이 <‹Не сдадимся>>",
        "<no end",
        "##",
        "****",
        "</div>",
        "<br>",
        '<div class="article">',
    ],
)
def test_text_that_is_no_markup(cleaner: Cleaner, line: str) -> None:
    """Every character of it that is not white space is in a token, as is every one of a line of markup alone."""
    batch = cleaner.model.read([encode(line)])
    assert batch.tokens.length.sum() == sum(not char.isspace() for char in line)
    assert batch.counts[0, a.CHARACTERS] == len(line)


@pytest.mark.parametrize(
    ("part", "tokens"),
    [("](", 2), ("[a](", 4), ("**", 2), ("\\", 0.5), ("]()", 1), ("[![](", 5), ("<a", 2), ("<a ", 2)],
)
def test_markup_without_end(cleaner: Cleaner, part: str, tokens: float) -> None:
    assert len(cleaner.model.read([encode(part * 200_000)]).tokens.word) == tokens * 200_000


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (64, 9), (8, 15), (4, 16)])
def test_packed_text_table(rows: int, columns: int) -> None:
    wide = np.random.default_rng(rows).normal(scale=0.1, size=(rows, columns)).astype(np.float16)
    wide[:, 0] = 0
    found, values = packed(wide), wide.astype(np.float32)
    scale = np.maximum(np.abs(values).max(axis=0) / np.float32(32767), np.float32(1e-20))
    assert np.array_equal(found.scale, scale)
    assert found.weights.shape == (rows + 1, 16 * (columns // 16 + 1))
    assert np.array_equal(found.weights[:-1, :columns], np.rint(values / scale))
    assert (found.weights[:-1, -1] == 1).all()
    assert not found.weights[:-1, columns:-1].any()
    assert not found.weights[-1].any()


def test_lines_and_counts(cleaner: Cleaner) -> None:
    """The kernels cut lines as Python does and count what Python's tables say."""
    classes = cleaner.model.arrays["classes"]
    for group in groups(invented()[::12]):
        batch = cleaner.model.read(group)
        lines = [line for document in group for line in document.decode().splitlines()]
        solid = (line for line in lines if line.strip())
        for line, counts in zip(solid, batch.counts, strict=True):
            shown = re.sub(r"^#+(?= )|\*\*|\\", "", line)  # markup counts as none
            of = np.bincount(classes[[min(ord(char), 65535) for char in shown]], minlength=a.CLASSES)
            found = [of[1:4].sum() + of[a.CJK], of[a.UPPER], of[a.DIGIT], of[a.TERMINAL :].sum()]
            assert len(shown) == counts[a.CHARACTERS]
            assert found == counts[[a.LETTERS, a.CAPITALS, a.FIGURES, a.MARKS]].tolist()


ENDS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
NO_ENDS = ["", "\t", "\x00", "\x1b", "\x1f", "\x84", "\x86", "\xc5", "\u2027", "\u202a", "\u20a8", "\u3028"]


@pytest.mark.parametrize("end", ENDS + NO_ENDS)
def test_lines_end_where_python_ends_them(cleaner: Cleaner, end: str) -> None:
    """Wherever that is among the bytes that are searched at a time, and however near to the end of the text."""
    texts = ["a" * size + end + "b" * after for size in range(70) for after in (0, 1, 2, 31, 33, 70)]
    found = cleaner.model.read([text.encode() for text in texts]).text
    data = found.data.tobytes()
    lines = [data[start:after].decode() for start, after in zip(found.start, found.next, strict=True)]
    assert lines == [line for text in texts for line in text.splitlines(keepends=True)]


def letters_of_words(line: str) -> list[int]:
    """Return how many letters each word has: joiners go with it, apostrophes where a letter or mark follows."""
    found, at = [], 0
    while at < len(line):
        count = 0
        while at < len(line) and line[at] in "ab1Ж":
            count, at = count + 1, at + 1
            while at < len(line) and (line[at] in "\u0301\xad" or re.match("['’][abЖ’\u0301]", line[at:])):
                at += 1
        found += [count] if count else []
        at += not count
    return found


@pytest.mark.parametrize("seed", range(5))
def test_words_have_their_letters(cleaner: Cleaner, seed: int) -> None:
    rng = np.random.default_rng(seed)
    lines = ["".join(rng.choice(list("aab1Ж'’\u0301\xad ."), size)) for size in rng.integers(1, 40, 300)]
    lines = [line for line in lines if letters_of_words(line)]
    tokens = cleaner.model.read(["\n".join(lines).encode()]).tokens
    for line, begin, end in zip(lines, tokens.first, tokens.first[1:], strict=False):
        words = tokens.shape[begin:end] < a.TERMINAL
        assert tokens.length[begin:end][words].tolist() == letters_of_words(line), repr(line)


@pytest.mark.parametrize("end", [b"\xe2", b"\xf0\x9f", b"a \xc3", b"\xe6\xb8"])
def test_a_character_that_is_cut_short_takes_nothing_from_the_next_document(cleaner: Cleaner, end: bytes) -> None:
    found = [cleaner.model.read([b"SHARE\n" + end, after]) for after in (b"", b"zz", b"\x80\x80 z")]
    for batch in found:
        mine = int((batch.document == 0).sum())
        tokens = int(batch.tokens.first[mine])
        assert np.array_equal(batch.tokens.word[:tokens], found[0].tokens.word)
        assert np.array_equal(batch.counts[:mine, : a.BLANK_AFTER], found[0].counts[:, : a.BLANK_AFTER])


SQUARE = np.zeros((4, 4), np.float32)
WRONG_ARRAYS: list[tuple[list[Any], type[Exception], str]] = [
    ([np.zeros(2, np.float32), SQUARE[:, :2]], TypeError, "not contiguous"),
    ([SQUARE[:, 0], SQUARE], TypeError, "not contiguous"),
    ([np.zeros(4, np.float32), SQUARE.T], TypeError, "not contiguous"),
    ([np.zeros(4, np.float64), SQUARE], TypeError, r"float64 \(4,\) given for float32 in 1 dimensions"),
    ([SQUARE, SQUARE], TypeError, "given for float32 in 1 dimensions"),
    ([np.zeros(4, ">f4"), SQUARE], TypeError, "given for float32"),
    ([SQUARE[0]], ValueError, "zip"),
    ([SQUARE[0], SQUARE, SQUARE], ValueError, "zip"),
    ([3, SQUARE], TypeError, "3 given for float32 in 1 dimensions"),
]


@pytest.mark.parametrize(("arrays", "error", "said"), WRONG_ARRAYS)
def test_kernels_are_given_what_they_read(arrays: list[Any], error: type[Exception], said: str) -> None:
    before = SQUARE.copy()
    with pytest.raises(error, match=said):
        native.call("rectified", *arrays)
    assert np.array_equal(SQUARE, before)


def test_read_only_and_empty_arrays_are_read() -> None:
    bias, values = np.frombuffer(np.ones(4, np.float32).tobytes(), np.float32), -2 * np.ones((3, 4), np.float32)
    native.call("rectified", bias, values)
    assert not values.any()
    native.call("rectified", np.zeros(0, np.float32), np.zeros((0, 0), np.float32))


def test_arrays_that_are_laid_out_otherwise_are_refused() -> None:
    code = "from cleaner import native; native.DATA += 1; native.loaded()"
    with pytest.raises(subprocess.CalledProcessError) as caught:
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert b"ImportError: this version of numpy" in caught.value.stderr


def run(code: str, **environment: str) -> str:
    """Return what a fresh interpreter writes."""
    env = {**os.environ, **environment}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


FUNCTION = """
import numba, numpy
def function():
    @numba.njit
    def zeros(n):
        return [numpy.zeros(n)]
    return zeros
"""
CLEAN = """
import cleaner
cleaner.clean("SHARE THIS\\n")
"""


@pytest.mark.parametrize("before", ["function()(3)", ""])
def test_numba_works_beside_the_kernels(before: str) -> None:
    use = "assert len(function()(3)[0]) == 3"
    assert run(f"{FUNCTION}{before}{CLEAN}{use}" if before else f"{CLEAN}{FUNCTION}{use}") == ""


def test_settings_of_numba_do_not_change_the_kernels() -> None:
    code = """
import hashlib
from cleaner import compiling
compiling.KERNELS = {"line_hashes": compiling.KERNELS["line_hashes"]}
print(hashlib.sha256(compiling.compiled()["line_hashes"]).hexdigest())
import numba
print(numba.config.OPT + 0, numba.config.DISABLE_JIT)
"""
    plain = run(code, NUMBA_OPT="3", NUMBA_DISABLE_JIT="0").split()
    other = run(code, NUMBA_OPT="0", NUMBA_DISABLE_JIT="1", NUMBA_BOUNDSCHECK="1", NUMBA_CPU_NAME="generic").split()
    assert other == [plain[0], "0", "1"]


OWN = """
import os, numba
numba.config.THREADING_LAYER, numba.config.NUMBA_NUM_THREADS = "workqueue", 1
"""


@pytest.mark.parametrize("own", [OWN, "import os"])
def test_compiling_leaves_numba_and_the_environment_as_they_were(own: str) -> None:
    code = f"""{own}
before = dict(os.environ)
from cleaner import compiling
compiling.KERNELS = {{"line_hashes": compiling.KERNELS["line_hashes"]}}
compiling.compiled()
import numba
print(os.environ == before, numba.config.THREADING_LAYER, numba.config.NUMBA_NUM_THREADS == 1)
"""
    assert run(code).split() == ["True", *(["workqueue", "True"] if own == OWN else ["default", "False"])]


def test_threads_that_begin_at_once_load_the_kernels_once() -> None:
    code = """
import threading, time
from cleaner import native
from cleaner.cleaning import Cleaner
read, made = native.object_code, []
def slow():
    made.append(1)
    time.sleep(0.5)
    return read()
native.object_code, cleaner = slow, Cleaner.load()
threads = [threading.Thread(target=cleaner.clean, args=["SHARE THIS"]) for _ in range(5)]
[one.start() for one in threads]
[one.join() for one in threads]
print(len(made))
"""
    assert run(code) == "1\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("slow", ["native.object_code", "cleaner.model.packed"])
def test_a_fork_waits_for_what_another_thread_prepares(slow: str) -> None:
    code = f"""
import os, signal, sys, threading, time
import cleaner.model
from cleaner import native
from cleaner.cleaning import Cleaner
real, begun = {slow}, threading.Event()
def slow(*arguments):
    begun.set()
    time.sleep(0.5)
    return real(*arguments)
{slow}, one = slow, Cleaner.load()
other = threading.Thread(target=one.clean, args=["SHARE THIS"])
other.start()
begun.wait()
child = os.fork()
if child == 0:
    signal.alarm(30)
    os._exit(one.clean("SHARE THIS") != "")
print(os.waitpid(child, 0)[1])
"""
    assert run(code) == "0\n"


def odd_npz() -> Iterator[bytes]:
    """Yield files of machine code that are damaged in ways of which zip and numpy say different things."""
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {name: np.zeros(3, np.uint8) for name in compiling.KERNELS}
    np.savez(buffer, **arrays)
    whole = buffer.getvalue()
    yield b""
    yield whole[: len(whole) // 2]
    for mark, method in ((b"PK\x01\x02", 10), (b"PK\x01\x02", 8)):  # an unknown compression; encrypted
        at = whole.index(mark) + method
        yield whole[:at] + b"\x63" + whole[at + 1 :]
    header = b"{'descr': ("
    with zipfile.ZipFile(buffer, "w") as file:
        for name in compiling.KERNELS:
            file.writestr(f"{name}.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    yield buffer.getvalue()


@pytest.mark.parametrize("content", list(odd_npz()), ids=range(5))
def test_a_damaged_cache_is_replaced(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"kernels-{native.fingerprint()}.npz"
    path.write_bytes(content)
    code = {name: name.encode() for name in compiling.KERNELS}
    monkeypatch.setattr(native, "cache_folders", lambda: iter([tmp_path]))
    monkeypatch.setattr(native, "compiled", lambda: code)
    assert native.object_code() == code
    monkeypatch.delattr(native, "compiled")
    assert native.object_code() == code


def test_compiling_is_logged(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(compiling, "compiled_with", lambda numba: {})
    with caplog.at_level("INFO", "cleaner"):
        assert compiling.compiled() == {}
    assert caplog.messages == ["compiling its kernels, once, for up to a minute"]


def test_what_could_not_be_kept_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(place: Path, **arrays: Any) -> None:
        place.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(native, "cache_folders", lambda: iter([tmp_path]))
    monkeypatch.setattr(native, "compiled", lambda: {"a": b"b"})
    monkeypatch.setattr(np, "savez", full)
    assert native.object_code() == {"a": b"b"}
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("error")
def test_a_cache_that_was_cut_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = {name: name.encode() * 9999 for name in compiling.KERNELS}
    monkeypatch.setattr(native, "cache_folders", lambda: iter([tmp_path]))
    monkeypatch.setattr(native, "compiled", lambda: code)
    assert native.object_code() == code
    os.truncate(tmp_path / f"kernels-{native.fingerprint()}.npz", 100_000)
    assert native.object_code() == code
    gc.collect()


def test_a_user_without_home_has_no_cache_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "~")  # what is not known stays so
    assert len(list(native.cache_folders())) == 1
    monkeypatch.setenv("XDG_CACHE_HOME", "/a")
    assert list(native.cache_folders())[1:] == [Path("/a/line-cleaner")]
