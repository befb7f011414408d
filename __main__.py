"""``python -m layerwise`` is the command ``probe``."""

from .suite.cli import main

if __name__ == "__main__":
    main()
