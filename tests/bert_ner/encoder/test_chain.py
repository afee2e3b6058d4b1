"""The linear-chain CRF against an enumeration of all paths, in float64 and in plain Python sums."""

from __future__ import annotations

import math
from itertools import pairwise, product

import pytest
import torch

from bert_ner.encoder.chain import LinearChainCRF

TAGS = 3
LENGTHS = torch.tensor([4, 1, 3, 2])


@pytest.fixture
def chain() -> LinearChainCRF:
    torch.manual_seed(0)
    chain = LinearChainCRF(TAGS)
    for parameter in chain.parameters():
        torch.nn.init.normal_(parameter, std=2.0)
    return chain


@pytest.fixture
def emissions() -> torch.Tensor:
    """Beyond each length there are numbers that would win everything if they counted."""
    torch.manual_seed(1)
    values = torch.randn(len(LENGTHS), 4, TAGS) * 2
    for row, length in zip(values, LENGTHS, strict=True):
        row[length:, 1] = 1e4
    return values


def every_path(chain: LinearChainCRF, emissions: torch.Tensor, length: int) -> dict[tuple[int, ...], torch.Tensor]:
    """Return the score of each path of one sentence, term by term, in float64; it can be differentiated."""
    start, end, transitions = (value.double() for value in (chain.start, chain.end, chain.transitions))
    scores = {}
    for path in product(range(TAGS), repeat=length):
        terms = [start[path[0]], end[path[-1]]]
        terms += [emissions[place, tag].double() for place, tag in enumerate(path)]
        terms += [transitions[a, b] for a, b in pairwise(path)]
        scores[path] = torch.stack(terms).sum()
    return scores


def test_two_words_of_two_tags_by_hand() -> None:
    chain = LinearChainCRF(2)
    with torch.no_grad():
        chain.start.copy_(torch.tensor([0.0, math.log(2)]))
        chain.end.copy_(torch.tensor([math.log(3), 0.0]))
        chain.transitions.copy_(torch.tensor([[0.0, math.log(5)], [math.log(7), 0.0]]))
    # exp(score): 0-0 is 3, 0-1 is 5, 1-0 is 2 * 7 * 3 = 42, 1-1 is 2: 52 in all.
    emissions, lengths = torch.zeros(1, 2, 2), torch.tensor([2])
    assert chain.log_partition(emissions, lengths).tolist() == pytest.approx([math.log(52)])
    assert chain(emissions, lengths, torch.tensor([[0, 1]])).tolist() == pytest.approx([math.log(52 / 5)])
    assert chain.viterbi(emissions, lengths).tolist() == [[1, 0]]
    [[first, second]] = chain.marginals(emissions, lengths).tolist()
    assert first == pytest.approx([8 / 52, 44 / 52])
    assert second == pytest.approx([45 / 52, 7 / 52])


def test_partition_best_path_and_marginals_are_those_of_all_paths(
    chain: LinearChainCRF, emissions: torch.Tensor
) -> None:
    partition, best = chain.log_partition(emissions, LENGTHS), chain.viterbi(emissions, LENGTHS)
    marginals = chain.marginals(emissions, LENGTHS)
    assert best.shape == (4, 4)
    for row, length in enumerate(LENGTHS.tolist()):
        scores = every_path(chain, emissions[row], length)
        total = torch.stack(list(scores.values())).logsumexp(0)
        assert partition[row].item() == pytest.approx(total.item(), rel=1e-6)
        assert tuple(best[row, :length].tolist()) == max(scores, key=lambda path: scores[path].item())
        for place, tag in product(range(length), range(TAGS)):
            through = torch.stack([score for path, score in scores.items() if path[place] == tag]).logsumexp(0)
            assert marginals[row, place, tag].item() == pytest.approx((through - total).exp().item(), abs=1e-5)


def test_loss_and_gradient_are_those_of_all_paths(chain: LinearChainCRF, emissions: torch.Tensor) -> None:
    tags = torch.tensor([[0, 2, 2, 1], [1, 0, 0, 0], [2, 2, 0, 2], [1, 1, 0, 0]])
    emissions.requires_grad_()
    variables = [emissions, *chain.parameters()]
    losses = chain(emissions, LENGTHS, tags)
    expected = []
    for row, length in enumerate(LENGTHS.tolist()):
        scores = every_path(chain, emissions[row], length)
        gold = scores[tuple(tags[row, :length].tolist())]
        expected.append(torch.stack(list(scores.values())).logsumexp(0) - gold)
    torch.testing.assert_close(losses.double(), torch.stack(expected), rtol=1e-5, atol=1e-5)
    ours = torch.autograd.grad(losses.sum(), variables)
    theirs = torch.autograd.grad(torch.stack(expected).sum(), variables)
    for gradient, reference in zip(ours, theirs, strict=True):
        torch.testing.assert_close(gradient, reference, rtol=1e-4, atol=1e-5)
    for row, length in enumerate(LENGTHS.tolist()):
        assert not ours[0][row, length:].any()  # of what is beyond a sentence's length


def test_a_new_chain_is_a_plain_softmax(emissions: torch.Tensor) -> None:
    chain, lengths = LinearChainCRF(TAGS), torch.tensor([4])
    tags = torch.tensor([[0, 1, 2, 1]])
    expected = torch.nn.functional.cross_entropy(emissions[0], tags[0], reduction="sum")
    assert chain(emissions[:1], lengths, tags).item() == pytest.approx(expected.item(), rel=1e-5)
    torch.testing.assert_close(chain.marginals(emissions[:1], lengths), emissions[:1].softmax(-1))


def test_forbidden_transitions_and_great_scores_stay_finite(chain: LinearChainCRF) -> None:
    with torch.no_grad():
        chain.transitions[0, 1] = -1e6
    emissions = torch.randn(2, 50, TAGS) * 500
    emissions.requires_grad_()
    lengths = torch.tensor([50, 37])
    loss = chain(emissions, lengths, torch.ones(2, 50, dtype=torch.long))
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(emissions.grad).all()
    for row, length in zip(chain.viterbi(emissions, lengths).tolist(), (50, 37), strict=True):
        assert (0, 1) not in pairwise(row[:length])


def test_a_long_line_is_not_lost_in_rounding(chain: LinearChainCRF) -> None:
    """Its score is 2,000,000, where float32 counts in eighths."""
    words = 20_000
    emissions, lengths = torch.zeros(1, words, TAGS), torch.tensor([words])
    emissions[0, :, 2] = 100.0
    emissions[0, ::2, 1] = 100.01
    with torch.no_grad():
        chain.transitions.zero_()
    assert chain.viterbi(emissions, lengths)[0, 2:6].tolist() == [1, 2, 1, 2]
    expected = torch.tensor([100.0, 100.01], dtype=torch.float64).softmax(-1)
    torch.testing.assert_close(chain.marginals(emissions, lengths)[0, 10_000, [2, 1]], expected.float())
