"""Check scores against other programs: seqeval for entities, scikit-learn for tokens."""

from collections.abc import Mapping
from itertools import chain

from bert_ner.corpus.bio import spans_of, tags_of
from bert_ner.scoring.counts import Tags
from bert_ner.scoring.scores import Score


def cross_check(gold: Tags, predicted: Tags, scores: Mapping[str, Score]) -> None:
    """Raise AssertionError if a result of `score` differs by more than 1e-9 from seqeval's or scikit-learn's.

    Neither program has partial_f1. The reference for span_f1 is seqeval on entities of a single type.
    """
    # Heavy imports, which scoring itself does not need.
    import seqeval.metrics  # noqa: PLC0415
    import sklearn.metrics  # noqa: PLC0415
    from seqeval.metrics.sequence_labeling import precision_recall_fscore_support  # noqa: PLC0415
    from seqeval.scheme import IOB2  # noqa: PLC0415

    entities = [[list(tags) for tags in side] for side in (gold, predicted)]
    labels = sorted({"O", *chain.from_iterable(gold), *chain.from_iterable(predicted)})
    number = {label: i for i, label in enumerate(labels)}  # scikit-learn is ten times faster with numbers than text
    words = [[number[tag] for tag in chain.from_iterable(side)] for side in entities]
    types = [[labels[i].partition("-")[2] for i in side] for side in words]
    inside = [i for label, i in number.items() if label != "O"]
    spans = [[tags_of([s._replace(type="X") for s in spans_of(t)], len(t)) for t in side] for side in entities]
    precision, recall, f1, _ = precision_recall_fscore_support(*entities, average="micro", zero_division=0)
    references = {
        "token_micro_f1": sklearn.metrics.accuracy_score(*words),
        "token_micro_f1_no_o": sklearn.metrics.f1_score(*words, average="micro", labels=inside, zero_division=0),
        "token_macro_f1": sklearn.metrics.f1_score(*words, average="macro", zero_division=0),
        "token_weighted_f1": sklearn.metrics.f1_score(*words, average="weighted", zero_division=0),
        "entity_precision": precision,
        "entity_recall": recall,
        "entity_f1": f1,
        "entity_f1_strict": seqeval.metrics.f1_score(*entities, mode="strict", scheme=IOB2),
        "span_f1": seqeval.metrics.f1_score(*spans),
        "type_macro_f1": seqeval.metrics.f1_score(*entities, average="macro", zero_division=0),
        "token_micro_f1_merged": sklearn.metrics.accuracy_score(*types),
    }
    for metric, reference in references.items():
        ours = scores[metric]
        if abs(ours.value - reference) > 1e-9:
            raise AssertionError(f"{ours.signature}: {ours.value}, but the reference says {reference}")
