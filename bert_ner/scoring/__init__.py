"""Scores of predicted tags, whichever system predicted them."""

from bert_ner.scoring.scores import METRICS, Score, TypeScore, entity_f1, score, score_by_type

__all__ = ["METRICS", "Score", "TypeScore", "entity_f1", "score", "score_by_type"]
