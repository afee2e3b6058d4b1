"""Put the files of a corpus into a folder, verified: from a mirror, the download cache or the publisher.

A file stays in memory until its SHA-256 is verified, so the folder never holds a wrong or partial file.
"""

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from bert_ner.corpus.catalog import Corpus, CorpusFile
from bert_ner.corpus.download import DownloadError, download
from bert_ner.errors import BertNerError
from bert_ner.files import CACHE_REMEDY, cache_folder, write_whole

MIRROR_VARIABLE = "BERT_NER_CORPORA"


class CorpusUnavailable(BertNerError, RuntimeError):
    """No source has the file; the message lists each source and why it failed."""


class ChecksumMismatch(BertNerError, RuntimeError):
    """A file is not the one that the corpus names; the message names the file, both sums and what to do."""


def acquire(corpus: Corpus, folder: Path, shared: Path = Path("../shared")) -> dict[str, str]:
    """Put the files of a corpus into `folder`, all or none, over older ones, and return their sources by name.

    The sources, in order: the corpus's folder, if the file has no address; $BERT_NER_CORPORA/<corpus>;
    `shared`/corpora/<corpus>; the download cache; the address.

    Raises:
        CorpusUnavailable: no source has one of the files.
        ChecksumMismatch: the first source that has a file has a wrong one.
        BertNerError: `folder` can't be written.
    """
    found = (
        _generated(corpus) if corpus.is_generated else {f.name: _find(corpus, f, shared) for f in corpus.files.values()}
    )
    try:
        _place({name: data for name, (data, _) in found.items()}, folder.resolve())
    except OSError as error:
        raise BertNerError(f"{folder} can't be written: {error.strerror}; fix that and run again") from None
    return {name: source for name, (_, source) in found.items()}


def check_acquired(corpus: Corpus, folder: Path, remedy: str) -> None:
    """Raise CorpusUnavailable or ChecksumMismatch if a file of `acquire` in `folder` is missing or has changed.

    The message ends with `remedy`, what to do.
    """
    for file in corpus.files.values():
        path = folder / file.name
        try:
            _verified(path.read_bytes(), file, str(path), f"Remove it, and {remedy}.")
        except OSError as error:
            raise CorpusUnavailable(f"{path}: {error.strerror}; {remedy}") from None


def _generated(corpus: Corpus) -> dict[str, tuple[bytes, str]]:
    from bert_ner.corpus.sample import write_sample  # noqa: PLC0415 - the real corpora don't need its grammar

    remedy = "The generator writes other sentences than corpora/sample.yaml pins; please report it."
    with tempfile.TemporaryDirectory() as folder:
        write_sample(Path(folder))
        contents = {file: Path(folder, file.name).read_bytes() for file in corpus.files.values()}
    return {f.name: (_verified(data, f, "the generator", remedy), "generated") for f, data in contents.items()}


def _find(corpus: Corpus, file: CorpusFile, shared: Path) -> tuple[bytes, str]:
    """Return a file and its source, the first that has it."""
    name, mirror = Path(corpus.name, file.name), os.environ.get(MIRROR_VARIABLE)
    mend = "If this is the intended file, put the sum that was found into the corpus's YAML file"
    mend = f"Put the file of {file.url} there" if file.url else mend
    cached, folder = cache_folder("corpora") / name, shared / "corpora"
    copies = [  # the source, the path, how messages call it, and the remedy for a wrong file
        (str(folder), folder / name, str(folder / name), f"{mend}, or remove it; then run again."),
        ("download cache", cached, f"download cache: {cached}", CACHE_REMEDY),
    ]
    tried = [] if mirror else [f"${MIRROR_VARIABLE} is not set"]
    if mirror:
        source, path = f"folder ${MIRROR_VARIABLE}", Path(mirror) / name
        copies.insert(0, (source, path, f"{source}: {path}", f"{mend}, or unset {MIRROR_VARIABLE}; then run again."))
    if file.url is None:
        path = Path(corpus.folder, file.file)
        copies.insert(0, (corpus.folder, path, str(path), f"{mend}; then run again."))
    for source, path, where, remedy in copies:
        try:
            return _verified(path.read_bytes(), file, where, remedy), source
        except OSError as error:
            tried.append(f"{where}: {error.strerror}")
        except ChecksumMismatch:
            if path == cached:
                with suppress(OSError):
                    cached.unlink()
            raise
    try:
        return _from_publisher(file, cached)
    except DownloadError as error:
        tried.append(str(error))
    needed = " and ".join(f"{corpus.name}/{each.name}" for each in corpus.files.values())
    listed = "".join(f"\n  - {problem}" for problem in tried)
    alternative = "go online" if file.url else f"put the file into {corpus.folder}"
    raise CorpusUnavailable(
        f"{corpus.name}/{file.name} is unavailable. Tried, in this order:{listed}\n"
        f"Set {MIRROR_VARIABLE} to a folder that holds {needed}, or {alternative}; then run again."
    )


def _from_publisher(file: CorpusFile, cached: Path) -> tuple[bytes, str]:
    if file.url is None:
        raise DownloadError("its publisher: the corpus's YAML file has no address of it")
    remedy = (
        "Nothing was saved: run again. If the sum stays wrong, a proxy or a login page may have answered, or the file "
        f"there has changed: then set {MIRROR_VARIABLE} to a folder with the original."
    )
    data = _verified(download(file.url, cached.with_name(f"{cached.name}.part")), file, file.url, remedy)
    try:
        write_whole(cached, data)
    except OSError as error:
        return data, f"{file.url} (not cached, because {cached} can't be written: {error.strerror})"
    return data, file.url


def _verified(data: bytes, file: CorpusFile, where: str, remedy: str) -> bytes:
    """Return the data if it has the file's sum, or if that has none; else raise ChecksumMismatch."""
    found = hashlib.sha256(data).hexdigest()
    if file.sha256 and found != file.sha256:
        raise ChecksumMismatch(
            f"{where} is not the {file.name} that the corpus's YAML file pins: wrong SHA-256 ({len(data)} bytes)\n"
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
