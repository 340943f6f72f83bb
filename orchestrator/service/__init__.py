"""Everything a person can ask, once, for the command line and whatever else shows it."""
