"""Actors that load a tagger once and tag pieces, with Ray Data. What a dead actor had begun is begun again."""

import logging
import os
import pickle
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import ray
import ray.data
from ray.exceptions import RayError

from bert_ner.errors import BertNerError, first_line, library_errors
from bert_ner.scale.inputs import Piece
from bert_ner.scale.parts import Output, join, tag_piece

_ROUNDS = 3  # without a finished piece, before we give up
_JOINS = 4  # outputs that are joined at the same time

logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # each dead actor would be reported with a traceback


class PieceActor:
    """Tags pieces in a process of Ray. An error of ours is an answer, because Ray would try again after an exception.

    Args:
        tagger, outputs: references to a pickled tagger, and to the outputs by their index.
    """

    def __init__(self, tagger: Any, outputs: Any) -> None:
        # Ray sets it to the actor's one core, unless it is set already. Two actors of two threads on two cores are no
        # faster than one. PyTorch and our pool of threads read it when the tagger is unpickled.
        os.environ["OMP_NUM_THREADS"] = "1"
        self.tagger = pickle.loads(ray.get(tagger))
        self.outputs: Sequence[Output] = ray.get(outputs)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return a piece with the number of errors among its rows, and the problem if there is one."""
        piece = Piece(*(int(column[0]) for column in (batch[name] for name in Piece._fields)))
        output = self.outputs[piece.input]
        errors, problem = 0, ""
        try:
            with library_errors(f"{output.item.place.path} can't be tagged"):
                errors = tag_piece(self.tagger, output, piece).errors
        except BertNerError as error:
            problem = str(error)
        return {**batch, "errors": [errors], "problem": [problem]}


def tag_pieces(
    pieces: Sequence[Piece], outputs: Sequence[Output], tagger: bytes, actors: int | None, gpu: bool
) -> Iterator[tuple[Piece, int]]:
    """Yield each piece when its part is there, and its number of errors.

    Args:
        tagger: pickled.
        actors: at most; by default, one for each core or, with `gpu`, for each GPU.

    Raises:
        BertNerError: a file can't be read or written, or Ray fails several times.
    """
    references = [ray.put(tagger), ray.put(outputs)]
    left, rounds, reason = set(pieces), 0, "actors died"
    while left:
        before = len(left)
        try:
            for row in _rows(sorted(left), references, actors, gpu):
                problem, errors = row.pop("problem"), row.pop("errors")
                if problem:
                    raise BertNerError(problem)
                piece = Piece(**row)
                left.remove(piece)
                yield piece, errors
        except RayError as error:
            reason = first_line(error)
        rounds = 0 if len(left) < before else rounds + 1
        if rounds == _ROUNDS:
            raise BertNerError(
                f"Ray failed {rounds} times: {reason}; its logs say more. Run the command again to go on"
            )


def _rows(pieces: Sequence[Piece], references: Sequence[Any], actors: int | None, gpu: bool) -> Iterator[Any]:
    """Yield the answers of actors as they come; none for a piece whose actor died."""
    kind = "GPU" if gpu else "CPU"
    most = min(int(ray.cluster_resources().get(kind, 0)), len(pieces))
    if not most:
        raise BertNerError(f"the cluster has no {kind}")
    dataset = ray.data.from_items([piece._asdict() for piece in pieces], override_num_blocks=len(pieces))
    dataset.context.enable_progress_bars = dataset.context.print_on_execution_start = False
    dataset.context.max_errored_blocks = -1
    warnings.filterwarnings("ignore", "`ray_remote_args` is deprecated")  # there is no other way to set the retries
    tagged = dataset.map_batches(
        PieceActor,
        batch_size=1,
        fn_constructor_args=references,
        # Two pieces for each, so that none waits for the next.
        compute=ray.data.ActorPoolStrategy(size=min(actors or most, most), max_tasks_in_flight_per_actor=2),
        num_cpus=None if gpu else 1,
        num_gpus=1 if gpu else None,
        max_restarts=-1,
        max_task_retries=0,  # else a piece that kills its actor is tried for ever
    )
    return iter(tagged.iter_rows())


class Joins:
    """Joins the parts of outputs in tasks of Ray, a few at the same time."""

    def __init__(self, outputs: Sequence[Output], pieces: Sequence[Sequence[Piece]]) -> None:
        self.outputs, self.pieces = outputs, pieces
        self.running: list[Any] = []

    def start(self, number: int) -> None:
        """Start to join an output, given by its index, when fewer than four are being joined."""
        self._wait(_JOINS - 1)
        self.running.append(ray.remote(num_cpus=0)(_join).remote(self.outputs[number], self.pieces[number]))

    def finish(self) -> None:
        """Wait for the end of all; raise BertNerError if one failed."""
        self._wait(0)

    def _wait(self, most: int) -> None:
        while len(self.running) > most:
            [ended], self.running = ray.wait(self.running)
            if problem := ray.get(ended):
                raise BertNerError(problem)


def _join(output: Output, pieces: Sequence[Piece]) -> str:
    """Join the parts of an output, and return the problem if there is one."""
    try:
        with library_errors(f"{output.place.path} can't be written"):
            join(output, pieces)
    except BertNerError as error:
        return str(error)
    return ""
