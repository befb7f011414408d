"""Personal names, surnames and invented place names, the commoner ones first."""

from __future__ import annotations

FIRST_NAMES = {
    "Fem": (
        "Anna Mary Ruth Clara Rose Helen Sarah Emma Lucy Grace Alice Julia Nora Laura Ellen Jane "
        "Eva Martha Ivy Hope Daisy Faith Olive Susan Marie Hannah Lily Maria Kate Edith Irene "
        "Vera Joan Dora Amy Iris Nina Paula Stella Sofia Ada Agnes Amara Bella Bianca Carla Celia "
        "Chloe Cora Delia Diana Elsa Esther Fiona Flora Freya Gemma Greta Harriet Hazel Ida Ines "
        "Ingrid Jasmine Judith Kira Leila Lena Lotte Lydia Mabel Maeve Marta Mina Miriam Naomi "
        "Nadia Noor Odette Olga Opal Petra Phoebe Priya Rana Rhoda Rita Rosalind Sadie Selma "
        "Sigrid Sybil Tamar Tess Thea Ursula Violet Wilma Yara Zelda"
    ).split(),
    "Masc": (
        "Peter Paul John Tom Mark Will Jack Henry James David Bill Frank Robin Samuel Daniel Carl "
        "Max George Simon Oscar Adam Hugo Jacob Martin Ben Arthur Victor Leo Felix Ralph Edgar "
        "Noah Walter Albert Louis Ivan Omar Ernest Harold Philip Abel Alan Amos Anton Axel Barney "
        "Basil Boris Bruno Caleb Cecil Clement Conrad Cyrus Darius Dexter Duncan Edwin Elias Emil "
        "Enzo Ezra Fergus Gideon Gilbert Gustav Hassan Hector Herman Horace Igor Isaac Jonas "
        "Kenji Lars Linus Lionel Luka Magnus Marcus Milo Mateo Nils Orson Otto Percy Pierre "
        "Rafael Reuben Rufus Silas Stefan Tariq Theo Tobias Ulrich Viktor Wendell Yusuf"
    ).split(),
}
_BOTH = ["Alex", "Sam", "Robin", "Jamie", "Casey", "Morgan"]
for _gender in ("Fem", "Masc"):
    FIRST_NAMES[_gender] = (
        FIRST_NAMES[_gender][:6]
        + _BOTH[:3]
        + [name for name in FIRST_NAMES[_gender][6:] if name not in _BOTH]
        + _BOTH[3:]
    )

SURNAMES = (
    "Reed Cook Baker Hill Young Brown Stone Wood Carter Bell Marsh Lane Parker Frost Fisher Price "
    "Miller Long Page Field West Green Shepherd Porter Fox Rivers Banks Mason Hunter Archer Barton "
    "Cole Dawson Ellis Foster Garner Hayes Ingram Jarvis Kerr Lowell Mercer Norris Osborne Pratt "
    "Quinn Ramsey Sutton Thorne Upton Vaughn Weaver Yates Abbott Brennan Castillo Delgado Eriksen "
    "Fontaine Gallo Haddad Ivanov Jansen Kowalski Lindqvist Moreau Nakamura Okafor Petrov Rossi "
    "Sandoval Takeda Ueda Vargas Weiss Yamada Zeller Ashby Blythe Corbett Drummond Eastman Fairfax "
    "Granger Holt Keating Langley Merritt Newcomb Oakes Pickett Rowland Sinclair Tate Underhill "
    "Winslow Birch Crane Dale Flint Glover Hale Kemp Lamb Nash"
).split()

_TOWN_STARTS = "North West Mill Ash Oak Stone Red Green Kings River Win Hart Lang Brook".split()
_TOWN_ENDS = "field ton ford bridge wood bury dale".split()
TOWNS = [start + end for end in _TOWN_ENDS for start in _TOWN_STARTS if start[-1] != end[0]]

PET_NAMES = (
    "Rex Bruno Daisy Max Ginger Molly Shadow Bella Lucky Rusty Sandy Pepper Misty Hazel Buddy "
    "Smoky Patch Duke Toby Nutmeg Biscuit Clover Bandit Juno Pippin Tansy Bramble Mopsy"
).split()
#: Pets whose name tells the gender by the story's own convention.
PET_GENDERS = {name: ("Masc", "Fem")[index % 2] for index, name in enumerate(PET_NAMES)}
