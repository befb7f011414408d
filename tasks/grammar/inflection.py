"""English inflection as spelling rules with a table of irregular forms."""

from __future__ import annotations

_VOWELS = "aeiou"

_PLURALS = {
    "man": "men", "woman": "women", "child": "children", "sheep": "sheep", "fish": "fish",
    "deer": "deer", "mouse": "mice", "goose": "geese", "knife": "knives", "wolf": "wolves",
    "wife": "wives", "loaf": "loaves", "thief": "thieves", "potato": "potatoes",
    "tomato": "tomatoes", "fisherman": "fishermen", "salmon": "salmon", "calf": "calves",
    "shelf": "shelves", "scarf": "scarves", "leaf": "leaves", "trout": "trout",
}  # fmt: skip

# Past and past participle, where the rules do not give them.
_VERBS = {
    "be": ("was", "been"), "have": ("had", "had"), "do": ("did", "done"),
    "see": ("saw", "seen"), "find": ("found", "found"), "lose": ("lost", "lost"),
    "know": ("knew", "known"), "meet": ("met", "met"), "teach": ("taught", "taught"),
    "hold": ("held", "held"), "keep": ("kept", "kept"), "buy": ("bought", "bought"),
    "sell": ("sold", "sold"), "steal": ("stole", "stolen"), "hide": ("hid", "hidden"),
    "break": ("broke", "broken"), "cut": ("cut", "cut"), "eat": ("ate", "eaten"),
    "drink": ("drank", "drunk"), "read": ("read", "read"), "write": ("wrote", "written"),
    "send": ("sent", "sent"), "wear": ("wore", "worn"), "drive": ("drove", "driven"),
    "draw": ("drew", "drawn"), "build": ("built", "built"), "feed": ("fed", "fed"),
    "ride": ("rode", "ridden"), "bite": ("bit", "bitten"), "hear": ("heard", "heard"),
    "lead": ("led", "led"), "tell": ("told", "told"), "forget": ("forgot", "forgotten"),
    "leave": ("left", "left"), "light": ("lit", "lit"), "ring": ("rang", "rung"),
    "fly": ("flew", "flown"), "sleep": ("slept", "slept"), "sing": ("sang", "sung"),
    "run": ("ran", "run"), "swim": ("swam", "swum"), "fall": ("fell", "fallen"),
    "give": ("gave", "given"), "lend": ("lent", "lent"), "bring": ("brought", "brought"),
    "put": ("put", "put"), "take": ("took", "taken"), "throw": ("threw", "thrown"),
    "wake": ("woke", "woken"), "stand": ("stood", "stood"), "sit": ("sat", "sat"),
    "come": ("came", "come"), "go": ("went", "gone"), "say": ("said", "said"),
    "think": ("thought", "thought"), "feel": ("felt", "felt"), "begin": ("began", "begun"),
    "let": ("let", "let"), "make": ("made", "made"), "become": ("became", "become"),
    "grow": ("grew", "grown"), "hit": ("hit", "hit"), "hurt": ("hurt", "hurt"),
    "set": ("set", "set"), "rise": ("rose", "risen"), "catch": ("caught", "caught"),
    "lie": ("lay", "lain"), "choose": ("chose", "chosen"), "spend": ("spent", "spent"),
    "shut": ("shut", "shut"), "win": ("won", "won"), "sweep": ("swept", "swept"),
    "speak": ("spoke", "spoken"), "wind": ("wound", "wound"), "bend": ("bent", "bent"),
    "admit": ("admitted", "admitted"), "prefer": ("preferred", "preferred"),
    "get": ("got", "gotten"), "dig": ("dug", "dug"), "tear": ("tore", "torn"),
    "hang": ("hung", "hung"), "upset": ("upset", "upset"), "sew": ("sewed", "sewn"),
    "show": ("showed", "shown"),
}  # fmt: skip

_ADJECTIVES = {"good": ("better", "best"), "bad": ("worse", "worst")}


def _ends_y(word: str) -> bool:
    return word.endswith("y") and word[-2] not in _VOWELS


def _doubles(word: str) -> bool:
    """Whether the last consonant is doubled before a vowel: one syllable, one short vowel."""
    vowels = sum(letter in _VOWELS for letter in word)
    return vowels == 1 and word[-1] in "bdgmnprt" and word[-2] in _VOWELS


def _with_s(word: str) -> str:
    if _ends_y(word):
        return word[:-1] + "ies"
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    return word + "s"


def plural(noun: str) -> str:
    """The plural of a noun."""
    return _PLURALS.get(noun) or _with_s(noun)


def verb_s(verb: str) -> str:
    """The third person singular of the present."""
    return {"be": "is", "have": "has", "do": "does", "go": "goes"}.get(verb) or _with_s(verb)


def _regular_past(verb: str) -> str:
    if verb.endswith("e"):
        return verb + "d"
    if _ends_y(verb):
        return verb[:-1] + "ied"
    return verb + (verb[-1] if _doubles(verb) else "") + "ed"


def past(verb: str) -> str:
    """The simple past (of "be": the singular)."""
    return _VERBS[verb][0] if verb in _VERBS else _regular_past(verb)


def participle(verb: str) -> str:
    """The past participle."""
    return _VERBS[verb][1] if verb in _VERBS else _regular_past(verb)


def ing(verb: str) -> str:
    """The present participle, which is also the gerund."""
    if verb in ("be", "see"):
        return verb + "ing"
    if verb == "lie":
        return "lying"
    if verb.endswith("e"):
        return verb[:-1] + "ing"
    doubled = _doubles(verb) or verb in ("begin", "forget", "admit", "prefer")
    return verb + (verb[-1] if doubled else "") + "ing"


def _degree(adjective: str, ending: str) -> str:
    if _ends_y(adjective):
        return adjective[:-1] + "i" + ending
    if adjective.endswith("e"):
        return adjective + ending[1:]
    return adjective + (adjective[-1] if _doubles(adjective) else "") + ending


def comparative(adjective: str) -> str:
    """The comparative of a short adjective or adverb."""
    return _ADJECTIVES[adjective][0] if adjective in _ADJECTIVES else _degree(adjective, "er")


def superlative(adjective: str) -> str:
    """The superlative of a short adjective or adverb."""
    return _ADJECTIVES[adjective][1] if adjective in _ADJECTIVES else _degree(adjective, "est")


def needs_an(following: str) -> bool:
    """Whether the indefinite article before this word is "an"."""
    word = following.lower()
    if word.startswith(("use", "uni", "one", "eu")):
        return False
    return word[0] in _VOWELS or word.startswith(("hour", "honest"))
