"""One rule bent at a time, and the scenarios that must notice: the library says something about each of the rules."""
