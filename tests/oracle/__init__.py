"""Second implementations of the rules, written from their text alone."""
