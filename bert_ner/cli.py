"""The command `bert-ner`.

bert-ner encoders
"""

from __future__ import annotations

import argparse
import sys

from bert_ner import __version__
from bert_ner.encoder.weights import ENCODERS, availability
from bert_ner.errors import BertNerError


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="bert-ner", description="Named entity recognition, judged.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("encoders", help="list the encoders, where each can be had from, or why it can't").set_defaults(
        run=list_encoders
    )
    try:
        parser.parse_args().run()
    except BertNerError as error:
        sys.exit(f"bert-ner: {error}")


def list_encoders() -> None:
    """Print a line per encoder: whether it can be had here, its parameters, and from where or why not."""
    for encoder in ENCODERS.values():
        found, where = availability(encoder)
        print(f"{'yes' if found else 'no ':3}  {encoder.name:20}  {encoder.parameters / 1e6:5.1f} M  {where}")
