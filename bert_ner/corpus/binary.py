"""Recognise files that are not text, for a message instead of nonsense: Parquet, compressed files, UTF-16."""

# How such files begin, what they are, and the remedy.
_KINDS = (
    (b"PAR1\x15", "Parquet", "read it with --format parquet"),
    (b"\x1f\x8b", "compressed by gzip", "decompress it first, with gzip -d"),
    (b"BZh91AY&SY", "compressed by bzip2", "decompress it first, with bzip2 -d"),
    (b"\xfd7zXZ", "compressed by xz", "decompress it first, with xz -d"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", "decompress it first, with zstd -d"),
    (b"PK\x03\x04", "a zip archive", "unpack it first"),
    (b"\xff\xfe\0\0", "UTF-32", "convert it with iconv -f utf-32 -t utf-8"),
    (b"\xff\xfe", "UTF-16", "convert it with iconv -f utf-16 -t utf-8"),
    (b"\xfe\xff", "UTF-16", "convert it with iconv -f utf-16 -t utf-8"),
)


def binary_problem(start: bytes) -> str | None:
    """Return what a file is, and what to do, if it is not text; None if it may be. `start` is its beginning."""
    if known := known_binary(start):
        return known
    if (place := start.find(b"\0")) >= 0:
        return f"not text, because byte {place + 1} is NUL; if it is UTF-16, convert it with iconv -f utf-16 -t utf-8"
    return None


def known_binary(start: bytes) -> str | None:
    """Return the same, but only for the kinds of files that are known: a word of a corpus may have a NUL."""
    for magic, kind, remedy in _KINDS:
        if start.startswith(magic):
            return f"{kind}, not text; {remedy}"
    return None
