"""The command `bert-ner`.

bert-ner encoders
echo "movies starring mel gibson" | bert-ner tag
bert-ner check gold.bio
bert-ner convert bioes.txt gold.bio
bert-ner score gold.bio predicted.bio
bert-ner gate --gold gold.bio --reference old/*.bio --new new/*.bio
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from bert_ner import __version__, load_tagger
from bert_ner.corpus.catalog import corpus_names
from bert_ner.errors import BertNerError, as_missing_extra, as_out_of_memory, escape_output, printable_message
from bert_ner.file_commands import add_file_commands, add_layout_options, layout_of, open_input
from bert_ner.loading import trained_folder
from bert_ner.queries import Format, format_of_queries, read_queries
from bert_ner.stream import as_bio, as_json, tag_queries, text_renderer, wants_colour, write_answers
from bert_ner.wording import as_flag, options_as

DEFAULT_CORPUS = "mit_movie_eng"

_TAG_HELP = """\
Tag queries, one per line, and write a record for each at once.

The input is text, or JSON, JSON Lines or Parquet with {"text": "..."} or, if the words are separate, {"words": [...]}
or {"tokens": [...]}. Or it is text in columns, with tags that are ignored or, with --word-column alone, without any. On
a terminal the output is coloured text (without colours if NO_COLOR is set); anywhere else it is JSON Lines:
  {"line": 1, "text": "...", "words": [...], "tags": [...],
   "entities": [{"text", "type", "start", "end", "score"}, ...]}
start and end cut an entity out of the text or, if words were given, of the words. Its score is the mean probability of
its tags. Other keys, such as "id", are kept. A line that can't be read gives {"line", "error"}, and tagging continues.
Punctuation marks are words, and a system trained without them, as on the MIT corpora, may take them into an entity.

  echo "movies starring mel gibson" | bert-ner tag
  bert-ner tag words.txt --word-column first
  bert-ner tag gold.bio --output bio | bert-ner score gold.bio -"""
_TAG_STATUS = """\
exit status: 0 if every line was tagged, 1 if a line or a file could not be read, 2 for wrong usage, 130 if
interrupted, 141 if the reader of the output closed it"""


def main() -> None:
    """Run the command line."""
    escape_output()
    try:
        options = _parser().parse_args()
        with options_as(as_flag):
            options.run(options)
        print(end="", flush=True)  # here, where a closed pipe is handled
    except BertNerError as error:
        sys.exit(f"bert-ner: {printable_message(error)}")
    except BrokenPipeError:
        os._exit(141)  # a shell's status for SIGPIPE; without another flush, which would fail again
    except ModuleNotFoundError as error:
        if not (extra := as_missing_extra(error)):
            raise
        sys.exit(f"bert-ner: {extra}")
    except (MemoryError, RuntimeError) as error:  # PyTorch and onnxruntime raise the latter
        if not (shortage := as_out_of_memory(error)):
            raise
        sys.exit(f"bert-ner: {printable_message(shortage)}")


def list_encoders(_: argparse.Namespace) -> None:
    """Print a line per encoder: whether it is available, its number of parameters, and its source or why not."""
    from bert_ner.encoder.weights import ENCODERS, availability  # noqa: PLC0415 - other commands don't need it

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
    renderers = {"text": text_renderer(wants_colour(terminal, os.environ)), "jsonl": as_json, "bio": as_bio}
    render = renderers[options.output or ("text" if terminal else "jsonl")]
    layout = layout_of(options)
    name = "standard input" if options.file == "-" else options.file
    form = format_of_queries(name, layout, options.format)
    with open_input(options.file) as source:
        folder = options.model or trained_folder(options.corpus or DEFAULT_CORPUS, options.system)
        tagger = load_tagger(folder, quantised=False if options.float else None)
        queries = read_queries(source.fileno(), name, layout, form)
        lines, errors = write_answers(1, tag_queries(tagger, queries), render)
    if errors:
        raise BertNerError(f"{errors} of {lines} line(s) can't be read; their records say why")


def export_encoder(options: argparse.Namespace) -> None:
    """Export a trained encoder for onnxruntime."""
    from bert_ner.export.export import export  # noqa: PLC0415 - imports torch

    export(Path(options.source), Path(options.target), options.weights)
    print(f"{options.target} written; bert-ner tag --model {options.target}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bert-ner",
        description="Named entity recognition: tag, convert, check, score, gate and export.",
        allow_abbrev=False,
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

    add_file_commands(add)

    summary = "tag queries, one per line, as they arrive"
    tagging = add(tag, "tag", summary, description=_TAG_HELP, epilog=_TAG_STATUS)
    tagging.add_argument("file", nargs="?", default="-", metavar="FILE", help="default: -, standard input")
    source = tagging.add_mutually_exclusive_group()
    source.add_argument("--model", metavar="FOLDER", help="a saved system, or any Hugging Face folder that tags words")
    system = "a system that 'make repro' trained, in ./models; default: %(default)s"
    source.add_argument("--system", default="minilm", metavar="NAME", help=system)
    tagging.add_argument("--corpus", choices=corpus_names(), help=f"the corpus of --system; default: {DEFAULT_CORPUS}")
    as_trained = "use the weights as trained, not their 8-bit copy; slower"
    tagging.add_argument("--float", action="store_true", help=as_trained)
    input_format = "of the input; default: by FILE's suffix, else columns with the options below, else text"
    tagging.add_argument("--format", choices=get_args(Format), help=input_format)
    outputs = ("text", "jsonl", "bio")
    tagging.add_argument("--output", choices=outputs, help="default: text on a terminal, else jsonl")
    add_layout_options(tagging.add_argument_group("how to read text in columns"))
    return parser
