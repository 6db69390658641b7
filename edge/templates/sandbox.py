"""The one place where templates of model files run: Jinja2's immutable sandbox, narrowed and metered.

The sandbox keeps templates from Python's internals but sets no limit on what they use. Here every loop item, call,
filter, operator and literal goes through a guard that a pass over the syntax tree puts in, and only the methods,
filters and functions that chat templates use exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

from jinja2 import TemplateError as JinjaTemplateError
from jinja2 import Undefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import BlockReference, Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from edge.templates.budget import BUDGET, OverBudget
from edge.templates.filters import template_filters, template_tests
from edge.templates.guards import METHODS, StringFormat, check_binop, check_method

__all__ = ["Environment"]

_LOOP_ATTRIBUTES = frozenset(
    "changed cycle depth depth0 first index index0 last length nextitem previtem revindex revindex0".split()
)
_CALL_STEPS = 4  # a call costs about this many loop items
_REFUSED = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


class _Meter(Extension):
    """The calls that the pass over the syntax tree puts in, and Hugging Face's `{% generation %}` tag."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> nodes.Node:
        """The tag marks what training looks at; rendering only writes its body."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("body"), [], [], body).set_lineno(line)

    def guard(self, name: str, arguments: Sequence[nodes.Node], line: int) -> nodes.Call:
        return self.call_method(name, [cast("nodes.Expr", argument) for argument in arguments], lineno=line)

    @staticmethod
    def body(caller: Callable[[], str]) -> str:
        return caller()

    @staticmethod
    def each(values: Iterable[Any]) -> Iterator[Any]:
        budget = BUDGET.get()
        for value in values:
            budget.burn()
            yield value

    @staticmethod
    def written(characters: int) -> None:
        BUDGET.get().emit(characters)

    @staticmethod
    def weighed(value: Any) -> Any:
        BUDGET.get().weigh(value)
        return value

    @staticmethod
    def joined(*values: object) -> str:
        budget = BUDGET.get()
        parts = [budget.string(value) for value in values]
        budget.text(sum(map(len, parts)))
        return "".join(parts)


class _MeterPass(NodeTransformer):
    """Puts the meter's calls into a syntax tree."""

    def __init__(self, meter: _Meter) -> None:
        self._meter = meter

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self.generic_visit(node)
        node.iter = self._meter.guard("each", [node.iter], node.lineno)
        return node

    def visit_Output(self, node: nodes.Output) -> list[nodes.Node]:
        self.generic_visit(node)
        constant = sum(len(child.data) for child in node.nodes if isinstance(child, nodes.TemplateData))
        if not constant:
            return [node]
        call = self._meter.guard("written", [nodes.Const(constant)], node.lineno)
        return [nodes.ExprStmt(call, lineno=node.lineno), node]

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return self._meter.guard("joined", node.nodes, node.lineno)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        self.generic_visit(node)
        node.expr = self._meter.guard("weighed", [node.expr], node.lineno)
        for operand in node.ops:
            operand.expr = self._meter.guard("weighed", [operand.expr], node.lineno)
        return node

    def visit_List(self, node: nodes.List) -> nodes.Node:
        self.generic_visit(node)
        return self._meter.guard("weighed", [node], node.lineno)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:
        self.generic_visit(node)
        return self._meter.guard("weighed", [node], node.lineno)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:
        self.generic_visit(node)
        return self._meter.guard("weighed", [node], node.lineno) if node.ctx == "load" else node

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        if isinstance(node, _REFUSED):
            raise SecurityError(f"line {node.lineno}: templates may not load other templates")
        return super().generic_visit(node, *args, **kwargs)


class Environment(ImmutableSandboxedEnvironment):
    """Renders as Hugging Face's chat templates do, within `BUDGET`."""

    intercepted_binops = frozenset(("+", "*", "**", "%"))

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,
            finalize=_finalize,
            extensions=[_Meter, "jinja2.ext.loopcontrols"],
            cache_size=0,
        )
        self.filters = template_filters()
        self.tests: Any = template_tests()
        self.globals = {
            "range": self.globals["range"],  # the sandbox's own, which is limited
            "dict": dict,
            "namespace": _Namespace,
            "raise_exception": _raise_exception,
        }
        meter = next(extension for extension in self.extensions.values() if isinstance(extension, _Meter))
        self._meter_pass = _MeterPass(meter)
        self._functions = frozenset(
            (id(self.globals["range"]), id(dict), id(_Namespace), id(_raise_exception))
            + tuple(id(getattr(_Meter, name)) for name in ("body", "each", "written", "weighed", "joined"))
        )

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        self._meter_pass.visit(tree)
        return tree

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if not super().is_safe_attribute(obj, attr, value):
            return False
        for kind, names in METHODS.items():
            if isinstance(obj, kind):
                return attr in names
        if isinstance(obj, LoopContext):
            return attr in _LOOP_ATTRIBUTES
        return isinstance(obj, (Namespace, Undefined))

    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
        # Jinja2 hands out a value that fails when it is used; nothing good reaches this point.
        raise SecurityError(f"a template may not use {attribute!r} of a value of type {type(obj).__name__}")

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, str) and attribute == "format":
            return StringFormat(obj, BUDGET.get)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, str) and argument == "format":
            return StringFormat(obj, BUDGET.get)
        return super().getitem(obj, argument)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        budget = BUDGET.get()
        check_binop(budget, operator, left, right)
        out = super().call_binop(context, operator, left, right)
        if not isinstance(out, (int, float)):
            budget.weigh(out)
        return out

    # The names keep clear of what templates may pass by keyword.
    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: B902, N805
        budget = BUDGET.get()
        budget.burn(_CALL_STEPS)
        owner = getattr(__obj, "__self__", None)
        if isinstance(__obj, LoopContext) and args:
            args = (_Meter.each(args[0]), *args[1:])
        elif isinstance(owner, tuple(METHODS)) and not isinstance(__obj, type):
            args = check_method(budget, owner, getattr(__obj, "__name__", ""), args, kwargs)
        elif isinstance(__obj, Undefined):
            pass  # raises what it is
        elif not (
            isinstance(__obj, (Macro, BlockReference, StringFormat))
            or isinstance(owner, LoopContext)
            or id(__obj) in __self._functions
            or getattr(__obj, "allowed_in_templates", False) is True
        ):
            raise SecurityError(f"a template may not call a value of type {type(__obj).__name__}")
        out = super().call(__context, __obj, *args, **kwargs)
        if type(out) in (dict, list, tuple):
            budget.weigh(out)
        return out


def _finalize(value: Any) -> Any:
    """Every value that is written goes through here. While a template is compiled there is no budget: the error makes
    Jinja2 leave constants for later."""
    budget = BUDGET.get()
    text = budget.string(value)
    budget.emit(len(text))
    return text


def _raise_exception(message: object) -> None:
    raise JinjaTemplateError(BUDGET.get().string(message))


class _Namespace(Namespace):
    """Has no text: namespaces hold each other, and what they hold is not weighed."""

    def __repr__(self) -> str:
        raise OverBudget("it writes a namespace, which has no text")
