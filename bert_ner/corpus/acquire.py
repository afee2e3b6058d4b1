"""Put the files of a corpus into a folder, verified: from a mirror, the download cache or the publisher.

    python experiments/acquire.py --corpus mit_movie_eng

A file stays in memory until its SHA-256 is verified, so the folder never holds a wrong or partial file. Of two
processes that run at once, the later one replaces the files of the earlier one by equal files.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bert_ner.corpus.catalog import Corpus, CorpusFile
from bert_ner.corpus.download import DownloadError, download
from bert_ner.errors import BertNerError
from bert_ner.files import cache_folder, write_whole

MIRROR_VARIABLE = "BERT_NER_CORPORA"


class CorpusUnavailable(BertNerError, RuntimeError):
    """No source has the file; the message lists each source and why it failed."""


class ChecksumMismatch(BertNerError, RuntimeError):
    """A file is not the one in the catalog; the message names the file, both sums and what to do."""


class _SourceError(Exception):
    """A source does not have the file, so the next one is tried; the message says why."""


class _Found(NamedTuple):
    data: bytes
    source: str


def acquire(corpus: Corpus, folder: Path, shared: Path = Path("../shared")) -> dict[str, str]:
    """Put the training and the test file of a corpus into `folder`, verified: both, or neither.

    The sources of a file, in this order: $BERT_NER_CORPORA/<corpus>, `shared`/corpora/<corpus>, the download cache, the
    publisher's address. Files of an earlier run are replaced.

    Returns:
        The source of each file, by its name.

    Raises:
        CorpusUnavailable: no source has one of the files.
        ChecksumMismatch: the first source that has a file has a wrong one.
        BertNerError: `folder` can't be written.
    """
    if corpus.is_generated:
        found = _generated(corpus)
    else:
        found = {file.name: _find(corpus, file, shared) for file in corpus.files}
    try:
        _place({name: data for name, (data, _) in found.items()}, folder.resolve())
    except OSError as error:
        raise BertNerError(f"{folder} can't be written: {error.strerror}; fix that and run again") from None
    return {name: source for name, (_, source) in found.items()}


def check_acquired(corpus: Corpus, folder: Path) -> None:
    """Compare the files that `acquire` put into `folder` with the sums in the catalog.

    Raises:
        CorpusUnavailable: a file is missing or can't be read.
        ChecksumMismatch: a file has another sum.
    """
    remedy = f"run python experiments/acquire.py --corpus {corpus.name}, or dvc repro"
    for file in corpus.files:
        try:
            _verified(_read(folder / file.name), file, str(folder / file.name), f"Remove it, and {remedy}.")
        except _SourceError as error:
            raise CorpusUnavailable(f"{error}; {remedy}") from None


def _generated(corpus: Corpus) -> dict[str, _Found]:
    from bert_ner.corpus.sample import write_sample  # noqa: PLC0415 - the real corpora don't need its grammar

    remedy = "The generator writes other sentences than those in the catalog; please report it."
    with tempfile.TemporaryDirectory() as folder:
        write_sample(Path(folder))
        return {
            file.name: _Found(_verified(_read(Path(folder, file.name)), file, "the generator", remedy), "generated")
            for file in corpus.files
        }


def _find(corpus: Corpus, file: CorpusFile, shared: Path) -> _Found:
    """Return a file from the first source that has it."""
    tried = []
    for source in (_from_variable, _from_shared, _from_cache, _from_publisher):
        try:
            return source(corpus, file, shared)
        except _SourceError as error:
            tried.append(f"\n  - {error}")
    needed = " and ".join(f"{corpus.name}/{each.name}" for each in corpus.files)
    raise CorpusUnavailable(
        f"{corpus.name}/{file.name} is unavailable. Tried, in this order:{''.join(tried)}\n"
        f"Set {MIRROR_VARIABLE} to a folder that holds {needed}{', or go online' if file.url else ''}; then run again."
    )


def _from_variable(corpus: Corpus, file: CorpusFile, _: Path) -> _Found:
    mirror = os.environ.get(MIRROR_VARIABLE)
    if not mirror:
        raise _SourceError(f"${MIRROR_VARIABLE} is not set")
    path, source = Path(mirror, corpus.name, file.name), f"folder ${MIRROR_VARIABLE}"
    remedy = _mirror_remedy(file, f"unset {MIRROR_VARIABLE}")
    return _Found(_verified(_read(path, f"{source}: "), file, f"{source}: {path}", remedy), source)


def _from_shared(corpus: Corpus, file: CorpusFile, shared: Path) -> _Found:
    path = shared / "corpora" / corpus.name / file.name
    remedy = _mirror_remedy(file, "remove it")
    return _Found(_verified(_read(path), file, str(path), remedy), str(shared / "corpora"))


def _from_cache(corpus: Corpus, file: CorpusFile, _: Path) -> _Found:
    path = cache_folder("corpora") / corpus.name / file.name
    data = _read(path, "download cache: ")
    remedy = "It was removed: run again to download it. If it is still there, the cache is read-only: remove it."
    try:
        return _Found(_verified(data, file, f"download cache: {path}", remedy), "download cache")
    except ChecksumMismatch:
        with suppress(OSError):
            path.unlink()
        raise


def _from_publisher(corpus: Corpus, file: CorpusFile, _: Path) -> _Found:
    if file.url is None:
        raise _SourceError("its publisher: the catalog has no address of it")
    url, path = file.url, cache_folder("corpora") / corpus.name / file.name
    remedy = (
        "Nothing was saved: run again. If the sum stays wrong, a proxy or a login page may have answered, or the file "
        f"there has changed: then set {MIRROR_VARIABLE} to a folder with the original."
    )
    try:
        data = _verified(download(url, path.with_name(f"{path.name}.part")), file, url, remedy)
    except DownloadError as error:
        raise _SourceError(str(error)) from None
    try:
        write_whole(path, data)
    except OSError as error:
        return _Found(data, f"{url} (not cached, because {path} can't be written: {error.strerror})")
    return _Found(data, url)


def _mirror_remedy(file: CorpusFile, alternative: str) -> str:
    if file.url is None:
        return "If this is the intended file, put the sum that was found into the catalog; then run again."
    return f"Put the file of {file.url} there, or {alternative}; then run again."


def _read(path: Path, source: str = "") -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _SourceError(f"{source}{path}: {error.strerror}") from None


def _verified(data: bytes, file: CorpusFile, where: str, remedy: str) -> bytes:
    """Return the data if it has the file's sum, else raise ChecksumMismatch."""
    found = hashlib.sha256(data).hexdigest()
    if found != file.sha256:
        raise ChecksumMismatch(
            f"{where} is not the {file.name} that bert_ner/corpus/catalog.py pins: wrong SHA-256 ({len(data)} bytes)\n"
            f"  found    {found}\n  expected {file.sha256}\n{remedy}"
        )
    return data


def _place(contents: dict[str, bytes], folder: Path) -> None:
    """Write all files or none: first into a staging folder, where a full disk does no harm, then move them."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as staging:
        for name, data in contents.items():
            write_whole(Path(staging, name), data)
        folder.mkdir(exist_ok=True)
        new = [name for name in contents if not (folder / name).exists()]
        try:
            for name in contents:
                Path(staging, name).replace(folder / name)
        except BaseException:
            for name in new:
                (folder / name).unlink(missing_ok=True)
            raise
