"""Verbs with the frames they occur in: who does it, to what, with which preposition.

A frame line reads ``verb | subject classes | object classes | particle or preposition +
classes``. Classes and groups of classes are those of ``nouns``.
"""

from __future__ import annotations

from dataclasses import dataclass

from .nouns import GROUPS


@dataclass(frozen=True)
class Frame:
    """One way to use a verb."""

    verb: str
    subject: tuple[str, ...]
    object: tuple[str, ...] = ()
    preposition: str = ""
    oblique: tuple[str, ...] = ()
    particle: str = ""


def _classes(text: str) -> tuple[str, ...]:
    result: list[str] = []
    for word in text.split():
        result += GROUPS.get(word, (word,))
    return tuple(result)


def _frames(table: str) -> list[Frame]:
    """The frames of a table, one a line."""
    frames = []
    for line in table.strip().splitlines():
        verbs, subject, obj, rest = ([*(p.strip() for p in line.split("|")), "", "", ""])[:4]
        for verb in verbs.split(","):
            head, _, particle = verb.strip().partition(" ")
            preposition, _, oblique = rest.partition(" ")
            frames.append(
                Frame(head, _classes(subject), _classes(obj), preposition, _classes(oblique),
                      particle)
            )  # fmt: skip
    return frames


INTRANSITIVE = _frames("""
sleep, rest, wait, run, play, swim, walk, fall, hide | living
work, laugh, smile, dance, sing, cry, travel, dream, cook, fish, paint, read, write, talk | person
drive, whistle, shiver, stumble, nod, yawn, worry, hesitate, return, arrive | person
wake up, stand up, sit down, come in, come out, go out, lie down, run away, move in | person
wake up, run off, lie down, get up | living
""")

MOTION = _frames("""
walk, run, swim, wander, rush, hurry | living
travel, go, come, drive, sail, ride, march, return | person
""")

TRANSITIVE = _frames("""
see, watch, find, like, remember, notice, miss | person | visible
help, thank, trust, know, meet, call, visit, love, teach, guard, fear, guide | person | person
help, follow, know, invite, phone, answer, warn, greet, praise, blame, nurse | person | person
follow, chase, scare, wake, bite, lead, watch, hear, love | animal | living
hear, feed, train, lead, chase, wash, brush, water, pet, tame, catch, love | person | animal
push, pull, carry, drop, keep, buy, sell, steal, hide, move, want, need, like, lose | person | small
clean, wash, paint, fix, break, repair, draw, polish | person | furniture tool container vehicle
read, write, copy, finish, study, answer, book, mark, fold, burn, burn | person | readable
eat, cook, cut, taste, smell, share, warm, eat | person | food
eat, smell, steal | animal | food
drink, pour, taste, cool, warm, spill | person | drink
drink | animal | drink
plant, water, plant, cut, plant, love, smell, trim | person | plant
wear, iron, wash, fold, dry, mend, hang, sew | person | clothes
open, close, empty, fill, pack, box, shut, seal | person | container
play, practice, tune, buy, sell | person | instrument
drive, ride, park, load, buy, sell, stop, wash | person | vehicle
leave, visit, enter, reach, search, love, find | person | place
take, take, take, enjoy, need | person | outing
take, enjoy, plan, want, remember | person | event
watch, enjoy, plan, leave, miss, start, end, love, attend | person | event
answer, explain, change, hear, forget, like, keep, share, mention | person | thought
draw, paint, photograph, describe, sketch | person | visible
wind, ring, break, mend, polish | person | valuable
hold, use, hang, sharpen, borrow | person | tool
light, light, carry, hold, use, break, fix | person | lamp
break, hit, bury | living | toy plant container
""")

PARTICLE = _frames("""
pick up, put down, throw out, hand in, take out, bring in, dig up | person | small
put on, take off, hang up, fold up | person | clothes
wake up, call up, cheer up, let in, look up, pick up, bring up | person | person
write down, look up, read out, tear up | person | readable
turn on, turn off, turn up, turn down | person | lamp
put away, pass on | person | tool
eat up, heat up, cut up | person | food
cut down, dig up | person | plant
""")

PREPOSITIONAL = _frames("""
look, smile, point, shout, laugh, stare | person || at person animal
listen, talk, write, speak, sing | person || to person
wait, look, ask, search, care | person || for living thing
talk, think, hear, dream, know, laugh, ask, worry | person || about visible event thought
work, live, travel, play, talk, walk, dance, agree, argue | person || with person
look, run | person || after living
run | animal || after living
work, cook, play, sing | person || for person
wait | animal || for person
look, play, sleep | animal || at living
walk, run, drive, go | person || past place
look | person || like role
work | person || as role
""")
PREPOSITIONAL = [
    frame for frame in PREPOSITIONAL
    if not (frame.preposition == "at" and frame.verb in ("play", "sleep"))
]  # fmt: skip

#: Verbs of giving: recipient and thing, in either order of construction.
GIVING = _frames("""
give, show, hand, lend, offer, bring, sell, send | person | small
give, show, lend, offer, sell | person | furniture vehicle instrument plant animal
read, write, send, show, bring | person | readable
tell, teach | person | thought
""")

#: Verbs of putting: thing and place.
PUTTING = _frames("put, leave, hide, keep, drop, place, set, find | person | small")

SAYING = (
    "say think know believe hope explain notice feel hear remember admit complain insist".split()
)
QUOTING = "say ask answer whisper shout cry explain call reply".split()
WITH_TO = "want try begin start hope decide plan forget need like love promise learn refuse".split()
WITH_ING = "start stop enjoy keep begin like love".split()
ASKING = "ask tell want help persuade teach order allow expect invite".split()
LETTING = "let make help".split()
#: Verbs whose object may well be the subject itself.
REFLEXIVE = "see wash hurt teach blame praise draw ask help photograph describe dry trust".split()
SEEMING = "seem become feel look grow sound stay".split()
AFFECTING = "surprise please worry hurt frighten amuse scare comfort upset help".split()
MODALS = "can could will would may might must should".split()
