import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaner import lines

ODD = ["\n", "\r", "\r\n", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x1f"]
ODD += ["\ufeff", "\u200b", "\x00", "\ud800", "\udfff", " ", "\t", "a", "港"]
TEXTS = st.text(st.characters()) | st.lists(st.sampled_from(ODD)).map("".join)


@given(TEXTS)
def test_split_loses_nothing(text: str) -> None:
    found = lines.split(text)
    assert lines.join(found) == text
    assert all(found)
    assert all(len(line.splitlines()) == 1 for line in found)


@given(TEXTS)
def test_content_is_the_line_without_its_ending(text: str) -> None:
    for line in lines.split(text):
        content = lines.content(line)
        assert line.startswith(content)
        assert content == "" or content.splitlines() == [content]
        assert (line[len(content) :] + "x").splitlines() in (["x"], ["", "x"])


@pytest.mark.parametrize(
    ("line", "content"),
    [
        ("", ""),
        ("\n", ""),
        ("\r\n", ""),
        ("one", "one"),
        ("one\n", "one"),
        ("one\r\n", "one"),
        ("one\r", "one"),
        ("one\u2028", "one"),
        ("one\x85", "one"),
        (" one \n", " one "),
        ("\ufeffone\n", "\ufeffone"),
        ("\x00\n", "\x00"),
        ("\ud800\n", "\ud800"),
    ],
)
def test_content(line: str, content: str) -> None:
    assert lines.content(line) == content


@pytest.mark.parametrize(
    "line", ["", "\n", "\r\n", " \t\n", "\xa0\n", "\u3000", "\u200b\n", "\ufeff", "\u2028", "\x1f"]
)
def test_blank(line: str) -> None:
    assert lines.blank(line)


@pytest.mark.parametrize("line", ["one", ".\n", "\x00", "\ud800\n", "\u00ad", "\u0301", "…\r\n"])
def test_not_blank(line: str) -> None:
    assert not lines.blank(line)
