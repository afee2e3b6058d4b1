"""How good the labels of a corpus are: what label_audit.py measures. docs/label-audit.md has the definitions."""
