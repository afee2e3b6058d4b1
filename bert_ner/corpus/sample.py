"""The generated corpus `sample`: movie queries from a seeded grammar, for machines without the real corpus.

It has the entity types of the MIT Movie queries and none of their sentences, so it can be made anywhere and the whole
pipeline run on it. It is hard in the ways the real queries are, so that systems differ on it: two names in five occur
in the test file only, three people in ten act and direct, titles may be songs and hold genres, years and jobs,
and about one word in twenty is misspelt. Its files are written by this code and never committed.

In the grammar a rule's name opens a line and its alternatives, one a line, are indented under it. `(a|b|)` is one of
a, b and nothing; `Word` stands for a rule, `TYPE` for an entity. All alternatives are equally likely.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from bert_ner.corpus.bio import Sentence, Span, tags_of, write_bio
from bert_ner.corpus.catalog import CORPORA

SEED = 0
TRAIN_SENTENCES = 2_000
TEST_SENTENCES = 500
TEST_ONLY = 0.4  # this share of each kind of name
SLIP_RATE = 0.08  # of the words with four letters or more, so about one in twenty of all

_NAMES = {"Person": 300, "TITLE": 400, "SONG": 150, "CHARACTER": 200}  # how many of each kind there are

_QUERIES = """
Query
  Ask Films Clause
  Ask Films Clause (and|but|that are also|) Clause
  (what|which) Films (are|were|you have are|on tonight are) Clause
  (what|which) (GENRE|RATING|RATINGS_AVERAGE|) Movies (did|does) (ACTOR|CHARACTER) (appear|star) in (since YEAR|)
  (is there|do you have|did they ever make) (a|any) Film Clause (and Clause|)
  did DIRECTOR ever (make|do|produce) (a Film|any Films) (Clause|)
  has (ACTOR|DIRECTOR) ever (made|done) (a Film|any Films) (Clause|)
  (did|does) ACTOR (star|appear|have a part) in (TITLE|a Film|a Film Clause)
  was ACTOR (in|ever in|the lead in) (TITLE|a Film|a Film Clause)
  (did|does) DIRECTOR (direct|make|film) (TITLE|a Film|any Films Clause)
  who (directed|made|shot|was behind|was the director of) (TITLE|the Film Clause)
  who (is|was|stars|starred|acted|was cast) in (TITLE|the Film Clause|the movie TITLE from YEAR)
  who (played|plays|was|voiced) CHARACTER (in TITLE|in the YEAR Movie|in the Film about PLOT|opposite ACTOR|)
  (who sang|who sings|who wrote|where have i heard|what was) SONG (in TITLE|from TITLE|in the Film Clause|)
  what Movie (has|features|used|plays) (the song|) SONG (by the end|in it|during the credits|)
  (find|play|show me|what was) the Movie (with|that has|that plays) SONG (in it|on the soundtrack|by the end)
  (does|did) (ACTOR|CHARACTER) (sing|perform|dance to) SONG in (TITLE|a GENRE Movie|the Movie Clause)
  (play|show me|find|can i see|i want to see|is there) (a|the|any) TRAILER (for|of|from|to) (TITLE|the Film Clause)
  (play|show me|get me|where is) (the|a) TRAILER (for|of|with) the new (ACTOR|DIRECTOR) Movie
  (show|get|play) me TITLE TRAILER (please|)
  (what are|show me|find|where can i read) (the|some|any) REVIEW (for|of|on|about) (TITLE|the Film Clause)
  did TITLE (get|have|receive) (any|) REVIEW (in YEAR|from the press|in the papers|when it came out)
  (what|which) Films (Clause|) (got|had|received|were given) REVIEW
  (what is|tell me|do you know) the (rating|age limit|certificate) (of|for) (TITLE|the Film Clause)
  (is|was) TITLE (RATING|RATINGS_AVERAGE|a GENRE Movie|about PLOT|any good|by DIRECTOR|from YEAR|a movie)
  can (my kids|children|a ten year old|my family) watch TITLE or is it RATING
  what year (was TITLE (made|released)|did TITLE come out) (with ACTOR|by DIRECTOR|)
  when did (ACTOR do|DIRECTOR shoot|ACTOR star in|DIRECTOR make) (TITLE|that Film Clause)
  what is TITLE about (and who is in it|and is it RATINGS_AVERAGE|)
  (what is|i forgot|do you know) the (name|title) of (that|the|a) Film Clause (Clause|)
  (tell me|what do you know|have you heard) about (TITLE|SONG|CHARACTER|ACTOR|DIRECTOR|the PLOT Movie)
  (search for|what about|look up|i like) (TITLE|SONG|CHARACTER|ACTOR|DIRECTOR|PLOT Movies)
  (do you have|how about|more like|i want|not) (TITLE|SONG|CHARACTER|ACTOR|DIRECTOR|a PLOT Movie|PLOT Movies)
  (TITLE|CHARACTER|ACTOR|DIRECTOR|GENRE|PLOT|YEAR|SONG) (movie|film|movies) (to watch tonight|for the weekend|)
  (ACTOR|DIRECTOR|CHARACTER) (GENRE|RATINGS_AVERAGE|RATING|YEAR) Movies
  (TITLE|SONG|CHARACTER|PLOT) (ACTOR|DIRECTOR|CHARACTER|TITLE) (YEAR|GENRE|TRAILER|REVIEW|)
  (ACTOR|DIRECTOR) (TITLE|CHARACTER|PLOT|SONG) (Movie|TRAILER|RATING|)
  Ask (ACTOR|DIRECTOR|CHARACTER|GENRE|TITLE) Movies (from YEAR|Clause|)
  (any|what about a|is there a) Film (about|on|with|where there is) PLOT (or PLOT|from YEAR|)
  how many Movies (with ACTOR|by DIRECTOR|ACTOR was in) (are RATINGS_AVERAGE|are RATING|were made in YEAR|got REVIEW)
  did ACTOR and (ACTOR|DIRECTOR) (make a Film together|ever work on a Film|do TITLE together)
  (ACTOR|CHARACTER) (and|meets|versus) (ACTOR|CHARACTER) (in a GENRE Movie|in YEAR|in TITLE|movie about PLOT)
  i (saw|watched|remember) a Film (with my family|last night|as a child|on a plane) (Clause|) what was it called
  i am (thinking of|trying to remember|looking for) a Film Clause (Clause|) (can you help me|which one is it|)
  (my wife|my son|everyone|a friend) (loves|talks about) (TITLE|ACTOR|CHARACTER) what else is like it
  in (what|which) Movie does (ACTOR|CHARACTER) (play CHARACTER|meet CHARACTER|sing SONG|go through PLOT)
  (what|who) (should|could) (i|we) (watch|see) (tonight|next|with the kids|after work if i feel lonely)
  (something|anything) (with (ACTOR|SONG)|like TITLE|by DIRECTOR|about (PLOT|CHARACTER)|from YEAR) (please|but GENRE)
  is it (really|) true that (ACTOR (starred in|turned down|hated)|DIRECTOR (directed|hated|wrote)) TITLE
  what (do you think|) is the (best|worst) scene (in TITLE|with ACTOR|where CHARACTER dies)
Ask
  (please|can you|could you please|i was wondering if you could|) (show|find|get|give) (me|us) (the|some|a list of|)
  ((i want|i would like|help us decide we want) (to see|to watch)|i need|i am in the mood for) (some|)
  (what are|are there any|what are some|name some|list all the|looking for|do you have any|what is on that are)
Film
  (RATINGS_AVERAGE|GENRE|RATING|RATING GENRE|YEAR|YEAR GENRE|RATINGS_AVERAGE GENRE|GENRE|||) Movie
Films
  (RATINGS_AVERAGE|GENRE|RATING|RATING GENRE|YEAR|YEAR GENRE|RATINGS_AVERAGE GENRE|GENRE|||) Movies
Movie
  (movie|movie|movie|film|film|picture|flick)
Movies
  (movies|movies|movies|films|films|pictures|flicks)
Clause
  (with|starring|featuring|where the lead is|that also has) ACTOR (and ACTOR|or ACTOR|as CHARACTER|in it||||)
  (directed by|made by|by|from|shot by|where the director was) DIRECTOR
  (by|with|from|of|involving|that credits) (ACTOR|DIRECTOR|DIRECTOR and ACTOR)
  (about|where there is|dealing with|involving|with|that features|about someone in) PLOT
  (from|made in|released in|of|that came out in|in|before|after|since|filmed in) YEAR
  (rated|with a rating of|no worse than|for kids that would be|that i heard would be) (RATING|RATINGS_AVERAGE)
  (with|that got|that had|praised in|known for) REVIEW
  (with|where they play|that opens with|featuring) (the song|the tune|music like|) SONG
  (with|about|where ACTOR plays|featuring) (the character|a role named|) CHARACTER
  (where|in which) (PLOT is seen|CHARACTER fights PLOT|ACTOR meets PLOT|PLOT gets a second chance)
  (where|in which) (ACTOR|CHARACTER) (plays CHARACTER|is CHARACTER|sings SONG|goes through PLOT|dies at the end)
  (like|similar to|such as|set before|that is a sequel to|based on the same book as) TITLE
"""

_ENTITIES = """
GENRE
  (action|adventure|animated|anime|biographical|comedy|crime|documentary|drama|family|fantasy|gangster|horror)
  (martial arts|musical|mystery|noir|romance|romantic|science fiction|sci fi|silent|slasher|sports|spy|western|war)
  (romantic|dark|action|family|crime|musical|teen|space|buddy) (comedy|drama|thriller|adventure|western|mystery)
  (funny|scary|black and white|period|heist|super hero|zombie|vampire|disaster|cartoon|monster|courtroom|robot)
  (feel good|tear jerker|coming of age|whodunit|road|biopic|swashbuckler|cult|indie|costume|spoof|dance|alien|prison)
RATING
  (rated|) (g|pg|pg 13|r|nc 17|x)
  (g|pg|pg 13|r|x) rated
  (unrated|family friendly|child friendly|kid safe|mature|restricted|adult|parental guidance)
RATINGS_AVERAGE
  (highly|well|best|top|poorly|worst|badly|very highly) (rated|reviewed|liked)
  (one|two|three|four|five|at least three|over four) star(s|)
  (best|good|great|excellent|decent|must see|average|mediocre|award winning|really good|popular|terrible|all time best)
  (at least|over|under|around|) (six|seven|eight|nine) out of ten
  (liked|loved|hated|praised|panned) by Judges
  (critic|crowd|fan|family|festival) (favorite|darling)
REVIEW
  (reviews|reviews|criticism|critiques|acclaim|opinions|viewer comments)
  (good|bad|mixed|rave|glowing|terrible|great|positive|critics) (reviews|notices|opinions|press)
  (praise|complaints|verdicts|thumbs up|thumbs down|word of mouth)
  (what Judges (said|thought|wrote)|how Judges reacted)
Judges
  (critics|viewers|fans|the press|people|the audience|everyone|my friends|parents|the papers)
TRAILER
  (trailer|trailer|preview|teaser|clip|scene|sneak peek|promo)
  (movie|film|teaser|official|newest|first) (trailer|preview|clip)
  (opening|car chase|ending|fight|love|deleted|wedding|battle|dance) (scene|clip|footage|part|credits)
YEAR
  (193|194|195|196|197|198|199|200|201)(0|1|2|3|4|5|6|7|8|9)
  (193|194|195|196|197|198|199|200|201)(0|1|2|3|4|5|6|7|8|9)
  (1930|1940|1950|1960|1970|1980|1990|2000)s
  (the|the|early|late) (forties|fifties|sixties|seventies|eighties|nineties)
  (past|last|previous) (two|three|five|ten|twenty) (years|decades)
  (this year|last year|this decade|last century|recent years|the silent era)
PLOT
  (a|an|the|) (Trait|) Role (who|that) Deed
  (a|the|) (Trait|) Role (and|versus|against|looking for|lost in|falling for) (a|the|his|her) (Noun|Role)
  (Trait|) (Role|Noun)s
  (time travel|road trips|bank robbery|revenge|outer space|high school|growing up|family|war|first love|crime)
  (end|loss|search|secret|hunt|fight) (of|for) (the|a|his|her) (Noun|Role)
  (growing up|being stuck|life|falling in love|murder|getting lost) (in|on|near) a Place
  (Role|Noun|Place|Noun Noun|Place Noun)
TITLE
  (the|) Trait (Noun|Role|Nouns)
  (Noun|Role|Place) (of|in|by|without|for|with) (the|) (Noun|Place|First)
  (finding|losing|saving|becoming|leaving|after|dear|goodbye|about) (First|Person|Noun|the Role)
  (Noun|Role|Last) (and|versus) (Noun|First)
  the (Noun|Role) who Deed
  (Noun|Nouns|Trait|Place|First)
  (Noun|Role|Place|Last) (2|3|seven|forever|returns|1984|2050)
  (the|my|) (Trait|last|first|next) (comedy|romance|mystery|western|movie|musical|crime|review|teaser|eighties)
  Phrase
SONG
  (Noun|Place|Trait Noun|(my|your|our) Noun)
  (love|dance|cry|walk|stay|sing) (me|with me|like a Noun|by the Place)
  Noun (of|in|by|for|without) (my|your|) (Noun|heart)
  (oh|hey|dear|goodbye|sweet) (First|Noun|Place)
  Phrase
CHARACTER
  (captain|doctor|agent|queen|detective|sergeant|professor|uncle|aunt|lord) (First|Last|Noun)
  First (Last|Last|the Role||)
  (Trait|Noun) (man|boy|girl|woman|king)
  the (Trait|Noun) Role
Phrase
  (when|where|how|why|before) (the Noun|First) (falls|ends|sleeps|begins|comes home|was here)
Person
  First Last
  First Last
  First (Last|First Last|)
  Last
Trait
  (broken|silver|hidden|crooked|frozen|golden|quiet|hollow|burning|crimson|lonely|bitter|electric|midnight|paper|glass)
  (reckless|haunted|foolish|sleepless|wild|young|retired|scary|funny|silent|animated|dark|restless|velvet|distant|small)
Noun
  (river|lantern|garden|mirror|harvest|engine|compass|orchard|shadow|signal|thunder|winter|ladder|feather|anchor|candle)
  (bridge|horizon|puzzle|kingdom|promise|monster|robot|dragon|meadow|tiger|carnival|moon|letter|diamond|alien|zombie)
  (falcon|harbor|sparrow|island|train|storm|machine|spider|violin|ghost|summer|clock|rocket|treasure|vampire|ocean)
Place
  (desert|small town|lighthouse|prison|castle|jungle|submarine|farm|hotel|circus|hospital|boarding school|big city)
  (mountain|village|ski lodge|space station|casino|library|vineyard|swamp|border town|train station)
Role
  (detective|farmer|pilot|teacher|robber|dancer|soldier|widow|chef|boxer|cowboy|nurse|hacker|orphan|sailor|spy|lawyer)
  (painter|beekeeper|stranger|assassin|bride|butcher|gambler|waiter|mayor|king|director|actor|singer|critic)
Deed
  (steals|finds|loses|builds|hunts|loves|forgets|buries|follows|betrays|saves|fights) (a|the|his|her) (Noun|Role)
  (returns home|can not sleep|talks to animals|lives twice|falls in love|runs away|joins the circus|turns into a Noun)
First
  (ada|alma|amos|anton|arlo|basil|beryl|bruno|carla|cecil|clara|conrad|cora|dalia|dexter|edith|elmer|elsie|ezra|faye)
  (felix|flora|gideon|greta|gus|hazel|hector|ida|imogen|iris|ivan|jonas|josie|judith|kira|leon|lila|lorna|magnus|marta)
  (mabel|milo|mona|nadia|nestor|nora|olga|opal|oscar|otto|pearl|petra|quentin|ramona|rex|rosa|rufus|ruby|silas|stella)
  (tessa|theo|tobias|ursula|vera|victor|wanda|wilbur|yolanda|zelda|grace|hope|victoria|summer|chase|dean|angel|grant)
Last
  (ash|bar|black|brand|bright|cold|corn|dun|elm|fair|gold|hart|hol|kess|lang|mar|north|oak|pem|quill)Suffix
  (rad|red|rock|rose|sel|stan|strat|tal|thorn|under|van|wal|wes|whit|win|yar|zel)Suffix
  (archer|baker|barber|bishop|bolt|carver|cross|drake|fisher|fox|frost|glass|hale|hawk|major|mason|mercer|miller|nash)
  (banks|price|rivers|king|knight|field|wolf|winter|love|stone|page|french|young|lane|rich|west|moon|hunter|cook|day)
Suffix
  (berg|bury|by|croft|den|dorf|ford|gate|ham|holt|ington|ley|low|man|mont|more)
  (ner|rick|sen|shaw|sky|son|stead|ster|ter|ton|vale|ward|well|wick|wood|worth)
"""

Draw = Callable[[], float]  # the method `random` of a seeded random.Random: no Python version changes its sequence


def generate() -> tuple[list[Sentence], list[Sentence]]:
    """The sentences of the training file and of the test file: the same ones on every machine."""
    draw = random.Random(SEED).random
    names = {kind: _names(kind, count, draw) for kind, count in _NAMES.items()}
    people = names.pop("Person")
    names["ACTOR"] = [person for i, person in enumerate(people) if i % 10 < 7]
    names["DIRECTOR"] = [person for i, person in enumerate(people) if i % 10 >= 4]
    shown = {kind: every[: round(len(every) * (1 - TEST_ONLY))] for kind, every in names.items()}
    train = [_sentence(shown, draw) for _ in range(TRAIN_SENTENCES)]
    test = [_sentence(names, draw) for _ in range(TEST_SENTENCES)]
    return train, test


def write_sample(folder: Path) -> None:
    """Write the training and the test file of the corpus `sample` into a folder."""
    for file, sentences in zip(CORPORA["sample"].files, generate(), strict=True):
        write_bio(folder / file.name, sentences)


def _sentence(names: dict[str, list[str]], draw: Draw) -> Sentence:
    """One query with its entities tagged."""
    words: list[str] = []
    spans: list[Span] = []
    for slot in _expand("Query", draw).split():
        if not slot.isupper():
            words.append(slot)
            continue
        entity = (_pick(names[slot], draw) if slot in names else _phrase(slot, draw)).split()
        spans.append(Span(slot, len(words), len(words) + len(entity)))
        words += entity
    articled = ["an" if a == "a" and b[0] in "aeio" else a for a, b in zip(words, [*words[1:], "."], strict=True)]
    return Sentence(tuple(_slip(word, draw) for word in articled), tuple(tags_of(spans, len(words))))


def _names(kind: str, count: int, draw: Draw) -> list[str]:
    """That many different names of a kind."""
    names: dict[str, None] = {}  # a set that keeps its order
    while len(names) < count:
        names[_phrase(kind, draw)] = None
    return list(names)


def _phrase(rule: str, draw: Draw) -> str:
    """Words that follow a rule, one space between them."""
    return " ".join(_expand(_pick(_RULES[rule], draw), draw).split())


def _expand(text: str, draw: Draw) -> str:
    """Make every choice in a text, the innermost first, then replace its rules; words and entity types remain."""
    while "(" in text:
        text = re.sub(r"\(([^()]*)\)", lambda choice: _pick(choice[1].split("|"), draw), text)
    return _RULE.sub(lambda rule: _expand(_pick(_RULES[rule[0]], draw), draw), text)


def _slip(word: str, draw: Draw) -> str:
    """The word, now and then with a letter dropped, doubled, or swapped with the next; the first one stays."""
    if len(word) < 4 or not word.isalpha() or draw() >= SLIP_RATE:
        return word
    i = 1 + int(draw() * (len(word) - 2))
    return word[:i] + _pick((word[i + 1 :], word[i] + word[i:], word[i + 1] + word[i] + word[i + 2 :]), draw)


def _pick(items: Sequence[str], draw: Draw) -> str:
    """One of the items, all equally likely."""
    return items[int(draw() * len(items))]


def _rules(grammar: str) -> dict[str, list[str]]:
    """Each rule's name and its alternatives."""
    rules: dict[str, list[str]] = {}
    name = ""
    for line in grammar.strip().split("\n"):
        if line.startswith(" "):
            rules[name].append(line.strip())
        else:
            name = line
            rules[name] = []
    return rules


_RULES = _rules(_QUERIES.strip() + _ENTITIES)
_RULE = re.compile("|".join(sorted((name for name in _RULES if not name.isupper()), reverse=True)))  # Films before Film
