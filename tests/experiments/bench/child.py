"""Stands for benchmark.py where a test starts its child: print what the child is given."""

import json
import os
import sys

print(json.dumps({"arguments": sys.argv[1:], "threads": os.environ["OMP_NUM_THREADS"]}))
