"""Stands for benchmark.py where a test starts its child: print what the child is given, from the first rank alone."""

import json
import os
import sys

if os.environ.get("RANK", "0") == "0":  # torchrun does not buffer, so lines of two ranks would mix
    print(json.dumps({"arguments": sys.argv[1:], "threads": os.environ["OMP_NUM_THREADS"]}))
