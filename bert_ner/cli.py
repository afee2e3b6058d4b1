"""The command `bert-ner`.

bert-ner encoders
echo "movies starring mel gibson" | bert-ner tag
bert-ner check gold.bio
bert-ner score gold.bio predicted.bio
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, get_args

from bert_ner import __version__, load_tagger
from bert_ner.corpus.bio import Order, check_bio
from bert_ner.corpus.catalog import CORPORA
from bert_ner.encoder.weights import ENCODERS, availability
from bert_ner.errors import BertNerError, as_out_of_memory, printable, printable_message
from bert_ner.loading import trained_folder
from bert_ner.stream import Format, tag_stream, text_renderer, wants_colour

DEFAULT_CORPUS = "mit_movie_eng"

_TAG_HELP = """\
Tag queries, one per line, and write a record for each at once.

The input is text with words separated by white space, or JSON Lines with {"words": [...]} or {"text": "..."}. On a
terminal the output is coloured text (without colours if NO_COLOR is set); anywhere else it is JSON Lines:
  {"line": 1, "words": [...], "tags": [...], "entities": [{"text", "type", "start", "end", "score"}, ...]}
An entity is the words from start up to, not including, end; its score is the mean probability of its tags.
A line that can't be read gives {"line", "error"}, and tagging continues with the next."""
_SCORE_HELP = """\
Score the tags of BIO files against a gold file with the same words: each metric with its bootstrap interval and
signature, and F1 by type. Two or more predictions are compared pairwise by a paired test. An I-X that continues no
entity is counted as conlleval counts it, and reported.

  bert-ner score gold.bio predicted.bio
  bert-ner score gold.bio a.bio b.bio --json"""
_CHECK_HELP = """\
Report every error in BIO files (file, line, error, remedy), and summarise the valid sentences. A BIO file has a tag
and a word per line, in either order, and a blank line after each sentence."""
_GATE_HELP = """\
Compare new predictions of a system with reference predictions of the same test set, and fail if they are worse. Each
side has a BIO file for each run, made with another seed. With five reference runs or more, a t-test decides; with
fewer, a paired test over sentences.

  bert-ner gate --gold test.bio --new runs/*.bio --save reference.json
  bert-ner gate --gold test.bio --reference reference.json --new new/*.bio"""
_TAG_STATUS = """\
exit status: 0 if every line was tagged, 1 if a line or a file could not be read, 2 for wrong usage, 130 if
interrupted, 141 if the reader of the output closed it"""


def main() -> None:
    """Run the command line."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # otherwise the parent process wants it ignored
        signal.signal(signal.SIGINT, _exit_on_interrupt)
    try:
        options = _parser().parse_args()
        options.run(options)
        print(end="", flush=True)  # here, where a closed pipe is handled
    except BertNerError as error:
        sys.exit(f"bert-ner: {printable_message(error)}")
    except BrokenPipeError:
        os._exit(141)  # a shell's status for SIGPIPE; without another flush, which would fail again
    except (MemoryError, RuntimeError) as error:  # PyTorch and onnxruntime raise the latter
        if not (shortage := as_out_of_memory(error)):
            raise
        sys.exit(f"bert-ner: {printable_message(shortage)}")
    finally:
        signal.signal(signal.SIGINT, before)


def list_encoders(_: argparse.Namespace) -> None:
    """Print a line per encoder: whether it is available, its number of parameters, and its source or why not."""
    for encoder in ENCODERS.values():
        found, where = availability(encoder)
        print(f"{'yes' if found else 'no ':3}  {encoder.name:20}  {encoder.parameters / 1e6:5.1f} M  {where}")


def tag(options: argparse.Namespace) -> None:
    """Tag the lines of a file or of standard input."""
    if sys.stdout is None:
        raise BertNerError("standard output is closed")
    if options.model and options.corpus:
        raise BertNerError("--corpus goes with --system; a folder given by --model is used as it is")
    terminal = os.isatty(1)
    input_format: Format = "jsonl" if options.file.endswith((".jsonl", ".ndjson", ".json")) else "text"
    as_text = options.output == "text" or (options.output is None and terminal)
    with _open(options.file) as source:
        folder = options.model or trained_folder(options.corpus or DEFAULT_CORPUS, options.system)
        tagger = load_tagger(folder, quantised=not options.float)
        render = text_renderer(wants_colour(terminal, os.environ)) if as_text else json.dumps
        lines, errors = tag_stream(tagger, source.fileno(), 1, options.format or input_format, render)
    if errors:
        raise BertNerError(f"{errors} of {lines} line(s) can't be read; their records say why")


def export_encoder(options: argparse.Namespace) -> None:
    """Export a trained encoder for onnxruntime."""
    from bert_ner.export.export import export  # noqa: PLC0415 - imports torch

    export(Path(options.source), Path(options.target), options.weights)
    print(f"{options.target} written; bert-ner tag --model {options.target}")


def score(options: argparse.Namespace) -> None:
    """Score BIO files against a gold file."""
    from bert_ner.scoring.files import File, as_text, score_files  # noqa: PLC0415 - imports scipy

    gold, *predicted = (File(*_read(name)) for name in (options.gold, *options.predicted))
    record = score_files(gold, predicted, options.order)
    print(json.dumps(record, indent=2) if options.json else as_text(record))


def gate(options: argparse.Namespace) -> None:
    """Compare new runs with reference runs; exit with 1 if they are worse, with 2 if a file can't be read."""
    from bert_ner.scoring.files import File  # noqa: PLC0415 - imports numpy
    from bert_ner.scoring.gate import METRICS  # noqa: PLC0415
    from bert_ner.scoring.gate_files import gate_files  # noqa: PLC0415
    from bert_ner.scoring.gate_table import as_markdown, as_text, headline, passes  # noqa: PLC0415

    try:
        if not (options.reference or options.save):
            raise BertNerError("there is nothing to compare with; name the runs of --reference, or a file to --save")
        gold, *files = (File(*_read(name)) for name in (options.gold, *options.reference, *options.new))
        reference, new = files[: len(options.reference)], files[len(options.reference) :]
        found = gate_files(gold, reference, new, options.metric or METRICS, options.runs, options.save)
    except BertNerError as error:
        print(f"bert-ner: {printable_message(error)}", file=sys.stderr)
        sys.exit(2)
    if options.reference:
        print(headline(found), as_markdown(found) if options.markdown else as_text(found), sep="\n\n", flush=True)
        sys.exit(0 if passes(found) else 1)


def check(options: argparse.Namespace) -> None:
    """Check BIO files."""
    invalid = 0
    for file in options.files:
        try:
            name, content = _read(file)
            errors, summary = check_bio(content, name, options.order)
        except BertNerError as error:
            errors, summary = str(error).split("\n"), []
        print(*map(printable, errors + summary), sep="\n")
        invalid += bool(errors)
    if invalid:
        raise BertNerError(f"{invalid} of {len(options.files)} file(s) are not valid; the lines above say why")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bert-ner", description="Named entity recognition: tag, check, score and export.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)

    def add(
        run: Callable[[argparse.Namespace], None], name: str, summary: str, **texts: Any
    ) -> argparse.ArgumentParser:
        texts = {"help": summary, "description": summary, **texts}
        layout = argparse.RawDescriptionHelpFormatter
        command = commands.add_parser(name, **texts, formatter_class=layout, allow_abbrev=False)
        command.set_defaults(run=run)
        return command

    add(list_encoders, "encoders", "list the encoders, with the source of each, or why it is unavailable")

    exporting = add(export_encoder, "export", "export a trained encoder for onnxruntime, which starts and tags faster")
    folder = "a trained encoder, or any Hugging Face folder that tags words"
    exporting.add_argument("source", metavar="FOLDER", help=folder)
    exporting.add_argument("target", metavar="NEW_FOLDER", help="where to write it")
    weights = "default: %(default)s, smaller and faster"
    exporting.add_argument("--weights", choices=("int8", "float32"), default="int8", help=weights)

    status = "exit status: 0 if all files were scored, 1 if not, 2 for wrong usage"
    scoring = add(score, "score", "score the tags of BIO files of any system", description=_SCORE_HELP, epilog=status)
    scoring.add_argument("gold", metavar="GOLD", help="the gold file; -, here or once below, is standard input")
    scoring.add_argument("predicted", nargs="+", metavar="PREDICTED", help="the output of a system for the same words")
    scoring.add_argument("--json", action="store_true", help="print JSON; scores are fractions")

    status = "exit status: 0 if the new runs pass, 1 if they fail, 2 if a file can't be read or for wrong usage"
    gating = add(gate, "gate", "fail if new predictions are worse than before", description=_GATE_HELP, epilog=status)
    gating.add_argument("--gold", required=True, metavar="FILE", help="the gold file")
    reference = "the runs to compare with, or the file that --save wrote"
    gating.add_argument("--reference", nargs="+", default=[], metavar="FILE", help=reference)
    gating.add_argument("--new", nargs="+", required=True, metavar="FILE", help="the runs that must not be worse")
    metric = "default: entity_f1 token_micro_f1; bert-ner score lists all"
    gating.add_argument("--metric", nargs="+", metavar="NAME", help=metric)
    runs = "how many new runs there must be; fewer fail"
    gating.add_argument("--runs", type=int, default=1, metavar="N", help=runs)
    gating.add_argument("--save", type=Path, metavar="FILE", help="save the new runs as a reference, without words")
    gating.add_argument("--markdown", action="store_true", help="print a table in Markdown, for a job summary")

    status = "exit status: 0 if all files are valid, 1 if one is not or can't be read, 2 for wrong usage"
    checking = add(check, "check", "report errors in BIO files", description=_CHECK_HELP, epilog=status)
    checking.add_argument("files", nargs="+", metavar="FILE", help="- is standard input")
    for command in (scoring, checking):
        order = "the order of the columns; default: detected from the tags, for each file"
        command.add_argument("--order", choices=get_args(Order), help=order)

    summary = "tag queries, one per line, as they arrive"
    tagging = add(tag, "tag", summary, description=_TAG_HELP, epilog=_TAG_STATUS)
    tagging.add_argument("file", nargs="?", default="-", metavar="FILE", help="default: -, standard input")
    source = tagging.add_mutually_exclusive_group()
    source.add_argument("--model", metavar="FOLDER", help="a saved system, or any Hugging Face folder that tags words")
    system = "a system that 'make repro' trained; default: %(default)s"
    source.add_argument("--system", default="minilm", metavar="NAME", help=system)
    tagging.add_argument("--corpus", choices=CORPORA, help=f"the corpus of --system; default: {DEFAULT_CORPUS}")
    as_trained = "use the weights as trained, not their 8-bit copy; slower"
    tagging.add_argument("--float", action="store_true", help=as_trained)
    input_format = "of the input; default: by FILE's extension, else text"
    tagging.add_argument("--format", choices=get_args(Format), help=input_format)
    tagging.add_argument("--output", choices=get_args(Format), help="default: text on a terminal, else jsonl")
    return parser


def _exit_on_interrupt(*_: object) -> NoReturn:
    """Exit at once. KeyboardInterrupt is swallowed, or aborts the process, while torch is being imported."""
    with suppress(OSError):
        os.write(2, b"\nbert-ner: interrupted\n")
    os._exit(130)


def _open(file: str) -> BinaryIO:
    try:
        return open(0 if file == "-" else file, "rb", buffering=0)
    except OSError as error:
        raise BertNerError(f"{'standard input' if file == '-' else file} can't be read: {error.strerror}") from None


def _read(file: str) -> tuple[str, bytes]:
    """Return the file's name for messages, and its content."""
    with _open(file) as source:
        return "standard input" if file == "-" else file, source.read()
