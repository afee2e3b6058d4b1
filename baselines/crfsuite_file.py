"""Check a model file of CRFsuite before CRFsuite reads it, because it follows every number in it unchecked.

The format is that of crf1d_model.c and cqdb.c of CRFsuite 0.12 (Okazaki, https://github.com/chokkan/crfsuite). A file
has a header, features, the dictionaries of labels and of attributes (CQDB), and the features of each of both. Numbers
are little-endian, of 32 bits; weights are doubles.
"""

import struct
from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[np.int64]

MAX_LABELS = 5_000  # CRFsuite holds a matrix of labels by labels, 200 MB
MAX_WEIGHT = 1e6  # with larger ones, sums are no longer finite, and CRFsuite finds no best path
_HEADER, _CHUNK, _DICTIONARY = struct.Struct("<4sI4sI8I"), struct.Struct("<4sII"), struct.Struct("<4s5I")
_BYTE_ORDER = 0x62445371
_TABLES = 256  # hash tables in a dictionary
_FEATURE = np.dtype([("type", "<u4"), ("source", "<u4"), ("label", "<u4"), ("weight", "<f8")])


def check_model(model: bytes) -> None:
    """Raise ValueError if a model is not one that CRFsuite can read and tag with."""
    try:
        problem = next(_problems(model), None)
    except (struct.error, ValueError, IndexError):  # an offset or a number is beyond the end
        problem = "it ends too early"
    if problem:
        raise ValueError(f"the model is not as CRFsuite writes it: {problem}")


def count_features(model: bytes) -> int:
    """Return the number of weights in a model; CRFsuite keeps none that is zero."""
    (features_at,) = struct.unpack_from("<I", model, 28)
    return int(_CHUNK.unpack_from(model, features_at)[2])


def _problems(model: bytes) -> Iterator[str]:
    magic, size, kind, version, _, n_labels, n_attributes, *offsets = _HEADER.unpack_from(model)
    features_at, labels_at, attributes_at, *references_at = offsets
    if (magic, kind, version, size) != (b"lCRF", b"FOMC", 100, len(model)):
        yield "its header"
    if not 0 < n_labels <= MAX_LABELS:
        yield f"{n_labels:,} labels; the limit is {MAX_LABELS:,}"
    name, _, n_features = _CHUNK.unpack_from(model, features_at)
    features = np.frombuffer(model, _FEATURE, n_features, features_at + _CHUNK.size)
    if name != b"FEAT" or (features["label"] >= n_labels).any():
        yield "its features"
    if not (np.abs(features["weight"]) <= MAX_WEIGHT).all():
        yield "its weights"
    lists = ((b"LFRF", references_at[0], n_labels), (b"AFRF", references_at[1], n_attributes))
    listed = np.concatenate([_listed_features(model, *each, n_features) for each in lists])
    if not np.array_equal(np.sort(listed), np.arange(n_features)):  # each feature is in one list
        yield "the features of its labels or attributes"
    if not (_is_dictionary(model[labels_at:], n_labels) and _is_dictionary(model[attributes_at:], n_attributes)):
        yield "its dictionaries"


def _listed_features(model: bytes, name: bytes, at: int, number: int, n_features: int) -> Array:
    """Return the features of some labels or attributes, a list for each; there are two more lists than labels."""
    found, _, n_lists = _CHUNK.unpack_from(model, at)
    starts = np.frombuffer(model, "<u4", number, at + _CHUNK.size).astype(np.int64)
    lengths = _numbers(model, starts)
    if found != name or n_lists < number or lengths.sum() > n_features:
        return np.array([-1])
    firsts = np.repeat(starts + 4 - 4 * (np.cumsum(lengths) - lengths), lengths)
    return _numbers(model, firsts + 4 * np.arange(len(firsts)))


def _is_dictionary(data: bytes, number: int) -> bool:
    """Return whether data begin with a dictionary of texts to the numbers below `number`, and back."""
    name, size, _, order, n_texts, texts_at = _DICTIONARY.unpack_from(data)
    if (name, order, n_texts) != (b"CQDB", _BYTE_ORDER, number) or size > len(data):
        return False
    tables = np.frombuffer(data, "<u4", 2 * _TABLES, _DICTIONARY.size).reshape(_TABLES, 2).tolist()
    entries = [np.frombuffer(data, "<u4", 2 * length, at)[1::2] for at, length in tables]
    if not all(len(each) == 0 or (each == 0).any() for each in entries):  # a search ends at an entry that is free
        return False
    n_entries = sum(length // 2 for _, length in tables)
    texts = np.frombuffer(data, "<u4", n_entries, texts_at)[:n_texts].astype(np.int64)
    found = np.concatenate(entries).astype(np.int64)
    found = found[found > 0]
    lengths = _numbers(data, found + 4)
    ends = np.frombuffer(data, "u1")[found + 7 + lengths]
    is_sound = (_numbers(data, found) < number).all() and (lengths > 0).all() and (ends == 0).all()
    return bool(is_sound) and len(texts) == n_texts and set(texts.tolist()) <= set(found.tolist())


def _numbers(data: bytes, at: Array) -> Array:
    """Return the numbers at some places, which need not be aligned; raise IndexError if one is beyond the end."""
    return sliding_window_view(np.frombuffer(data, "u1"), 4)[at].view("<u4")[:, 0].astype(np.int64)
