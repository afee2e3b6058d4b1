"""Tag files of any size on many cores or machines, with Ray Data.

from bert_ner import load_tagger
from bert_ner.scale import tag_dataset

tag_dataset("queries/", "tagged/", load_tagger("models/mit_movie_eng/minilm-13"))
"""

import hashlib
import os
import pickle
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from tqdm import tqdm

from bert_ner.errors import BertNerError, InvalidValue
from bert_ner.scale.actors import Joins, tag_pieces
from bert_ner.scale.cluster import connected
from bert_ner.scale.inputs import Form, OutputForm, cut, find_inputs
from bert_ner.scale.parts import STATE, Output, done_record, finished_parts
from bert_ner.scale.places import Place
from bert_ner.tagger import BaseTagger

_READERS = 8  # files that are cut at the same time


class Tagged(NamedTuple):
    """How many files a run tagged, and how many were complete before; the rows of all, and those that are errors."""

    files: int
    complete_before: int
    rows: int
    errors: int


def tag_dataset(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    tagger: BaseTagger,
    *,
    form: Form | None = None,
    output: OutputForm | None = None,
    actors: int | None = None,
    gpu: bool = False,
    address: str | None = None,
) -> Tagged:
    """Tag each row of each file, and write one output for each file, with its rows in order and their other columns.

    Outputs appear when they are complete. A run that ends early is gone on with by the next one: what is complete is
    not done again. An output is made again if its input changed. A row that can't be read becomes a row with an error.

    Args:
        source: a file, a folder, or an address that pyarrow reads, such as s3://bucket/queries.
        target: the folder of the outputs, or its address.
        tagger: it is sent to each actor once.
        form: the format of all files; by default that of their suffixes.
        output: the format of all outputs; by default Parquet for Parquet, and JSON Lines for the rest.
        actors: how many tag at once, each on one core; by default all cores of the cluster, which are the most, too.
        gpu: give each actor a GPU.
        address: of a Ray cluster, "auto" for the one of this machine; by default this machine alone is used.

    Raises:
        BertNerError: a file can't be read or written, the target has another model's outputs, or Ray fails.
    """
    if actors is not None and actors < 1:
        raise InvalidValue(f"actors must be 1 or more, not {actors}")
    place, folder = Place.of(source), Place.of(target)
    if folder.is_within(place):
        raise BertNerError(f"{target} would lie in the input, {source}; name another folder")
    model = pickle.dumps(tagger)
    outputs = [Output(folder, item, hashlib.sha256(model).hexdigest()) for item in find_inputs(place, form, output)]
    for each in outputs:
        if each.place.is_within(each.item.place):
            raise BertNerError(f"{each.place.path} is an input, too; name another folder for the outputs")
    with (folder / STATE).locked():
        records = [done_record(each) for each in outputs]
        done = [record for record in records if record]
        outputs = [each for each, record in zip(outputs, records, strict=True) if not record]
        if outputs:
            done += _complete(outputs, model, actors, gpu, address)
    rows, errors = (sum(record[key] for record in done) for key in ("rows", "errors"))
    return Tagged(len(outputs), len(records) - len(outputs), rows, errors)


def _complete(
    outputs: Sequence[Output], model: bytes, actors: int | None, gpu: bool, address: str | None
) -> list[dict[str, Any]]:
    """Complete the outputs, and return their numbers of rows and of errors."""
    with ThreadPoolExecutor(_READERS) as pool:
        pieces = list(pool.map(cut, range(len(outputs)), [output.item for output in outputs]))
        finished = list(pool.map(finished_parts, outputs))
    left = [piece for each, parts in zip(pieces, finished, strict=True) for piece in each if piece.place not in parts]
    missing = Counter(piece.input for piece in left)
    counts: list[dict[str, Any]] = [{"rows": sum(piece.rows for piece in each), "errors": 0} for each in pieces]
    for count, each, parts in zip(counts, pieces, finished, strict=True):
        count["errors"] = sum(parts[piece.place].errors for piece in each if piece.place in parts)
    total = sum(count["rows"] for count in counts)
    bar = tqdm(total=total, initial=total - sum(piece.rows for piece in left), unit=" rows", disable=None)
    with connected(address), bar:
        joins = Joins(outputs, pieces)
        for number in range(len(outputs)):
            if not missing[number]:
                joins.start(number)
        for piece, errors in tag_pieces(left, outputs, model, actors, gpu):
            bar.update(piece.rows)
            counts[piece.input]["errors"] += errors
            missing[piece.input] -= 1
            if not missing[piece.input]:
                joins.start(piece.input)
        joins.finish()
    return counts
