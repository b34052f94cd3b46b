"""Two calendar months back, by the proleptic Gregorian calendar in UTC: plain integers, no clock (semantics 9)."""

from __future__ import annotations


def two_months_before(now: int) -> int:
    """Return the instant two calendar months before, by the proleptic Gregorian calendar in UTC.

    The day is cut to the month's length: two months before 30 April is 28 or 29 February.

    >>> two_months_before(5_097_600_000)  # 1970-03-01
    0
    """
    day, rest = divmod(now, 86_400_000)
    year, month, of_month = _civil(day)
    year, month = (year, month - 2) if month > 2 else (year - 1, month + 10)
    length = _days(year + month // 12, month % 12 + 1, 1) - _days(year, month, 1)
    return _days(year, month, min(of_month, length)) * 86_400_000 + rest


def _days(year: int, month: int, day: int) -> int:
    """Return the days from 1970-01-01 to that date; years begin in March, so that the leap day comes last."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def _civil(day: int) -> tuple[int, int, int]:
    """Return year, month and day of the month of a day counted from 1970-01-01."""
    era, of_era = divmod(day + 719_468, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1
