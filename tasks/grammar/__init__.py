"""The built-in treebank: an English grammar that writes annotated stories offline.

From words to documents: ``inflection`` spells, ``words`` tags; ``nouns``, ``verbs``,
``modifiers`` and ``names`` list what there is, ``lexicon`` what is ambiguous. ``cast`` makes
entities and ``discourse`` remembers them; ``noun_phrases`` mentions them, ``events`` says what
happens to them, ``clauses`` and its helpers express it, ``sentences`` and ``speech`` round it
off. All of them build the trees of ``trees``; ``documents`` collects these and ``treebank``
writes them out as CoNLL-U.
"""
