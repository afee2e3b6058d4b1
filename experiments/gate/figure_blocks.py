"""The figures in README.md and docs/findings.md.

They stand between markers, `<!-- figures: NAME -->` and `<!-- end -->`, and are written from the tables by
`check.py --update`.
"""

import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from harness.tables import table_path

from bert_ner.errors import BertNerError
from claims.evidence import NotMeasuredError
from gate import findings_figures, readme_figures

Block = Callable[[Path, str], str]  # from the folder of all results and the old text to the new text

BLOCK = re.compile(r"(<!-- figures: (\w+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
BLOCKS: Mapping[str, Mapping[str, Block]] = {
    "README.md": readme_figures.BLOCKS,
    "docs/findings.md": findings_figures.BLOCKS,
}
TABLES = {"README.md": readme_figures.TABLES, "docs/findings.md": findings_figures.TABLES}


def outdated_figures(root: Path) -> list[str]:
    """Return which figures of the documents differ from the tables, unless the tables are not those that Git has.

    Another machine gives other figures: then the documents still have those of the committed results.
    """
    command = ["git", "diff", "--quiet", "HEAD", "--", "results/*.csv"]
    if subprocess.run(command, cwd=root, capture_output=True, check=False).returncode:
        return []
    found = []
    for name, (text, new_text) in documents(root).items():
        pairs = zip(BLOCK.findall(text), BLOCK.findall(new_text), strict=True)
        found += [f"{name} has other figures than the tables: {old[1]}" for old, new in pairs if old != new]
    return found


def documents(root: Path) -> dict[str, tuple[str, str]]:
    """Return the text of each document as it is, and with the figures of the tables."""
    found = {}
    for name in BLOCKS:
        try:
            text = (root / name).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise BertNerError(f"{root / name} can't be read ({error}); take it from Git") from None
        found[name] = text, with_figures(name, text, root / "results")
    return found


def with_figures(name: str, text: str, results: Path) -> str:
    """Return the text of a document with the figures of the tables; as it is if a table has not been made yet.

    A block that mentions what was not measured stays as it is, too.
    """
    if not all(table_path(results, *table).is_file() for table in TABLES[name]):
        return text

    def filled(block: re.Match[str]) -> str:
        start, figures, old, end = block.groups()
        line = text.count("\n", 0, block.start()) + 1
        if figures not in BLOCKS[name]:
            raise BertNerError(f"{name}, line {line}: no figures are named '{figures}', but {', '.join(BLOCKS[name])}")
        if "<!-- figures: " in old:  # everything up to the next end would be replaced
            raise BertNerError(f"{name}, line {line}: no <!-- end --> follows the figures '{figures}'; add it")
        try:
            return f"{start}{BLOCKS[name][figures](results, old.rstrip())}\n{end}"
        except (LookupError, NotMeasuredError):
            return block[0]

    return BLOCK.sub(filled, text)
