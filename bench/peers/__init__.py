"""What people would use instead, doing the same work on the same fleets, and held to the same answers.

Each module says in `CANNOT` what it leaves out: the table prints it, so that nobody takes a ratio for more than it is.
"""
