"""Train on worse inputs: embeddings moved to where the loss of a batch rises fastest.

Miyato, Dai and Goodfellow, Adversarial Training Methods for Semi-Supervised Text Classification, ICLR 2017, section 3.
They move each sentence's embeddings. Here one step moves the vocabulary's, so equal pieces of a batch move together.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import torch
from torch.nn.functional import normalize
from transformers import PreTrainedModel

from bert_ner.encoder.ranks import ALONE, Ranks


@contextmanager
def moved_embeddings(model: PreTrainedModel, length: float, ranks: Ranks = ALONE) -> Iterator[None]:
    """Move the vocabulary's embeddings along their gradient within the context; it ends with the same bits as before.

    Args:
        length: the norm of the whole step, in median norms of an embedding, because encoders differ in these.
        ranks: the processes whose gradients are added up first, so that all move alike.
    """
    embeddings = cast(torch.nn.Embedding, model.get_input_embeddings()).weight
    before = embeddings.detach().clone()
    gradient = torch.zeros(before.shape, device=before.device)
    if embeddings.grad is not None:  # it is None where this rank has no part of the batch
        gradient += embeddings.grad
    ranks.add_up(gradient)
    norm = length * before.float().norm(dim=1).median()
    with torch.no_grad():
        embeddings.add_(normalize(gradient.flatten(), dim=0).view_as(gradient) * norm)
    try:
        yield
    finally:
        with torch.no_grad():
            embeddings.copy_(before)
