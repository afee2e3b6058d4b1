"""Bulk work on many cores or machines, by Ray: an optional extra, `pip install 'bert-ner[cluster]'`."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bert_ner.scale.tagging import tag_dataset

__all__ = ["tag_dataset"]


def __getattr__(name: str) -> object:
    """Import `tag_dataset` when it is first used: Ray takes a second, and not every module here needs it."""
    if name != "tag_dataset":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from bert_ner.scale.tagging import tag_dataset  # noqa: PLC0415

    return tag_dataset
