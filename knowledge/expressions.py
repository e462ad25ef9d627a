"""Regular expressions in data files: compiled when read, so that a mistake is heard at start, not with a customer waiting."""

import re


def compiled(source: str) -> str:
    """Gives the expression back when it compiles; for validators.

    Raises:
        ValueError: it does not, and why.
    """
    try:
        re.compile(source)
    except re.error as error:
        raise ValueError(f"expected a regular expression; {error}") from error
    return source
