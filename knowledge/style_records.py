"""How a shop speaks, as frozen records: what drafts open and close with, what they must not say."""

from typing import Annotated, Literal

from pydantic import Field

from knowledge.frozen import Record


class BannedPhrase(Record):
    """Words that a draft of this shop must not use."""

    phrase: Annotated[str, Field(min_length=1)]
    reason: str
    use_instead: str = ""
    exceptions: tuple[str, ...] = ()  # longer words in which the phrase may stand


class OtherWords(Record):
    """An apology of this shop's, and how it is said when it was made before in the conversation."""

    said: Annotated[str, Field(min_length=2)]
    instead: str = ""  # empty: left out


class Frame(Record):
    """What a draft opens or closes with, and for whom. The first of a shop's list that fits is used: never one at random."""

    text: Annotated[str, Field(min_length=1)]  # a template over the same facts as a reply's, and `promotion`
    when: str = ""  # a condition as a reply's; what is unknown does not fit
    holidays: tuple[str, ...] = ()  # only on these days, as `holidays` names them, such as 春节; "*" for any
    promotions: tuple[str, ...] = ()  # only while one of these of the calendar runs; "*" for any
    scenarios: tuple[str, ...] = ()  # only for these, or groups such as product; empty: all but chat, complaint and safety
    channels: tuple[str, ...] = ("im", "email")
    emotions: tuple[Literal["calm", "anxious", "upset", "angry"], ...] = ("calm",)


class Style(Record):
    """How the shop speaks; the rules that hold for every shop are in `knowledge/style`."""

    max_chars: Annotated[int, Field(gt=0)] = 300
    channel_max_chars: dict[str, Annotated[int, Field(gt=0)]] = Field(default_factory=dict)  # where it differs from the language's, such as sms = 140
    banned_phrases: tuple[BannedPhrase, ...] = ()
    allowed_phrases: tuple[str, ...] = ()  # names and words of this shop that no rule may mark
    own_sites: tuple[str, ...] = ()  # hosts that a link in a draft may lead to; everything below them too
    openings: tuple[Frame, ...] = ()
    closings: tuple[Frame, ...] = ()
    empathy: tuple[Frame, ...] = ()  # for the upset whose reply has none of its own
    apologies: tuple[OtherWords, ...] = ()  # not made twice in the same words, beside those of the language
    follow_script: bool = True  # a customer who writes Traditional Chinese is answered in it, and the other way round; nothing to an English shop
