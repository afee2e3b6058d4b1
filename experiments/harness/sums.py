"""Note the SHA-256 of the files in results/ that no stage has as outputs, so that a change by hand is noticed.

results/SHA256SUMS lists them: provenance.json, and the tables that are marked `is_summed` in tables.yaml.
"""

from pathlib import Path

from harness.locks import sole_writer

from bert_ner.files import list_sums, read_sums, sha256_of


def note_sum(results: Path, path: Path) -> None:
    """Put the SHA-256 of a file below results/ into results/SHA256SUMS."""
    with sole_writer("sums"):
        list_sums(results, read_sums(results) | {path.relative_to(results).as_posix(): sha256_of(path)})
