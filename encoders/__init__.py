"""Encoders: frozen models that turn documents into layers of word vectors."""
