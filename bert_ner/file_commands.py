"""The commands of `bert-ner` that read files of tagged sentences: check, score, convert and gate."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, get_args

from bert_ner.corpus.check import check_file, overlaps
from bert_ner.corpus.columns import Layout, Order, column_index
from bert_ner.corpus.convert import convert
from bert_ner.corpus.formats import Format, Reading
from bert_ner.corpus.schemes import ALIASES, SCHEMES, Scheme
from bert_ner.errors import BertNerError, printable, printable_message
from bert_ner.wording import counted

_FORMATS = """
Files are text, with a word and its tag in each line and a blank line after each sentence; Hugging Face JSON or JSON
Lines with "tokens" and "ner_tags"; or Parquet of the same. Tags may be in any scheme; docs/formats.md has examples."""
_CHECK_HELP = f"""\
Report every error in files of tagged sentences (file, line, error, remedy), and summarise the valid sentences. Of two
files or more, say how many sentences of the later ones stand in the earlier ones.
{_FORMATS}

  bert-ner check train.bio test.bio
  bert-ner check conll2003.txt --word-column first --tag-column last --docstart"""
_SCORE_HELP = f"""\
Score predicted tags against a gold file with the same words: each metric with its bootstrap interval and signature,
and F1 by type. Two or more predictions are compared pairwise by a paired test. An I-X that continues no entity is
counted as conlleval counts it, and reported. Scores are those of the entities in IOB2, whatever the schemes.
{_FORMATS}

  bert-ner score gold.bio predicted.bio
  bert-ner score gold.bio a.bio b.bio --json
  bert-ner score conlleval.txt --predicted-column last"""
_CONVERT_HELP = f"""\
Convert a file to another format, which the suffix of OUT names, or to another tag scheme. Nothing is lost or repaired
in silence: an error names anything that OUT can't express.
{_FORMATS}

  bert-ner convert bioes.txt train.bio
  bert-ner convert train.parquet train.txt --to-scheme BIOES"""

_GATE_HELP = f"""\
Compare new predictions of a system with reference predictions of the same test set, and fail if they are worse. Each
side has a file for each run, made with another seed. With five reference runs or more, a t-test decides; with fewer, a
paired test over sentences.
{_FORMATS}

  bert-ner gate --gold test.bio --new runs/*.bio --save reference.json
  bert-ner gate --gold test.bio --reference reference.json --new new/*.bio"""

_BEFORE_LAST = -2

AddParser = Callable[..., argparse.ArgumentParser]


def add_file_commands(add: AddParser) -> None:
    """Add the parsers of the four commands."""
    status = "exit status: 0 if all files are valid, 1 if one is not or can't be read, 2 for wrong usage"
    checking = add(check, "check", "report errors in tagged files", description=_CHECK_HELP, epilog=status)
    checking.add_argument("files", nargs="+", metavar="FILE", help="- is standard input")

    status = "exit status: 0 if all files were scored, 1 if not, 2 for wrong usage"
    scoring = add(score, "score", "score the tags of any system", description=_SCORE_HELP, epilog=status)
    scoring.add_argument("gold", metavar="GOLD", help="the gold file; -, here or once below, is standard input")
    predicted = "the output of a system for the same words; may be left out with --predicted-column"
    scoring.add_argument("predicted", nargs="*", metavar="PREDICTED", help=predicted)
    own_column = (
        ". Without PREDICTED, they are in GOLD itself, as in conlleval's files, where the gold tags are in the last "
        "column but one"
    )
    _add_prediction_options(scoring, own_column)
    scoring.add_argument("--json", action="store_true", help="print JSON; scores are fractions")
    scoring.set_defaults(usage_error=scoring.error)

    status = "exit status: 0 if OUT was written, 1 if not, 2 for wrong usage"
    converting = add(convert_file, "convert", "convert tagged files", description=_CONVERT_HELP, epilog=status)
    converting.add_argument("source", metavar="IN", help="- is standard input")
    converting.add_argument("target", metavar="OUT", help="the file to write; text if its suffix names no format")
    to_scheme = "the scheme of OUT; default: %(default)s"
    converting.add_argument("--to-scheme", type=_scheme, default="IOB2", metavar="SCHEME", help=to_scheme)
    to_format = "the format of OUT; default: by its suffix"
    converting.add_argument("--to-format", choices=get_args(Format), help=to_format)
    status = "exit status: 0 if the new runs pass, 1 if they fail, 2 if a file can't be read or for wrong usage"
    gating = add(gate, "gate", "fail if new predictions are worse than before", description=_GATE_HELP, epilog=status)
    # A repeated option adds files: if the last one replaced the others, a run could get lost.
    files: dict[str, Any] = {"nargs": "+", "action": "extend", "metavar": "FILE"}
    gating.add_argument("--gold", required=True, help="the gold file", **files)
    reference = "the runs to compare with, or the one file that --save wrote"
    gating.add_argument("--reference", default=[], help=reference, **files)
    gating.add_argument("--new", required=True, help="the runs that must not be worse", **files)
    metric = "default: entity_f1 token_micro_f1; bert-ner score lists all"
    gating.add_argument("--metric", nargs="+", action="extend", metavar="NAME", help=metric)
    runs = "the least number of new runs; fewer fail. Default: %(default)s"
    gating.add_argument("--runs", type=int, default=1, metavar="N", help=runs)
    _add_prediction_options(gating)
    gating.add_argument("--save", type=Path, metavar="FILE", help="save the new runs as a reference, without words")
    gating.add_argument("--markdown", action="store_true", help="print a table in Markdown, for a job summary")

    for command in (checking, scoring, converting, gating):
        _add_reading_options(command)


def _add_prediction_options(parser: argparse.ArgumentParser, without_files: str = "") -> None:
    """Add the options by which predictions are read in another way than the gold file."""
    column = f"where the predicted tags are; default: as --tag-column{without_files}"
    parser.add_argument("--predicted-column", type=_column, metavar="COLUMN", help=column)
    scheme = "the scheme of the predicted tags; default: detected, with that of the gold file in mind"
    parser.add_argument("--predicted-scheme", type=_scheme, metavar="SCHEME", help=scheme)


def _predicted_reading(options: argparse.Namespace) -> Reading:
    own: dict[str, object] = {"scheme": options.predicted_scheme}
    if options.predicted_column is not None:
        own["tag_column"] = options.predicted_column
    return _reading(argparse.Namespace(**vars(options) | own))


def check(options: argparse.Namespace) -> None:
    """Check files."""
    reading = _reading(options)
    _check_standard_input(options.files)
    sentences, invalid = {}, 0
    for file in options.files:
        try:
            name, content = read_input(file)
            problems, summary, sentences[name] = check_file(content, name, reading)
        except BertNerError as error:
            problems, summary = str(error).split("\n"), []
        print(*map(printable, problems + summary), sep="\n")
        invalid += bool(problems)
    print("".join(f"{printable(line)}\n" for line in overlaps(sentences)), end="")
    if invalid:
        share = f"{invalid:,} of {counted(len(options.files), 'file')}"
        raise BertNerError(f"{share} {'fails' if invalid == 1 else 'fail'}; the lines above say why")


def score(options: argparse.Namespace) -> None:
    """Score files against a gold file."""
    from bert_ner.scoring.files import File, as_text, score_files  # noqa: PLC0415 - imports numpy

    if not options.predicted and options.predicted_column is None:
        options.usage_error("name a file of predictions, or their column in the gold file with --predicted-column")
    if not options.predicted and options.tag_column is None:
        options.tag_column = _BEFORE_LAST  # as in conlleval's files
    reading, predicted_reading = _reading(options), _predicted_reading(options)
    _check_standard_input([options.gold, *options.predicted])
    gold, *predicted = (File(*read_input(name)) for name in (options.gold, *options.predicted))
    record = score_files(gold, predicted or [gold], reading, predicted_reading)
    print(json.dumps(record, indent=2) if options.json else as_text(record, sys.stdout.encoding))


def convert_file(options: argparse.Namespace) -> None:
    """Convert a file."""
    name, content = read_input(options.source)
    done = convert(content, name, _reading(options), options.target, options.to_scheme, options.to_format)
    print(printable(done))


def gate(options: argparse.Namespace) -> None:
    """Compare new runs with reference runs; exit with 1 if they are worse, with 2 if a file can't be read."""
    from bert_ner.scoring.files import File  # noqa: PLC0415 - imports numpy
    from bert_ner.scoring.gate import METRICS  # noqa: PLC0415
    from bert_ner.scoring.gate_files import gate_files  # noqa: PLC0415
    from bert_ner.scoring.gate_table import passes, report  # noqa: PLC0415

    try:
        if not (options.reference or options.save):
            raise BertNerError("there is nothing to compare with; name the runs of --reference, or a file to --save")
        if len(options.gold) > 1:
            raise BertNerError(f"--gold names one file, not {len(options.gold)}: {', '.join(options.gold)}")
        _check_standard_input([*options.gold, *options.reference, *options.new])
        readings, metrics = (_reading(options), _predicted_reading(options)), options.metric or METRICS
        gold, *files = (File(*read_input(name)) for name in (*options.gold, *options.reference, *options.new))
        reference, new = files[: len(options.reference)], files[len(options.reference) :]
        found, remarks = gate_files(gold, reference, new, metrics, options.runs, options.save, *readings)
    except BertNerError as error:
        print(f"bert-ner: {printable_message(error)}", file=sys.stderr)
        sys.exit(2)
    print(report(found, remarks, options.markdown, sys.stdout.encoding), flush=True)
    sys.exit(0 if passes(found) or not options.reference else 1)


def _check_standard_input(files: Sequence[str]) -> None:
    """Raise a BertNerError if several files are standard input."""
    if files.count("-") > 1:
        raise BertNerError("- is standard input, which can be read only once; name a file instead of the second -")


def open_input(file: str) -> BinaryIO:
    """Open a file, or standard input for `-`."""
    try:
        return open(0 if file == "-" else file, "rb", buffering=0)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and {*file} & {*"*?["}:  # bash passes on a pattern that matches nothing
            raise BertNerError(f"no file matches {file}") from None
        raise BertNerError(f"{'standard input' if file == '-' else file} can't be read: {error.strerror}") from None


def read_input(file: str) -> tuple[str, bytes]:
    """Return the file's name for messages, and its content."""
    name = "standard input" if file == "-" else file
    try:
        with open_input(file) as source:
            return name, source.read()
    except OSError as error:
        raise BertNerError(f"{name} can't be read: {error.strerror}") from None


def _add_reading_options(command: argparse.ArgumentParser) -> None:
    """Add the options of `_reading`."""
    options = command.add_argument_group("how to read the files")
    form = "default: by the suffix .json, .jsonl or .parquet, else by the content"
    options.add_argument("--format", choices=get_args(Format), help=form)
    scheme = f"of the tags: {', '.join(SCHEMES)}; default: the one that fits"
    options.add_argument("--scheme", type=_scheme, metavar="SCHEME", help=scheme)
    add_layout_options(options)
    names = "the names of numbers in ner_tags, from 0 on: O,B-PER,I-PER; default: the names in the file"
    options.add_argument("--names", type=_names, metavar="NAMES", help=names)


def add_layout_options(options: argparse._ArgumentGroup) -> None:
    """Add the options of `layout_of`."""
    column = "a number from 1, first or last; lines of more than two columns need this or {}. Default: {}"
    options.add_argument("--word-column", type=_column, metavar="COLUMN", help=column.format("--tag-column", "first"))
    options.add_argument("--tag-column", type=_column, metavar="COLUMN", help=column.format("--word-column", "last"))
    order = "the order of two columns; default: detected from the tags, for each file"
    options.add_argument("--order", choices=get_args(Order), help=order)
    options.add_argument("--comments", metavar="TEXT", help="skip lines that begin with TEXT, for example '#'")
    options.add_argument("--docstart", action="store_true", help="skip -DOCSTART- lines; otherwise they are errors")


def _reading(options: argparse.Namespace) -> Reading:
    return Reading(layout_of(options), options.format, options.scheme, options.names)


def layout_of(options: argparse.Namespace) -> Layout:
    """Return the layout of text files that the options describe; raise BertNerError if they contradict each other."""
    layout = Layout(options.order, options.word_column, options.tag_column, options.comments, options.docstart)
    if layout.order and layout.named_columns:
        raise BertNerError("--order is for two columns; with --word-column and --tag-column it has no meaning")
    if layout.named_columns and len({*layout.named_columns}) == 1:
        raise BertNerError(
            "the words and the tags can't be in the same column; name both, --word-column and --tag-column"
        )
    return layout


def _column(text: str) -> int:
    """Parse a column, and return its index, -1 for the last."""
    try:
        return column_index(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))


def _scheme(text: str) -> Scheme:
    for scheme in SCHEMES:
        if text.upper() == scheme:
            return scheme
    if text.upper() not in ALIASES:
        raise argparse.ArgumentTypeError(f"{text!r} is not a scheme; choose from {', '.join((*SCHEMES, *ALIASES))}")
    return ALIASES[text.upper()]
