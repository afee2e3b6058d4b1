"""Folders for unfinished files: what a killed process leaves is removed, what a living one uses is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bert_ner.unfinished import unfinished_folder

CHILD = """
import sys
from pathlib import Path
from bert_ner.unfinished import unfinished_folder

with unfinished_folder(Path(sys.argv[1])) as folder:
    (folder / "part").write_text("part")
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_only_the_folders_of_dead_processes_are_removed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CHILD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        left = Path(process.stdout.readline().strip())
        with unfinished_folder(tmp_path) as own, unfinished_folder(tmp_path) as other:
            assert own != other
            assert own.is_dir()
            assert (left / "part").is_file()
        process.kill()
    assert (left / "part").is_file()
    with unfinished_folder(tmp_path) as folder:
        assert list(tmp_path.iterdir()) == [folder]
    assert not list(tmp_path.iterdir())


def test_the_folder_is_removed_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), unfinished_folder(tmp_path / "new") as folder:
        (folder / "part").touch()
        raise KeyError
    assert not list((tmp_path / "new").iterdir())
