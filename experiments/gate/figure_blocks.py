"""The figures in README.md and docs/findings.md.

They stand between markers, `<!-- figures: NAME -->` and `<!-- end -->`, and are written from the tables by
`check.py --update`.
"""

import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from harness.tables import table_path

from bert_ner.files import write_whole
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
    for name in BLOCKS:
        text = (root / name).read_text(encoding="utf-8")
        pairs = zip(BLOCK.findall(text), BLOCK.findall(with_figures(name, text, root / "results")), strict=True)
        found += [f"{name} has other figures than the tables: {old[1]}" for old, new in pairs if old != new]
    return found


def write_figures(root: Path) -> None:
    """Write the figures into each document."""
    for name in BLOCKS:
        path = root / name
        write_whole(path, with_figures(name, path.read_text(encoding="utf-8"), root / "results"))


def with_figures(name: str, text: str, results: Path) -> str:
    """Return the text of a document with the figures of the tables; as it is if a table has not been made yet."""
    if not all(table_path(results, *table).is_file() for table in TABLES[name]):
        return text
    return BLOCK.sub(lambda block: f"{block[1]}{BLOCKS[name][block[2]](results, block[3].rstrip())}\n{block[4]}", text)
