"""The entry of the command `bert-ner`: it handles Ctrl-C before it imports the rest."""

import sys

from bert_ner.interrupts import exit_interrupted, handle_interrupts


def main() -> None:
    """Run the command line; Ctrl-C ends it with exit status 130."""
    sys.argv[0] = "bert-ner"  # the name in messages, also after `python -m bert_ner`
    handle_interrupts(exit_interrupted)
    from bert_ner.cli import main as run  # noqa: PLC0415 - takes half a second

    run()


if __name__ == "__main__":
    main()
