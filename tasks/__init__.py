"""Tasks: real and generated text with labelled words, spans and pairs."""
