"""A reproduction and benchmark harness for named entity recognition."""

TYPE_CHECKING = False  # typing's own would have to be imported before Ctrl-C is handled
if TYPE_CHECKING:
    from bert_ner.loading import load_tagger

__version__ = "0.1.0"
__all__ = ["__version__", "load_tagger"]


def __getattr__(name: str) -> object:
    """Import `load_tagger` when it is first used, because programs handle Ctrl-C before they import anything slow."""
    if name != "load_tagger":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from bert_ner.loading import load_tagger  # noqa: PLC0415

    return load_tagger
