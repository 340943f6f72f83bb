"""What do people expect of their fleet? How long things take on it, and what goes wrong how often: as a file, read and settled."""
