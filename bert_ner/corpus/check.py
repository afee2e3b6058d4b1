"""Check files of tagged sentences, as in `bert-ner check train.bio test.bio`."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from bert_ner.corpus.bio import Sentence, spans_of
from bert_ner.corpus.columns import quoted
from bert_ner.corpus.formats import ParsedFile, Reading, parse_file
from bert_ner.errors import name_letter
from bert_ner.wording import counted


class Findings(NamedTuple):
    """Lines of text, one per problem, and a summary of the sentences without problems; and all sentences."""

    problems: list[str]
    summary: list[str]
    sentences: list[Sentence]


def check_file(content: bytes, name: str, reading: Reading) -> Findings:
    """Check every line of a file, named in messages by `name`.

    Raises:
        BioError: there is no sentence, the column of the tags is unclear, or the file is broken as a whole.
        BertNerError: the file is Parquet, and pyarrow is not installed.
    """
    parsed = parse_file(content, name, reading)
    problems = parsed.listed_problems()
    tagged = zip(parsed.sentences, parsed.iob2, strict=True)
    valid = [Sentence(each.sentence.words, tags) for each, tags in tagged if not each.problems]
    sentences = [each.sentence for each in parsed.sentences]
    if not valid:
        return Findings(problems, [f"{name}: of {counted(len(sentences), 'sentence')}, none is right"], sentences)
    share = f"{len(valid):,} of {counted(len(sentences), 'sentence')}" if problems else counted(len(valid), "sentence")
    lines = [*_summary(valid), f"scheme: {parsed.scheme}", *_remarks(parsed)]
    verb = "is" if len(valid) == 1 else "are"
    return Findings(problems, [f"{name}: {share} {verb} right", *(f"  {line}" for line in lines)], sentences)


def overlaps(files: Mapping[str, Sequence[Sentence]]) -> Iterator[str]:
    """Yield a line for each pair of files, by name: how many sentences of the second stand in the first."""
    words = {name: {words for words, _ in sentences} for name, sentences in files.items()}
    for first, second in combinations(files, 2):
        common = sum(each.words in words[first] for each in files[second])
        yield f"{second}: {common:,} of {counted(len(files[second]), 'sentence')} also in {first}, word for word"


def _summary(sentences: Sequence[Sentence]) -> list[str]:
    entities = Counter(span.type for _, tags in sentences for span in spans_of(tags))
    taggings: defaultdict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
    for words, tags in sentences:
        taggings[words].add(tags)
    inconsistent = sum(len(tags) > 1 for tags in taggings.values())
    by_type = ", ".join(f"{kind} {number:,}" for kind, number in sorted(entities.items()))
    listed = f" of {counted(len(entities), 'type')}: {by_type}" if by_type else ""
    return [
        f"words: {sum(len(words) for words, _ in sentences):,}",
        f"entities: {entities.total():,}{listed}",
        f"duplicates of an earlier sentence, word for word: {len(sentences) - len(taggings):,}; "
        f"sentences with several taggings: {inconsistent:,}",
    ]


def _remarks(parsed: ParsedFile) -> Iterator[str]:
    """Yield signs of possible mistakes, which are not wrong by themselves."""
    for kind, number in parsed.skipped.items():
        yield f"skipped: {counted(number, f'{kind} line')}"
    lengths = {len(each.sentence.words) for each in parsed.sentences}
    if len(parsed.sentences) == 1 and parsed.format == "columns":
        yield "one sentence: a blank line ends a sentence; are they missing?"
    elif lengths == {1} and parsed.format == "columns":
        yield "one word in every sentence: are there blank lines between the words of a sentence?"
    if unseen := list(_with_invisible(parsed)):
        line, text, letter = unseen[0]
        yield (
            f"words or tags with invisible characters: {len(unseen):,}, the first at {parsed.place}{line}: "
            f"{quoted(text)} has {name_letter(letter)}"
        )


def _with_invisible(parsed: ParsedFile) -> Iterator[tuple[int, str, str]]:
    """Yield the line, the text and the first invisible character of each word and each tag that has one."""
    for each in parsed.sentences:
        for line, *texts in zip(each.lines, *each.sentence, strict=True):
            for text in texts:
                if not text.isascii() and (letter := next(filter(_is_invisible, text), None)):
                    yield line, text, letter


def _is_invisible(letter: str) -> bool:
    """Return whether a character shows nothing by itself: zero-width, soft hyphen, variation selector, a space."""
    is_selector = "VARIATION SELECTOR" in unicodedata.name(letter, "")
    return is_selector or unicodedata.category(letter) in {"Cc", "Cf", "Zl", "Zp", "Zs"}
