"""Figures and examples of the paper."""

PAPER_CORPUS, PAPER_ENCODER = "mit_movie_eng", "bert-base-uncased"
PAPER_MICRO_F1 = 0.9447  # over tokens; the paper does not say whether O counts
PAPER_LOSSES = (0.43, 0.17, 0.13, 0.10)  # mean training loss of each epoch
PAPER_LENGTH = 55  # pieces; section 3.3.1 pads to it
PIECES = ("gibson", "movies starring mel gibson")  # section 5.3.2

# The encoder's shape in section 3.2: the name of each figure, and transformers' name for it.
SHAPE = {
    "layers": "num_hidden_layers",
    "width": "hidden_size",
    "heads": "num_attention_heads",
    "vocabulary": "vocab_size",
    "positions": "max_position_embeddings",
    "feed_forward": "intermediate_size",
}

# The types that sections 3.1 and 5.4.1 name, and their names in the corpora.
PAPER_TYPES = {
    "ACTOR": ("ACTOR", "Actor"), "DIRECTOR": ("DIRECTOR", "Director"), "WRITER": (), "PRODUCER": (),
    "GENRE": ("GENRE", "Genre"), "TITLE": ("TITLE",), "PLOT": ("PLOT", "Plot"),
    "CHARACTER": ("CHARACTER", "Character_Name"), "YEAR": ("YEAR", "Year"), "RATING": ("RATING",), "LANGUAGE": (),
    "COUNTRY": (), "QUOTE": ("Quote",), "SONG": ("SONG", "Soundtrack"), "AWARD": ("Award",), "PERSON": (),
    "CONTENT_TYPE": (),
}  # fmt: skip

# Section 5.4.1: a query, and the type and text of the entities that the paper found.
QUERIES = {
    "show me films with drew barrymore from the 1980s": [["ACTOR", "drew barrymore"], ["YEAR", "1980s"]],
    "what leonard cohen songs have been used in a movie": [["PERSON", "leonard cohen"], ["CONTENT_TYPE", "songs"]],
}
EXAMPLE_QUERY = {"movies starring mel gibson": [["ACTOR", "mel gibson"]]}  # section 5.3.2
