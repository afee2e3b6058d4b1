"""A linear-chain CRF over the emissions of a neural network: its loss, its best paths and its marginals.

Lafferty, McCallum and Pereira (2001); on a BiLSTM, Huang, Xu and Yu (2015). The score of a path of tags is a sum:
its emissions, a transition score for each pair of neighbours, and scores of its first and its last tag.
"""

import torch
from torch.nn.utils.rnn import pad_sequence


class LinearChainCRF(torch.nn.Module):
    """Learnt scores of tags that follow each other. They start at zero, where the CRF equals a softmax per word.

    In all methods, emissions are float32 of shape (sentences, words of the longest, tags), and lengths are the numbers
    of words, at least 1 each. Values beyond a length are ignored.
    """

    def __init__(self, tags: int) -> None:
        super().__init__()
        self.start = torch.nn.Parameter(torch.zeros(tags))
        self.end = torch.nn.Parameter(torch.zeros(tags))
        self.transitions = torch.nn.Parameter(torch.zeros(tags, tags))  # from row to column

    def forward(self, emissions: torch.Tensor, lengths: torch.Tensor, tags: torch.Tensor) -> torch.Tensor:
        """Return the negative log likelihood, in nats, of each sentence's tag ids, of shape (sentences, words)."""
        return self.log_partition(emissions, lengths) - self.score(emissions, lengths, tags)

    def score(self, emissions: torch.Tensor, lengths: torch.Tensor, tags: torch.Tensor) -> torch.Tensor:
        """Return the score of each sentence's path, of shape (sentences,)."""
        inside = _inside(tags, lengths)
        emitted = emissions.gather(-1, tags[..., None]).squeeze(-1).where(inside, 0).sum(-1)
        moved = self.transitions[tags[:, :-1], tags[:, 1:]].where(inside[:, 1:], 0).sum(-1)
        last = tags.gather(1, lengths[:, None] - 1).squeeze(1)
        return emitted + moved + self.start[tags[:, 0]] + self.end[last]

    def log_partition(self, emissions: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return log of the sum over all paths of exp(score), of shape (sentences,), by the forward algorithm."""
        forward = _forward(emissions, self.start, self.transitions)
        last = forward[torch.arange(len(forward), device=forward.device), lengths - 1]
        return (last + self.end).logsumexp(-1)

    @torch.no_grad()
    def marginals(self, emissions: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return the probability of each tag of each word, of the emissions' shape, by forward-backward."""
        start, end, transitions, emissions = self._as_float64(emissions)
        places = torch.arange(emissions.shape[1], device=emissions.device)
        mirror = (lengths[:, None] - 1 - places).clamp(min=0)[..., None].expand_as(emissions)
        forward = _forward(emissions, start, transitions)
        backward = _forward(emissions.gather(1, mirror), end, transitions.T).gather(1, mirror)
        return (forward + backward - emissions).softmax(-1).float()  # both include the word's own emission

    @torch.no_grad()
    def viterbi(self, emissions: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return the tag ids of each sentence's best path, of shape (sentences, words); meaningless beyond a length."""
        start, end, transitions, emissions = self._as_float64(emissions)
        incoming = transitions.T.contiguous()  # a maximum over the last axis is fastest
        score = start + emissions[:, 0]
        last = score + end
        pointers = []
        stay = torch.arange(len(start), device=emissions.device)
        for place, emission in enumerate(emissions.unbind(1)[1:], start=1):
            score, pointer = (score[:, None] + incoming).max(-1)
            score += emission
            inside = (place < lengths)[:, None]
            last = torch.where(inside, score + end, last)
            pointers.append(torch.where(inside, pointer, stay))  # beyond its end, a sentence keeps its last tag
        path = [last.argmax(-1, keepdim=True)]
        for pointer in reversed(pointers):
            path.append(pointer.gather(1, path[-1]))
        return torch.cat(path[::-1], 1)

    def _as_float64(self, emissions: torch.Tensor) -> tuple[torch.Tensor, ...]:
        # Over 100,000 words, float32 sums err by more than the scores of two tags differ.
        return self.start.double(), self.end.double(), self.transitions.double(), emissions.double()


def pad_sentences(values: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Split values, of shape (words of all sentences, ...), into (sentences, words of the longest, ...), with zeros."""
    return pad_sequence(list(torch.split(values, lengths.tolist())), batch_first=True)


def unpad_sentences(rows: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return the values of all words, in order: the inverse of `pad_sentences`."""
    return rows[_inside(rows, lengths)]


def _inside(rows: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return a mask of shape (sentences, words): True within a sentence's length."""
    return torch.arange(rows.shape[1], device=rows.device) < lengths[:, None]


def _forward(emissions: torch.Tensor, start: torch.Tensor, transitions: torch.Tensor) -> torch.Tensor:
    """Return, for each word and tag, log of the summed exp(score) of all paths that end there; the emissions' shape."""
    scores = [start + emissions[:, 0]]
    for emission in emissions.unbind(1)[1:]:
        scores.append((scores[-1][..., None] + transitions).logsumexp(1) + emission)
    return torch.stack(scores, 1)
