"""The command `bert-ner`.

bert-ner encoders
echo "movies starring mel gibson" | bert-ner tag
bert-ner tag-files queries/ tagged/
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
from bert_ner.errors import (
    BertNerError,
    as_missing_extra,
    as_out_of_memory,
    escape_output,
    printable,
    printable_message,
)
from bert_ner.file_commands import add_file_commands, add_layout_options, layout_of, open_input
from bert_ner.loading import PREFERRED, trained_folder
from bert_ner.queries import QueryFormat, format_of_queries, read_queries
from bert_ner.stream import as_bio, as_json, tag_queries, text_renderer, wants_colour, write_answers
from bert_ner.wording import as_flag, counted, options_as

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

_TAG_FILES_HELP = """\
Tag each row of files, and write a file to OUT for each, with the records of bert-ner tag, in the order of the rows.

A file is text, with a query in each line; JSON Lines; or Parquet with a column words, tokens or text. Outputs are JSON
Lines or Parquet. They appear when they are complete, and if the command is killed, the next run goes on from there. A
row that can't be read gives a record with its error. It takes Ray: pip install 'bert-ner[cluster]'. docs/scaling.md
has more.

  bert-ner tag-files queries/ tagged/
  bert-ner tag-files queries.parquet tagged/ --output jsonl --actors 4"""
_TAG_FILES_STATUS = """\
exit status: 0 if every row was tagged, 1 if a row or a file could not be read or written, 2 for wrong usage, 130 if
interrupted"""


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
    terminal = os.isatty(1)
    renderers = {"text": text_renderer(wants_colour(terminal, os.environ)), "jsonl": as_json, "bio": as_bio}
    render = renderers[options.output or ("text" if terminal else "jsonl")]
    layout = layout_of(options)
    name = "standard input" if options.file == "-" else options.file
    form = format_of_queries(name, layout, options.format)
    with open_input(options.file) as source:
        tagger = load_tagger(_model_folder(options), quantised=False if options.float else None)
        queries = read_queries(source.fileno(), name, layout, form)
        lines, errors = write_answers(1, tag_queries(tagger, queries), render)
    if errors:
        raise BertNerError(f"{errors} of {counted(lines, 'line')} can't be read; their records say why")


def tag_files(options: argparse.Namespace) -> None:
    """Tag files on many cores or machines."""
    from bert_ner.scale.tagging import tag_dataset  # noqa: PLC0415 - imports Ray, an extra

    folder = _model_folder(options)
    done = tag_dataset(
        options.source,
        options.target,
        load_tagger(folder, quantised=not (options.float or options.gpu)),
        form=options.format,
        output=options.output,
        actors=options.actors,
        gpu=options.gpu,
        address=options.address,
    )
    complete = f"; {counted(done.complete_before, 'other')} complete before" if done.complete_before else ""
    print(f"{counted(done.files, 'file')} tagged{complete}: {counted(done.rows, 'row')} in {printable(options.target)}")
    if done.errors:
        raise BertNerError(f"{done.errors:,} of {counted(done.rows, 'row')} can't be read; their records say why")


def _model_folder(options: argparse.Namespace) -> str | Path:
    if options.model and options.corpus:
        raise BertNerError("--corpus goes with --system; a folder given by --model is used as it is")
    return options.model or trained_folder(options.corpus or DEFAULT_CORPUS, options.system)


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
    _add_model_options(tagging)
    input_format = "of the input; default: by FILE's suffix, else columns with the options below, else text"
    tagging.add_argument("--format", choices=get_args(QueryFormat), help=input_format)
    outputs = ("text", "jsonl", "bio")
    tagging.add_argument("--output", choices=outputs, help="default: text on a terminal, else jsonl")
    add_layout_options(tagging.add_argument_group("how to read text in columns"))

    summary = "tag files of any size on many cores or machines, with Ray"
    bulk = add(tag_files, "tag-files", summary, description=_TAG_FILES_HELP, epilog=_TAG_FILES_STATUS)
    bulk.add_argument("source", metavar="IN", help="a file, a folder, or an address such as s3://bucket/queries")
    bulk.add_argument("target", metavar="OUT", help="the folder of the outputs, or its address")
    _add_model_options(bulk)
    forms = ("text", "jsonl", "parquet")
    bulk.add_argument("--format", choices=forms, help="of all files; default: by their suffixes")
    output_form = "of all outputs; default: parquet for Parquet, else jsonl"
    bulk.add_argument("--output", choices=("jsonl", "parquet"), help=output_form)
    actors = "how many processes tag at once; default, and at most: the cores"
    bulk.add_argument("--actors", type=int, metavar="N", help=actors)
    bulk.add_argument("--gpu", action="store_true", help="give each a GPU, and use the weights as trained")
    address = "of a Ray cluster; auto is that of this machine. Default: no cluster, this machine alone"
    bulk.add_argument("--address", metavar="ADDRESS", help=address)
    return parser


def _add_model_options(command: argparse.ArgumentParser) -> None:
    """Add the options of `_model_folder`, and --float."""
    source = command.add_mutually_exclusive_group()
    source.add_argument("--model", metavar="FOLDER", help="a saved system, or any Hugging Face folder that tags words")
    system = f"a system that 'make repro' trained, in ./models; default: the first there of {', '.join(PREFERRED)}"
    source.add_argument("--system", metavar="NAME", help=system)
    command.add_argument("--corpus", choices=corpus_names(), help=f"the corpus of --system; default: {DEFAULT_CORPUS}")
    as_trained = "use the weights as trained, not their 8-bit copy; slower"
    command.add_argument("--float", action="store_true", help=as_trained)
