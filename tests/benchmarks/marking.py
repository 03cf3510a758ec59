"""What is kept of text that was converted to Markdown, or has its tags left in it.

    python tests/benchmarks/marking.py ../shared/corpus/valid

HTML is built around the labelled lines (headings, paragraphs with links and emphasis, lists, figures, menus of links)
and converted by html2text, without wrapping, and by markdownify, or left as it is. Body and the rest are counted in
words. Prints a table and writes `marking.json` beside this file.
"""

import html
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import html2text
import markdownify
from wrapping import arguments, write_figures

from cleaner.cleaning import Cleaner
from cleaner.corpus import LabelledDocument, read_labelled
from cleaner.labels import BODY, JUNK

OUTPUT = Path(__file__).with_name("marking.json")
#: Words up to which a body line without one of the stops is a heading or part of a list, up to which junk is a link in
#: a menu; which paragraphs have a link and which emphasis, by their length.
HEADING, MENU, LINKED, STRESSED = 8, 12, 3, 5
MARKUP = re.compile(r"!\[[^]]*\]\(\S*\)|</?\w+>")
NAME = re.compile(r"\w+")
STOPS = '.!?:,”"。！？'


def element(document: LabelledDocument, number: int) -> str:
    """Return a line as an element of a page, the same in all views of it."""
    label, line = document.labels[number], document.lines[number]
    words = html.escape(line, quote=False).split()
    text, link = (
        " ".join(words),
        f"https://www.{document.site}/news/{len(line) * 7919}/{'-'.join(NAME.findall(line)[:2])}",
    )
    if label == "headline":
        return f"<h1>{text}</h1>"
    if label == "caption":
        return f'<figure><img src="{link}.jpg" alt=""><figcaption>{text}</figcaption></figure>'
    if label == JUNK and len(words) <= MENU:
        return f'<ul><li><a href="{link}">{text}</a></li></ul>'
    if label == BODY and open_ended(document, number):
        beside = open_ended(document, number - 1) or open_ended(document, number + 1)
        return f"<ul><li>{text}</li></ul>" if beside else f"<h2>{text}</h2>"
    if label == "byline" and len(words) > 1:
        return f'<p>{words[0]} <a href="{link}">{" ".join(words[1:])}</a></p>'
    if len(words) > MENU and len(line) % LINKED == 0:
        words[3:6] = [f'<a href="{link}">{" ".join(words[3:6])}</a>']
    if len(words) > MENU and len(line) % STRESSED == 0:
        words[-2] = f"<em>{words[-2]}</em>"
    return f"<p>{' '.join(words)}</p>"


def open_ended(document: LabelledDocument, number: int) -> bool:
    """Tell whether there is a line of this number, of the body, short and without a stop at its end."""
    if not 0 <= number < len(document.lines) or document.labels[number] != BODY:
        return False
    line = document.lines[number].rstrip()
    return len(line.split()) <= HEADING and line[-1] not in STOPS


def converted(document: LabelledDocument, convert: Callable[[str], str]) -> LabelledDocument:
    """Return a converted document; images and tags alone, which it had no line for, count neither way."""
    rows: list[tuple[str, str, str, bool, bool]] = []
    for number, (label, kind, weak) in enumerate(zip(document.labels, document.kinds, document.weak, strict=True)):
        page = element(document, number)
        for line in lines_of(convert(page)):
            alone = MARKUP.fullmatch(line) is not None
            rows.append((line, JUNK if alone else label, kind, weak or alone, not page.startswith("<ul")))
    lines, labels, kinds, doubtful, blank = zip(*rows, strict=True)
    return replace(document, lines=lines, labels=labels, kinds=kinds, weak=doubtful, blank_before=blank, rows=())


def lines_of(text: str) -> Iterator[str]:
    """Return the lines that are not blank."""
    return (line.rstrip() for line in text.splitlines() if line.strip())


def copies(documents: Sequence[LabelledDocument], way: str) -> list[LabelledDocument]:
    """Return the documents as converted in one of :data:`WAYS`."""
    return [converted(one, WAYS[way]) for one in documents]


@cache
def by_html2text(page: str) -> str:
    """Convert a page without wrapping its lines."""
    converter = html2text.HTML2Text(bodywidth=0)
    return converter.handle(page)


@cache
def by_markdownify(page: str) -> str:
    """Convert a page with headings as most have them."""
    return str(markdownify.markdownify(page, heading_style="ATX"))


WAYS: dict[str, Callable[[str], str]] = {
    "html2text": by_html2text,
    "tags left in": str,
    "markdownify": by_markdownify,
}


def main() -> None:
    """Measure and write the figures."""
    chosen = arguments(__doc__, OUTPUT)
    documents = read_labelled([chosen.data])
    texts = {name: copies(documents, name) for name in WAYS}
    write_figures({"as it is": documents, **texts}, Cleaner.load(chosen.model), chosen.output)


if __name__ == "__main__":
    main()
