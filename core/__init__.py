"""The ground floor: types, errors, files, names and provenance. It knows no other part."""
