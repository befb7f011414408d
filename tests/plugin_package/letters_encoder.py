"""An encoder of another package: a word is its letters, its context the letters beside it."""

import string

import numpy as np

from layerwise.encoders.base import fingerprint_of


class Letters:
    name = "letters"
    layer_names = ("letters", "letters and neighbours")
    dim = len(string.ascii_lowercase)
    parameters = 0
    final_norm = False
    fingerprint = fingerprint_of({}, "letters 1")

    def encode(self, documents):
        for document in documents:
            counts = [
                [word.lower().count(c) for c in string.ascii_lowercase] for word in document.words
            ]
            words = np.array(counts, dtype=np.float32)  # (words, dim)
            beside = np.zeros_like(words)
            beside[1:] += words[:-1]
            beside[:-1] += words[1:]
            yield np.stack([words, words + beside / 2])  # (layers, words, dim)


def letters(argument, options):
    return Letters()
