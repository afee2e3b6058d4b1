"""A linear-chain CRF over the emissions of a neural network: its loss, its best paths and its marginals.

Lafferty, McCallum and Pereira (2001); above a BiLSTM, Huang, Xu and Yu (2015). The score of a path of tags is the
sum of its emissions, of a transition from each tag to the next, and of what its first and its last tag score there.
"""

from __future__ import annotations

import torch
from torch.nn.utils.rnn import pad_sequence


class Chain(torch.nn.Module):
    """Scores of tags that follow each other, learnt; all of them start at zero, where the chain is a plain softmax.

    In all methods, emissions are float32 of shape (sentences, words of the longest, tags), and lengths are the numbers
    of words, at least 1 each, of shape (sentences,) and on the same device. What lies beyond a length does not count.

    Args:
        tags: how many there are.
    """

    def __init__(self, tags: int) -> None:
        super().__init__()
        self.start = torch.nn.Parameter(torch.zeros(tags))
        self.end = torch.nn.Parameter(torch.zeros(tags))
        self.transitions = torch.nn.Parameter(torch.zeros(tags, tags))  # from row to column

    def forward(self, emissions: torch.Tensor, lengths: torch.Tensor, tags: torch.Tensor) -> torch.Tensor:
        """The negative log likelihood, in nats, of each sentence's tags.

        Args:
            tags: tag ids, of shape (sentences, words); any valid id beyond a length.

        Returns:
            Shape (sentences,); at least 0, up to rounding.
        """
        return self.log_partition(emissions, lengths) - self.score(emissions, lengths, tags)

    def score(self, emissions: torch.Tensor, lengths: torch.Tensor, tags: torch.Tensor) -> torch.Tensor:
        """The score of each sentence's path, of shape (sentences,)."""
        inside = _inside(tags, lengths)
        emitted = emissions.gather(-1, tags[..., None]).squeeze(-1).where(inside, 0).sum(-1)
        moved = self.transitions[tags[:, :-1], tags[:, 1:]].where(inside[:, 1:], 0).sum(-1)
        last = tags.gather(1, lengths[:, None] - 1).squeeze(1)
        return emitted + moved + self.start[tags[:, 0]] + self.end[last]

    def log_partition(self, emissions: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """The logarithm of the sum over all paths of exp(score), of shape (sentences,): the forward algorithm."""
        forward = _forward(emissions, self.start, self.transitions)
        return (_at(forward, lengths - 1) + self.end).logsumexp(-1)

    @torch.no_grad()
    def marginals(self, emissions: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """The probability of each tag of each word, of the emissions' shape, by forward and backward."""
        start, end, transitions, emissions = self._exact(emissions)
        places = torch.arange(emissions.shape[1], device=emissions.device)
        mirror = (lengths[:, None] - 1 - places).clamp(min=0)[..., None].expand_as(emissions)
        forward = _forward(emissions, start, transitions)
        backward = _forward(emissions.gather(1, mirror), end, transitions.T).gather(1, mirror)
        return (forward + backward - emissions).softmax(-1).float()  # both count the word's own emission

    @torch.no_grad()
    def best(self, emissions: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """The tags of the path with the highest score, by the Viterbi algorithm.

        Returns:
            Tag ids of shape (sentences, words); of no meaning beyond a length.
        """
        start, end, transitions, emissions = self._exact(emissions)
        towards = transitions.T.contiguous()  # a maximum over the last axis is quickest
        score = start + emissions[:, 0]
        last = score + end
        origins = []
        stay = torch.arange(len(start), device=emissions.device)
        for place, emission in enumerate(emissions.unbind(1)[1:], start=1):
            score, origin = (score[:, None] + towards).max(-1)
            score += emission
            inside = (place < lengths)[:, None]
            last = torch.where(inside, score + end, last)
            origins.append(torch.where(inside, origin, stay))  # beyond its end, a sentence keeps its last tag
        path = [last.argmax(-1, keepdim=True)]
        for origin in reversed(origins):
            path.append(origin.gather(1, path[-1]))
        return torch.cat(path[::-1], 1)

    def _exact(self, emissions: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """All scores in float64: over a line of 100,000 words, sums in float32 are off by more than tags differ."""
        return self.start.double(), self.end.double(), self.transitions.double(), emissions.double()


def by_row(values: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """What belongs to the words of some sentences, one after the other, as rows of a sentence each, filled with zeros.

    Args:
        values: of shape (words of all, ...).
        lengths: of each sentence, as in `Chain`.

    Returns:
        Shape (sentences, words of the longest, ...).
    """
    return pad_sequence(list(torch.split(values, lengths.tolist())), batch_first=True)


def in_line(rows: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """The inverse of `by_row`."""
    return rows[_inside(rows, lengths)]


def _inside(rows: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Which words of some rows are not beyond their lengths, of shape (sentences, words)."""
    return torch.arange(rows.shape[1], device=rows.device) < lengths[:, None]


def _forward(emissions: torch.Tensor, start: torch.Tensor, transitions: torch.Tensor) -> torch.Tensor:
    """For each word and tag, the log of the sum over all paths that end there, of the emissions' shape."""
    scores = [start + emissions[:, 0]]
    for emission in emissions.unbind(1)[1:]:
        scores.append((scores[-1][..., None] + transitions).logsumexp(1) + emission)
    return torch.stack(scores, 1)


def _at(values: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """What each row of `values` holds at its place in the second axis."""
    return values[torch.arange(len(values), device=values.device), places]
