"""Reply templates: Jinja2 in its sandbox over facts, with visible blanks for what was not sent.

A draft never carries raw template text, `None` or an invented value: a missing fact is 〔its name〕 and is listed.
"""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateRuntimeError, Undefined, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS as DEFAULT_FILTERS
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from knowledge.blanks import DELIMITERS, Known, Missing, Rendering, wrap
from knowledge.errors import InvalidTemplate
from knowledge.fact_paths import TEMPLATE_FACTS, unknown_name
from knowledge.formats import FactWriter

FACT_FILTERS = ("date", "time", "when", "moment", "left", "ago", "span", "money", "several", "masked")  # each a method of `FactWriter`
_RUNAWAY_CHARS = 5_000
_LINE_ENDS = re.compile(r"\r\n|\r")  # as Jinja reads them
_RENDERING = "_rendering"  # no template can name it: names are checked when compiled


@dataclass(frozen=True, slots=True)
class Rendered:
    """A filled text, the facts it lacked (dotted paths, in order of appearance), and what was written in the place of facts and calculations."""

    text: str
    missing: tuple[str, ...]
    written: tuple[str, ...] = field(default=(), compare=False)


def _written(name: str) -> Callable[..., Any]:
    """A filter that writes a fact the shop's way; a missing fact stays a blank."""

    def write(context: Context, value: Any) -> Any:
        if isinstance(value, Missing | Undefined):
            return value
        try:
            return getattr(context[_RENDERING].writer, name)(value)
        except (AttributeError, TypeError, ArithmeticError, LookupError) as error:
            raise TemplateRuntimeError(f"{name} cannot write a {type(value).__name__}") from error

    return pass_context(write)


def _tail(value: Any, n: int = 4) -> Any:
    """The last `n` characters, as in «尾号 0001»."""
    return value if isinstance(value, Missing) else str(value)[-n:]


def _unless_missing(function: Callable[..., Any]) -> Callable[..., Any]:
    """Jinja's own filter, kept from turning a missing fact into a value such as 0."""

    def apply(value: Any, *args: Any, **kwargs: Any) -> Any:
        return value if isinstance(value, Missing) else function(value, *args, **kwargs)

    return apply


def _default(value: Any, fallback: Any = "", boolean: bool = False) -> Any:
    """The writer of the reply chose what stands when the fact is missing; `boolean` as in Jinja: empty and false count as missing."""
    return fallback if isinstance(value, Missing) or (boolean and not value) else value


def _defined(value: Any) -> bool:
    """A fact that was not sent is not defined."""
    return not isinstance(value, Missing | Undefined)


@pass_context
def _finalize(context: Context, value: Any) -> str:
    if isinstance(value, Missing | Known | Undefined):
        return str(value)
    rendering: Rendering = context[_RENDERING]
    rendering.written.append(rendering.writer.plain(value))
    return rendering.written[-1]


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, in which a few characters cannot make gigabytes either."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Gives the product of numbers."""
        if operator == "**" or isinstance(left, str | list | tuple) or isinstance(right, str | list | tuple):
            raise SecurityError(f"{operator} is for two numbers" if operator == "*" else f"{operator} is not allowed")
        return super().call_binop(context, operator, left, right)


def _environment() -> _Sandbox:
    """One environment for all templates; filters read the writer of the rendering they run in."""
    environment = _Sandbox(autoescape=False, undefined=StrictUndefined, finalize=_finalize)
    environment.globals.clear()
    plain = {name: _unless_missing(DEFAULT_FILTERS[name]) for name in ("length", "lower", "upper", "round", "int")}
    facts = {name: _written(name) for name in FACT_FILTERS}
    environment.filters = plain | facts | {"tail": _tail, "default": _default}
    environment.tests |= {"defined": _defined, "undefined": lambda value: not _defined(value)}
    return environment


_ENVIRONMENT = _environment()


class ReplyTemplate:
    """One compiled part of a reply."""

    def __init__(self, source: str) -> None:
        """Compiles the template.

        Raises:
            InvalidTemplate: it does not parse, names a fact, filter or test that does not exist, or would print template code.
        """
        self.source = source
        self._only_words: str | None
        if "{" not in source:  # most parts are plain words: Jinja's parser would take a hundred times as long to find nothing
            self._only_words = _LINE_ENDS.sub("\n", source).strip()
            _check_stray(self._only_words, source)
            return
        try:
            tree = _ENVIRONMENT.parse(source)
            _check_names(tree, source)
            _check_parts(tree, source)
            self._only_words = _only_words(tree)
            self._template = _ENVIRONMENT.from_string(tree)
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            raise InvalidTemplate(source, f"does not parse: {error}") from error

    def render(self, facts: Mapping[str, Any], *, store: Mapping[str, Any], writer: FactWriter, language: str) -> Rendered:
        """Gives the text filled from the facts alone.

        Raises:
            InvalidTemplate: the facts make it fail, such as money written as a date, or it writes without end.
        """
        if self._only_words is not None:  # most parts: nothing to fill
            return Rendered(self._only_words, ())
        rendering = Rendering(writer=writer, language=language)
        context = {name: wrap(value, name, rendering) for name, value in {**facts, "store": store}.items()}
        try:
            text = _bounded(self._template.generate({**context, _RENDERING: rendering}))
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            raise InvalidTemplate(self.source, f"cannot be filled: {error}") from error
        return Rendered(text.strip(), tuple(rendering.missing), tuple(rendering.written))


@lru_cache(maxsize=16_384)
def compile_template(source: str) -> ReplyTemplate:
    """Gives the template of the source; equal sources share one."""
    return ReplyTemplate(source)


def parse_template(source: str) -> nodes.Template:
    """Gives the tree of a template's source, for looking at what it does without running it."""
    return _ENVIRONMENT.parse(source)


def _bounded(pieces: Iterator[str]) -> str:
    written: list[str] = []
    n_chars = 0
    for piece in pieces:
        written.append(piece)
        n_chars += len(piece)
        if n_chars > _RUNAWAY_CHARS:
            raise ValueError(f"writes more than {_RUNAWAY_CHARS} characters")
    return "".join(written)


def _only_words(tree: nodes.Template) -> str | None:
    """The words of a template that has nothing to fill or to decide; None of any other."""
    pieces = [piece for node in tree.body for piece in (node.nodes if isinstance(node, nodes.Output) else [node])]
    words = [piece.data for piece in pieces if isinstance(piece, nodes.TemplateData)]
    return "".join(words).strip() if len(words) == len(pieces) else None


def _check_names(tree: nodes.Template, source: str) -> None:
    """Every dotted name must be a fact, the shop's or one the template itself sets."""
    own = {name.name for name in tree.find_all(nodes.Name) if name.ctx in ("store", "param")}
    inner = {id(node.node) for node in tree.find_all(nodes.Getattr)}
    for node in tree.find_all((nodes.Getattr, nodes.Name)):
        path = dotted_path(node)
        if path is None or id(node) in inner or path[0] in own:
            continue
        reason = unknown_name(path, TEMPLATE_FACTS)
        if reason is not None:
            raise InvalidTemplate(source, reason)


def _check_parts(tree: nodes.Template, source: str) -> None:
    """Filters and tests must exist (Jinja looks only when it runs those inside an `if`), and no text may look like template code."""
    for kind, known_names in ((nodes.Filter, _ENVIRONMENT.filters), (nodes.Test, _ENVIRONMENT.tests)):
        for node in tree.find_all(kind):
            if node.name not in known_names:
                near = difflib.get_close_matches(node.name, list(known_names), n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(sorted(known_names))}"
                raise InvalidTemplate(source, f"uses the {kind.__name__.lower()} {node.name!r}; {hint}")
    if any(tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends))):
        raise InvalidTemplate(source, "takes from another template; expected the words themselves")
    words = [node.data for node in tree.find_all(nodes.TemplateData)] + [str(node.value) for node in tree.find_all(nodes.Const)]
    for text in words:
        _check_stray(text, source)


def _check_stray(text: str, source: str) -> None:
    stray = DELIMITERS.search(text)
    if stray is not None:
        raise InvalidTemplate(source, f"would show {stray.group()!r} to the customer; expected {{{{ and }}}} in pairs")


def dotted_path(node: nodes.Node) -> list[str] | None:
    """`order.items[0].title` → its names without positions; None when it starts from something else."""
    if isinstance(node, nodes.Name):
        return [node.name]
    if isinstance(node, nodes.Getitem):
        return dotted_path(node.node)
    if isinstance(node, nodes.Getattr):
        above = dotted_path(node.node)
        return None if above is None else [*above, node.attr]
    return None


_CODE = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)


def literal_words(source: str) -> str:
    """Gives a template's own words, without its code: what can be searched before any order is known."""
    return _CODE.sub("", source)


@lru_cache(maxsize=16_384)
def spoken_words(source: str) -> str:
    """Gives a template's own words with those that its code may say: `{{ '3天' if order.is_shipped else '5天' }}`."""
    if "{" not in source:
        return source
    said = [str(node.value) for node in parse_template(source).find_all(nodes.Const) if isinstance(node.value, str)]
    return "\n".join([_CODE.sub("\n", source), *said])
