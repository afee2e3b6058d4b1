"""List the corpora: their files, addresses, SHA-256 and entity types. To add a corpus, add an entry."""

from dataclasses import dataclass

from bert_ner.corpus.bio import labels_of
from bert_ner.errors import InvalidValue


@dataclass(frozen=True)
class CorpusFile:
    """A file of a corpus. Without an address, or offline, it must be in a local folder."""

    name: str
    sha256: str
    url: str | None = None


@dataclass(frozen=True)
class Corpus:
    """A corpus: a training and a test file in BIO, and their entity types in alphabetical order."""

    name: str
    title: str
    train: CorpusFile
    test: CorpusFile
    types: tuple[str, ...]
    is_generated: bool = False  # bert_ner/corpus/sample.py writes its files, so they need no source

    @property
    def files(self) -> tuple[CorpusFile, CorpusFile]:
        return (self.train, self.test)

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the tag set, `O` first."""
        return labels_of(self.types)


_MOVIE_TYPES = (
    "ACTOR", "CHARACTER", "DIRECTOR", "GENRE", "PLOT", "RATING",
    "RATINGS_AVERAGE", "REVIEW", "SONG", "TITLE", "TRAILER", "YEAR",
)  # fmt: skip
_TRIVIA_TYPES = (
    "Actor", "Award", "Character_Name", "Director", "Genre", "Opinion",
    "Origin", "Plot", "Quote", "Relationship", "Soundtrack", "Year",
)  # fmt: skip
_RESTAURANT_TYPES = ("Amenity", "Cuisine", "Dish", "Hours", "Location", "Price", "Rating", "Restaurant_Name")


def _mit(name: str, title: str, path: str, train: str, test: str, types: tuple[str, ...]) -> Corpus:
    """Return a corpus of the publisher of the MIT corpora, from the SHA-256 of its files."""

    def file(part: str, sha256: str) -> CorpusFile:
        url = f"https://groups.csail.mit.edu/sls/downloads/{path}{part}.bio"
        return CorpusFile(url.rpartition("/")[2], sha256, url)

    return Corpus(name, title, file("train", train), file("test", test), types)


_CORPORA = (
    _mit(
        "mit_movie_eng", "MIT Movie (simple queries)", "movie/eng",
        "68d90d7b29bc7dbf54efce6dfddbcdcb685293a00eaf76cd48c3acb5d3b68fe8",
        "2ba7c6da2e5c1d897ebbcbcefad9e0f03eed41b183106e7f26b7f24b704282fd", _MOVIE_TYPES,
    ),
    _mit(
        "mit_movie_trivia", "MIT Movie Trivia (complex queries)", "movie/trivia10k13",
        "3208087913814190b5ac6bf7a7c926d23b7cf0ab4a1734311badec4d8eaa5a82",
        "244807ba0006744a103a9449a12503641af287a869887b6d9cbb75b749e92d3d", _TRIVIA_TYPES,
    ),
    _mit(
        "mit_restaurant", "MIT Restaurant", "restaurant/restaurant",
        "f51794247426c975e7701011d4dba668ac6b881358f162e2c2c10709f2d17b9b",
        "09809dd126a3781c4205d06e721752054e51a10b1c98f3495ef17cd723f25ce2", _RESTAURANT_TYPES,
    ),
    Corpus(
        "sample", "Generated sample (no claim of the paper is judged on it)",
        CorpusFile("sampletrain.bio", "0dd921778d27baacf2aa0c3d86c177cf0f7b691b0ba3d811a40afdb9c05ea689"),
        CorpusFile("sampletest.bio", "4e10d09aa54dac4b3803af6d0e791eac2102300c790c756fb9bd0c57eba641ec"),
        _MOVIE_TYPES, is_generated=True,
    ),
)  # fmt: skip
CORPORA = {corpus.name: corpus for corpus in _CORPORA}


def corpus_named(name: str) -> Corpus:
    """Return the corpus of that name; raise InvalidValue, which lists the names, if there is none."""
    if name not in CORPORA:
        names = ", ".join(CORPORA)
        raise InvalidValue(f"no corpus is named '{name}'; the catalog has {names} (bert_ner/corpus/catalog.py)")
    return CORPORA[name]
