"""The command `bert-ner`.

bert-ner encoders
echo "movies starring mel gibson" | bert-ner tag
bert-ner check gold.bio
bert-ner score gold.bio predicted.bio
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NoReturn, get_args

from bert_ner import __version__, load_tagger
from bert_ner.corpus.bio import Order
from bert_ner.corpus.catalog import CORPORA
from bert_ner.corpus.check import check_bio
from bert_ner.encoder.weights import ENCODERS, availability
from bert_ner.errors import BertNerError, as_out_of_memory, printable, told
from bert_ner.loading import trained_folder
from bert_ner.stream import Format, as_json, tag_stream, text_renderer, wants_colour

DEFAULT_CORPUS = "mit_movie_eng"

_TAG_HELP = """\
Tag queries, one a line, and write a record for each as soon as it is there.

The input is text, its words parted by white space, or JSON Lines with {"words": [...]} or {"text": "..."}. On a
terminal the answer is coloured text (without colours if NO_COLOR is set); anywhere else it is JSON Lines:
  {"line": 1, "words": [...], "tags": [...], "entities": [{"text", "type", "start", "end", "score"}, ...]}
An entity is the words from start up to, not including, end; its score is the mean probability of its tags.
A line that can't be read gives {"line", "error"}, and the rest goes on."""
_SCORE_HELP = """\
Score the tags of BIO files against those of one with the same words: every metric with its bootstrap interval and
signature, and F1 by type. Two predictions or more are compared, each with each, by a paired test. An I-X that continues
nothing is counted as conlleval counts it, and said.

  bert-ner score gold.bio predicted.bio
  bert-ner score gold.bio a.bio b.bio --json"""
_CHECK_HELP = """\
Say all that is wrong with BIO files (file, line, what, remedy), and sum up the sentences that are right. A BIO file has
a tag and a word a line, in either order, and a blank line after each sentence."""
_TAG_STATUS = """\
exit status: 0 if every line was tagged, 1 if a line or something else could not be read, 2 for wrong usage,
130 if interrupted, 141 if the reader of the output closed it"""


def main() -> None:
    """Run the command line."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # else whoever started this wants it ignored
        signal.signal(signal.SIGINT, _interrupted)
    try:
        options = _parser().parse_args()
        options.run(options)
        print(end="", flush=True)  # here, where a closed pipe is understood
    except BertNerError as error:
        sys.exit(f"bert-ner: {told(error)}")
    except BrokenPipeError:
        os._exit(141)  # what a shell calls the death by SIGPIPE; quietly, without another flush
    except (MemoryError, RuntimeError) as error:  # PyTorch and onnxruntime raise the latter
        if not (shortage := as_out_of_memory(error)):
            raise
        sys.exit(f"bert-ner: {told(shortage)}")
    finally:
        signal.signal(signal.SIGINT, before)


def list_encoders(_: argparse.Namespace) -> None:
    """Print a line per encoder: whether it can be had here, its parameters, and from where or why not."""
    for encoder in ENCODERS.values():
        found, where = availability(encoder)
        print(f"{'yes' if found else 'no ':3}  {encoder.name:20}  {encoder.parameters / 1e6:5.1f} M  {where}")


def tag(options: argparse.Namespace) -> None:
    """Tag the lines of a file or of standard input.

    Raises:
        BertNerError: the system or the file can't be had, or there was a line that can't be read.
    """
    if sys.stdout is None:
        raise BertNerError("standard output is closed")
    if options.model and options.corpus:
        raise BertNerError("--corpus goes with --system; a folder given by --model is used as it is")
    terminal = os.isatty(1)
    form: Format = options.format or ("jsonl" if options.file.endswith((".jsonl", ".ndjson", ".json")) else "text")
    as_text = options.output == "text" or (options.output is None and terminal)
    with _opened(options.file) as source:
        tagger = load_tagger(
            options.model or trained_folder(options.corpus or DEFAULT_CORPUS, options.system), not options.float
        )
        render = text_renderer(wants_colour(terminal, os.environ)) if as_text else as_json
        tally = tag_stream(tagger, source.fileno(), 1, form, render)
    if tally.errors:
        raise BertNerError(f"{tally.errors} of {tally.lines} line(s) can't be read; their records say why")


def export_encoder(options: argparse.Namespace) -> None:
    """Export a trained encoder for onnxruntime.

    Raises:
        BertNerError: there is none, or the target can't be written.
    """
    from bert_ner.export.export import export  # noqa: PLC0415 - slow to import, and only needed here

    export(Path(options.source), Path(options.target), options.weights)
    print(f"{options.target} written; bert-ner tag --model {options.target}")


def score(options: argparse.Namespace) -> None:
    """Score BIO files against another one.

    Raises:
        BertNerError: a file can't be read, or does not fit.
    """
    # Slow to import, and only needed here.
    from bert_ner.scoring.files import File, score_files  # noqa: PLC0415
    from bert_ner.scoring.text import as_text  # noqa: PLC0415

    gold, *predicted = (File(*_read(name)) for name in (options.gold, *options.predicted))
    record = score_files(gold, predicted, options.order)
    print(json.dumps(record, indent=2) if options.json else as_text(record))


def check(options: argparse.Namespace) -> None:
    """Check BIO files.

    Raises:
        BertNerError: something is wrong with one.
    """
    wrong = 0
    for file in options.files:
        try:
            name, content = _read(file)
            offences, summary = check_bio(content, name, options.order)
        except BertNerError as error:
            offences, summary = str(error).split("\n"), []
        print(*map(printable, offences + summary), sep="\n")
        wrong += bool(offences)
    if wrong:
        raise BertNerError(f"{wrong} of {len(options.files)} file(s) are not right; the lines above say why")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bert-ner", description="Named entity recognition, judged.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)

    about = "list the encoders, where each can be had from, or why it can't"
    commands.add_parser("encoders", help=about, description=about).set_defaults(run=list_encoders)

    about = "export a trained encoder for onnxruntime: a folder that starts faster and tags faster"
    exporting = commands.add_parser("export", help=about, description=about, allow_abbrev=False)
    exporting.set_defaults(run=export_encoder)
    exporting.add_argument("source", metavar="FOLDER", help="a trained encoder, ours or any Hugging Face folder")
    exporting.add_argument("target", metavar="NEW_FOLDER", help="where to")
    exporting.add_argument(
        "--weights", choices=("int8", "float32"), default="int8", help="default: %(default)s, smaller and faster"
    )

    scoring = commands.add_parser(
        "score",
        help="score the tags of BIO files, whichever system wrote them",
        description=_SCORE_HELP,
        epilog="exit status: 0 if it was scored, 1 if a file can't be, 2 for wrong usage",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    scoring.set_defaults(run=score)
    scoring.add_argument("gold", metavar="GOLD", help="what is right; -, here or once below, is standard input")
    scoring.add_argument("predicted", nargs="+", metavar="PREDICTED", help="what a system says of the same words")
    scoring.add_argument("--json", action="store_true", help="an object for programs; scores are fractions")

    checking = commands.add_parser(
        "check",
        help="say what is wrong with BIO files",
        description=_CHECK_HELP,
        epilog="exit status: 0 if all is right, 1 if something is wrong or can't be read, 2 for wrong usage",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    checking.set_defaults(run=check)
    checking.add_argument("files", nargs="+", metavar="FILE", help="- is standard input")
    for command in (scoring, checking):
        command.add_argument(
            "--order",
            choices=get_args(Order),
            help="the columns of all files; default: told from the tags, file by file",
        )

    tagging = commands.add_parser(
        "tag",
        help="tag queries, one a line, as they come",
        description=_TAG_HELP,
        epilog=_TAG_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    tagging.set_defaults(run=tag)
    tagging.add_argument("file", nargs="?", default="-", metavar="FILE", help="default: -, which is standard input")
    which = tagging.add_mutually_exclusive_group()
    which.add_argument("--model", metavar="FOLDER", help="a saved system, or any Hugging Face folder that tags words")
    which.add_argument(
        "--system", default="minilm", metavar="NAME", help="one trained by 'make repro': crf or minilm, the default"
    )
    tagging.add_argument("--corpus", choices=CORPORA, help=f"of --system; default: {DEFAULT_CORPUS}")
    tagging.add_argument(
        "--float",
        action="store_true",
        help="with the weights as trained, not their 8-bit copy: slower",
    )
    tagging.add_argument(
        "--format", choices=get_args(Format), help="of the input; default: by FILE's ending, without one text"
    )
    tagging.add_argument("--output", choices=get_args(Format), help="default: text on a terminal, else jsonl")
    return parser


def _interrupted(*_: object) -> NoReturn:
    """End at once. As an exception, Ctrl-C is swallowed or aborts the process while torch is being imported."""
    with suppress(OSError):
        os.write(2, b"\nbert-ner: interrupted\n")
    os._exit(130)


def _opened(file: str) -> BinaryIO:
    try:
        return open(0 if file == "-" else file, "rb", buffering=0)
    except OSError as error:
        raise BertNerError(f"{'standard input' if file == '-' else file} can't be read: {error.strerror}") from None


def _read(file: str) -> tuple[str, bytes]:
    """The file's name for messages, and its content."""
    with _opened(file) as source:
        return "standard input" if file == "-" else file, source.read()
