"""The base of every error that the user can mend."""


class BertNerError(Exception):
    """Something is wrong with what was given; the message says what, where, and what to do."""


class InvalidValue(BertNerError, ValueError):
    """An argument or a setting is out of its range."""
