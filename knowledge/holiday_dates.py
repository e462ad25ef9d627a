"""Public holidays by country and day, from the `holidays` library: no calendar of ours that somebody must keep."""

from datetime import date
from functools import lru_cache

import holidays

_LANGUAGES = {"zh-CN": "zh_CN", "zh-TW": "zh_TW", "en": "en_US"}


def has_holidays(country: str) -> bool:
    """Whether the library knows the country, by its two letters."""
    return country in holidays.list_supported_countries()


def holiday_on(day: date, *, country: str, language: str) -> str:
    """Gives the name of the day's holiday in the shop's language, such as 国庆节; empty on any other day, and for no country."""
    return _of_year(country, language, day.year).get(day, "") if country else ""


@lru_cache(maxsize=64)
def _of_year(country: str, language: str, year: int) -> dict[date, str]:
    """Made whole at once: the library's own objects grow while they are read, which several threads must not do."""
    wanted = _LANGUAGES[language]
    offered = getattr(holidays, country).supported_languages
    return dict(holidays.country_holidays(country, years=year, language=wanted if wanted in offered else None).items())
