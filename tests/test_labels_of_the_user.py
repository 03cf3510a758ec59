"""Models of any label set, trained on small invented data; and data that is too little or wrong."""

import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cleaner.cleaning import Cleaner
from cleaner.cli import app
from cleaner.corpus import LabelledDocument
from cleaner.errors import DataError, UsageError
from cleaner.sampling import split
from cleaner.training import Options, train

TINY = Options(rows=2**12, text_epochs=3, epochs=8, draft_hidden=16, teacher_hidden=16)
#: What training tells of is words for the user, not source lines of libraries.
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")
WORDS = [
    "oven",
    "leek",
    "quay",
    "lantern",
    "flour",
    "basil",
    "harbour",
    "skillet",
    "market",
    "thyme",
    "lemon",
    "barley",
]
TWELVE = {
    "title": "How to make {0}",
    "price": "€ 4.{2} the portion",
    "recipe_step": "{2}. Stir the {0}",
    "ingredient": "{2} g {0}",
    "rating": "{2} of 5 stars",
    "time": "Ready in {2} minutes",
    "author": "Kitchen of Aunt {1}",
    "caption": "In the picture: {0}",
    "comment": "{1} says: lovely!",
    "menu": "Starters | Mains | {1}",
    "advert": "Buy our {0} pan now",
}


def write(folder: Path, labels: list[str], documents: int = 12, sites: int = 3) -> Path:
    """Write invented recipes: paragraphs, and a line of each other label in between."""
    rng = random.Random(0)
    for number in range(documents):
        rows = []
        for label in labels:
            sentence = " ".join(rng.choice(WORDS) for _ in range(rng.randint(12, 25))).capitalize()
            rows.append(f"body\t{sentence} and so on until it is done.")
            word = rng.choice(WORDS)
            rows.append(f"{label}\t{TWELVE[label].format(word, word.capitalize(), rng.randint(10, 99))}")
        place = folder / f"kitchen{number % sites}" / f"{number}.tsv"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("\n".join(rows) + "\n", "utf-8")
    return folder


def test_two_labels_of_the_user(tmp_path: Path) -> None:
    trained = train([write(tmp_path / "data", ["price"])], tmp_path / "model", TINY)
    assert trained.labels == ["body", "price"]
    assert trained.card["held_out"]["all"]["labels"]["price"]["f1"] > 0.8
    found = Cleaner.load(tmp_path / "model", keep="price").label("The soup was good.\n€ 4.10 the portion")
    assert [list(line.probabilities) for line in found] == [["body", "price"]] * 2


def test_twelve_labels_and_keep(tmp_path: Path) -> None:
    data = write(tmp_path / "data", list(TWELVE), documents=24)
    trained = train([data], tmp_path / "model", TINY)
    assert sorted(trained.labels) == sorted(["body", *TWELVE])
    rows = [row.split("\t") for row in (data / "kitchen0" / "0.tsv").read_text("utf-8").splitlines()]
    (tmp_path / "text.txt").write_text("".join(f"{text}\n" for _, text in rows), "utf-8")
    arguments = ["clean", str(tmp_path / "text.txt"), "--model", str(tmp_path / "model"), "--keep", "body,recipe_step"]
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    kept = set(result.stdout.splitlines())
    assert {text for label, text in rows if label == "recipe_step"} <= kept
    assert not {text for label, text in rows if label == "price"} & kept
    with pytest.raises(UsageError, match="headline"):
        Cleaner.load(tmp_path / "model", keep=["headline"])
    steps = trained.card["held_out"]["all"]["labels"]["recipe_step"]
    assert steps["recall"] > 0.8


def test_one_site_is_split_by_document(tmp_path: Path) -> None:
    data = write(tmp_path / "data", ["price", "recipe_step"], documents=6, sites=1)
    trained = train([data], tmp_path / "model", TINY)
    assert any("one site" in warning for warning in trained.card["warnings"])


def test_a_document_may_be_called_like_its_site() -> None:
    data = [
        LabelledDocument(
            name, "1", (f"{name} is one.", "Two."), ("body", "price"), ("", ""), (False,) * 2, (False,) * 2
        )
        for name in "12345"
    ]
    folds = split(data, 5, 0)
    assert [{document.id for document in fold} for fold in folds] == [{name} for name in "12345"]


def test_rare_label_is_a_warning(tmp_path: Path) -> None:
    data = write(tmp_path / "data", ["price"])
    first = data / "kitchen0" / "0.tsv"
    first.write_text(first.read_text() + "tip\tLet it rest.\n")
    warnings = train([data], tmp_path / "model", TINY).card["warnings"]
    assert [warning for warning in warnings if "'tip' has 1 line in 1 document:" in warning]


def test_sites_that_fall_into_one_fold(tmp_path: Path) -> None:
    data = write(tmp_path / "data", ["price"], documents=4, sites=2)
    assert train([data], tmp_path / "model", Options(**{**vars(TINY), "folds": 2})).labels == ["body", "price"]


def test_one_document(tmp_path: Path) -> None:
    data = write(tmp_path / "data", ["price"], documents=1)
    with pytest.raises(
        DataError, match=r"0\.tsv: one document is too few.* Label two documents .*a TSV file is one\)$"
    ):
        train([data], tmp_path / "model", TINY)
    path = data / "kitchen0" / "0.tsv"
    path.write_text(path.read_text("utf-8").replace("price\t", "junk\t"), "utf-8")
    with pytest.raises(DataError, match="unmeasured: cleaner train --base default --force"):
        train([data], tmp_path / "model", TINY)
    assert not (tmp_path / "model").exists()


def test_three_lines(tmp_path: Path) -> None:
    for site, row in (("one", "body\tThe soup was good.\nprice\t€ 4.10\n"), ("two", "body\tSo was the bread.\n")):
        (tmp_path / "data" / site).mkdir(parents=True)
        (tmp_path / "data" / site / "a.tsv").write_text(row, "utf-8")
    with pytest.raises(DataError, match=r"too few documents .* without .*one.a\.tsv there is nothing but body"):
        train([tmp_path / "data"], tmp_path / "model", TINY)
    (tmp_path / "data" / "two" / "b.tsv").write_text("price\t€ 5.20\n", "utf-8")
    assert train([tmp_path / "data"], tmp_path / "model", TINY).card["warnings"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"body\tFine.\nprice 4.10\n", ":2: 1 column"),
        (b"body\tFine.\nPrice\t4.10\n", ":2: 'Price' is no label"),
        (b"body\tFine.\nprice\t4.10\tthe portion\n", ":2: 'the portion' is no kind of junk"),
        (b"body\tFine.\nprice\t4.10\ta\tb\n", ":2: 4 columns"),
        (b"body\tFine.\nbody\tna\xefve\n", ":2: not UTF-8"),
        (b"body\t\n", ":1: a label and no text"),
    ],
)
def test_wrong_lines_are_named(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "kitchen").mkdir()
    (tmp_path / "kitchen" / "wrong.tsv").write_bytes(content)
    for arguments in (["train", "-o", tmp_path / "model"], ["train", "--base", "default", "-o", tmp_path / "model"]):
        result = CliRunner().invoke(app, [*map(str, arguments), str(tmp_path / "kitchen")])
        assert result.exit_code == 2
        assert f"wrong.tsv{words}" in result.stderr.splitlines()[-1]
    assert not (tmp_path / "model").exists()


def test_lines_that_are_test_data_too(tmp_path: Path) -> None:
    data = write(tmp_path / "data", ["price"], documents=6)
    same = data / "kitchen0" / "0.tsv"
    with pytest.raises(DataError, match=r"0\.tsv: is test data, too, see .*0\.tsv\. Take it out of one of them"):
        train([data], tmp_path / "model", TINY, test=[same])
    (tmp_path / "test").mkdir()
    test = tmp_path / "test" / "a.tsv"
    test.write_text("".join(path.read_text("utf-8") for path in sorted(data.rglob("*.tsv"))[:2]), "utf-8")
    with pytest.raises(
        DataError, match=r"0\.tsv:1: a line that is in the test data, too, as are 2 of the 6 long lines"
    ):
        train([data], tmp_path / "model", TINY, test=[test])
    assert not (tmp_path / "model").exists()
    test.write_text(same.read_text("utf-8") + "price\t€ 1.10\n", "utf-8")
    model = train([data], tmp_path / "model", TINY, test=[test])
    shared = model.card["lines_shared_with_tests"]
    assert shared == 1
    assert model.card["warnings"][0].startswith("1 line of the data stood in the test data")


def test_info_shows_held_out_figures_and_warnings(tmp_path: Path) -> None:
    train([write(tmp_path / "data", ["price"], sites=1, documents=6)], tmp_path / "model", TINY)
    shown = CliRunner().invoke(app, ["info", str(tmp_path / "model")]).stdout
    assert "scores on held-out documents of the one site" in shown
    assert "warning: all documents are from one site" in shown
