"""The verbs that make models and measure them: train, compare, evaluate."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cleaner.console import ModelName, app, errors, path_of, say, say_left_out
from cleaner.errors import UsageError

Data = Annotated[
    list[Path],
    typer.Argument(metavar="DATA...", help="Folders or files: .tsv, .jsonl, .jsonl.gz.", parser=path_of),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print all figures as JSON.")]


@app.command()
def train(
    data: Data,
    output: Annotated[str, typer.Option("--output", "-o", metavar="PATH", help="The model folder to write.")],
    base: Annotated[
        str, typer.Option("--base", help="Adapt this model (`default` is the shipped one) instead of starting anew.")
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="With --base: write the model even if it is worse.")] = False,
    margin: Annotated[
        float | None,
        typer.Option("--margin", help="With --base: by how much body F1 may fall in general; else 0.003."),
    ] = None,
    test: Annotated[
        list[Path] | None,
        typer.Option("--test", help="Labelled data to measure on; its scores go into the card.", parser=path_of),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="The same seed and data give the same weights.")] = 0,
) -> None:
    """Train a model on labelled lines, or adapt one to them.

    Example: cleaner train my_pages/ --base default -o models/mine

    With --base a few hundred lines are enough. The model is written if a tenth fewer words are wrong on held-out
    documents of the data and body F1 falls by no more than --margin in general; if not, the exit code is 1. Without
    --base the labels may be any, `body` among them.
    """
    with errors():
        if base and test:
            raise UsageError("--test goes without --base. Measure afterwards with: cleaner compare BASE MODEL DATA")
        say_left_out([*data, *(test or ())])
        if base:
            from cleaner.adaptation import Adapting

            margin = Adapting.margin if margin is None else margin
            adapt_to(data, output, base, Adapting(seed=seed, margin=margin, force=force))
        elif force or margin is not None:
            option = "--force" if force else "--margin"
            raise UsageError(f"{option} goes with --base. A model that is trained anew is always written.")
        else:
            train_anew(data, output, test or [], seed)


def train_anew(data: list[Path], output: str, test: list[Path], seed: int) -> None:
    """Train a model and print its figures."""
    from cleaner.listing import progress
    from cleaner.reports import held_out, print_scores
    from cleaner.training import Options
    from cleaner.training import train as train_model

    with progress() as report:
        trained = train_model(data, output, Options(seed=seed), report, test)
    print_scores(trained.card["held_out"]["all"], held_out(trained.card))
    if test:
        print_scores(trained.card["scores"], "test data")
    for warning in trained.card.get("warnings", []):
        say(f"cleaner: {warning}")
    say(f"wrote {output}")


def adapt_to(data: list[Path], output: str, base: str, options: Any) -> None:
    """Adapt a model, print its figures before and after, and say whether it was written."""
    from cleaner.listing import progress
    from cleaner.reports import GENERAL, HELD_OUT, print_before_after
    from cleaner.trial import adapt

    with progress() as report:
        found = adapt(data, output, base, options, report)
    trial = found.trial
    if trial.hers:
        print_before_after(*trial.hers, HELD_OUT)
    if trial.general:
        print_before_after(*trial.general, GENERAL)
    for warning in found.warnings:
        say(f"cleaner: {warning}")
    if not found.written:
        say(f"cleaner: not written: {trial.refused}. Label more documents, or use --force.{as_it_was(output)}")
        raise typer.Exit(1)
    say(f"wrote {output}" + (f", although {trial.refused}" if trial.refused else ""))


def as_it_was(output: str | Path) -> str:
    """Return a sentence on the model that is in a folder already, empty if there is none."""
    return f" The model that is in {output} stays as it was." if (Path(output) / "card.json").exists() else ""


@app.command()
def compare(
    first: Annotated[str, typer.Argument(metavar="MODEL_A", help="A model folder, or a shipped model's name.")],
    second: Annotated[str, typer.Argument(metavar="MODEL_B", help="The model to compare it with.")],
    data: Data,
    lines: Annotated[int, typer.Option("--lines", min=0, help="How many of the lines that differ are shown.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Measure two models side by side and show the lines that they label differently, worst first.

    Example: cleaner compare default models/mine held_back/
    """
    from cleaner.comparison import compare as compare_models
    from cleaner.reports import print_comparison

    with errors():
        found = compare_models(first, second, data)
        say_left_out(data)
        for name, count in zip((first, second), found["trained_on"].values(), strict=True):
            say_trained((count, found["documents"]), name)
        if as_json:
            print(json.dumps(found, indent=1))
        else:
            print_comparison(found, (first, second), lines)


@app.command()
def evaluate(
    data: Data,
    model: ModelName = "default",
    errors_shown: Annotated[int, typer.Option("--errors", min=0, help="Show so many of the costliest errors.")] = 0,
    learning_curve: Annotated[
        bool, typer.Option("--learning-curve", help="Adapt the model to more and more of the documents instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure a model on labelled lines.

    Example: cleaner evaluate held_back/ --model models/mine --errors 10
    """
    from cleaner.reports import print_curve, print_evaluation

    with errors():
        if learning_curve and errors_shown:
            raise UsageError("--errors goes without --learning-curve, which shows no lines. Ask for one of them.")
        found = curve_of(data, model) if learning_curve else figures_of(data, model, errors_shown)
        say_left_out(data)
        if as_json:
            print(json.dumps(found, indent=1))
        elif learning_curve:
            print_curve(found["learning_curve"], ", ".join(map(str, data)))
        else:
            print_evaluation(found, ", ".join(map(str, data)))


def say_trained(counts: tuple[int, int], model: str) -> None:
    """Say that documents trained the model that they measure, if some did."""
    if counts[0]:
        what = f"{counts[0]:,} of these {counts[1]:,} documents trained the model {model}"
        say(f"cleaner: {what}, and what it says of them is no guide to others. Measure on documents held back.")


def figures_of(data: list[Path], model: str, number: int) -> dict[str, Any]:
    """Return the figures of a model, with the costliest errors if any are asked for."""
    from cleaner.alike import trained_on
    from cleaner.cleaning import Cleaner
    from cleaner.corpus import read_sure
    from cleaner.costs import costliest
    from cleaner.evaluation import figures, measure

    documents, cleaner = read_sure(data), Cleaner.load(model)
    measured = measure(documents, cleaner)
    say_trained(trained_on(cleaner.model.card, documents), model)
    found = figures(measured)
    return {**found, "costliest": costliest(documents, measured, number)} if number else found


def curve_of(data: list[Path], model: str) -> dict[str, Any]:
    """Return the learning curve of a model on labelled data."""
    from cleaner.alike import trained_on
    from cleaner.corpus import read_sure
    from cleaner.curve import learning_curve
    from cleaner.listing import progress
    from cleaner.model import Model

    documents, base = read_sure(data), Model.load(model)
    say_trained(trained_on(base.card, documents), model)
    with progress() as report:
        return {"learning_curve": learning_curve(base, documents, report=report)}
