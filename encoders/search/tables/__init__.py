"""Spaces whose every candidate has been trained by others, with their published results."""
