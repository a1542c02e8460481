"""The steps of one route, put in order and written down as one Python function.

Everything is decided when the App starts, so what runs for a request is what a person would have written by hand: calls, one after the
other, with their results in local variables. `kingpost routes explain` shows it.

Rule 1: hooks come first, in order; then the handler's providers, each after those it needs; then the handler.
Rule 2: what is `async def` runs on the loop. The `def` steps of a `def` handler run in one visit to one thread: what can run on the loop
before, does; what must run on the loop in between is waited for. The `def` steps of an `async def` handler run on a thread, neighbours in
one visit.
Rule 3: a function without generators, hooks after the handler and middleware returns the handler's value as it is.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Any, Literal

import msgspec

from kingpost import _native
from kingpost.app import running
from kingpost.app.lasting import Lasting
from kingpost.binding.plan import Argument, Binding
from kingpost.binding.signature import Signature
from kingpost.binding.sources import (
    MADE,
    Constant,
    FromProvider,
    TheBackground,
    TheRequest,
    TheResponse,
)
from kingpost.http.background import BackgroundTasks
from kingpost.injection.graph import Node, needed
from kingpost.injection.provider import Kind
from kingpost.types import HandlerKind

Colour = Literal["loop", "thread", "either"]

_numbers = count(1)


class Function(msgspec.Struct, frozen=True):
    """A function that a program calls.

    Attributes:
        function: as it is called.
        signature: for messages.
        arguments: where its parameters come from.
        kind: `async` where its call must be awaited.
        inline: a promise that a `def` never blocks.
    """

    function: Callable[..., Any]
    signature: Signature
    arguments: tuple[Argument, ...]
    kind: Kind
    inline: bool = False

    @property
    def colour(self) -> Colour:
        if self.kind in ("async", "asyncgen"):
            return "loop"
        return "either" if self.inline else "thread"


class Step(msgspec.Struct, frozen=True):
    """One call.

    Attributes:
        role: what is done with its value.
        call: what is called.
        node: the provider's, where it is one.
    """

    role: Literal["provide", "before", "handle", "after"]
    call: Function
    node: Node | None = None


class Parts(msgspec.Struct, frozen=True):
    """What a program is made of.

    Attributes:
        handler: the route's.
        before: hooks whose value, where it is not None, is the answer.
        after: hooks that see the response.
        respond: makes the response of a value of the handler's.
        respond_early: makes the response of a value of a hook's.
        caught: the response to an exception; a coroutine function.
        caught_here: the same on a worker thread.
        threads: where `def` steps run.
        responds: whether middleware wants a response, and never an exception.
        background: runs what was added to BackgroundTasks; it is given them and the response.
        lasting: the values that were made at start.
        form: receives the form that the handler, or a provider of its, asks for; None where nobody does.
    """

    handler: Function
    before: Sequence[Function]
    after: Sequence[Function]
    respond: Callable[[Any], Any]
    respond_early: Callable[[Any], Any]
    caught: Callable[..., Any]
    caught_here: Callable[..., Any]
    threads: running.Threads
    responds: bool
    background: Callable[..., Any]
    lasting: Lasting
    form: Node | None


class Program(msgspec.Struct, frozen=True):
    """A function of the request, and how it is called.

    Attributes:
        responds: whether it returns a response, and not the handler's value.
        source: as it was written.
    """

    function: Callable[..., Any]
    kind: HandlerKind
    responds: bool
    source: str


def step_of(node: Node) -> Step:
    provider = node.provider
    call = Function(
        provider.function, provider.signature, node.arguments, provider.kind, provider.inline
    )
    return Step("provide", call, node)


def blocks_of(parts: Parts) -> list[list[Step]]:
    """The steps up to the handler, each hook and the handler behind what it needs and nobody before it needed."""
    made: set[tuple[Any, ...]] = set()
    blocks: list[list[Step]] = []
    last = ("handle", parts.handler)
    for role, call in [*(("before", hook) for hook in parts.before), last]:
        arguments = list(call.arguments)
        if role == "handle":
            # What hooks behind the handler need is made before it: they must not fail for want of it.
            arguments += [argument for hook in parts.after for argument in hook.arguments]
        block: list[Step] = []
        for node in needed(arguments):
            if node.key not in made:
                made.add(node.key)
                block.append(step_of(node))
        if role == "handle" and parts.form is not None:
            # The last thing before the handler: whoever may not be here is told so before the body is read.
            block.append(step_of(parts.form))
        blocks.append([*block, Step("before" if role == "before" else "handle", call)])
    return blocks


def compile_program(parts: Parts, name: str) -> Program:
    """Write a program.

    Args:
        parts: what it is made of.
        name: of the function, as a traceback shows it.
    """
    blocks = blocks_of(parts)
    steps = [step for block in blocks for step in block]
    after = [Step("after", hook) for hook in parts.after]
    colours = {step.call.colour for step in (*steps, *after)}
    if "loop" not in colours and parts.handler.colour == "thread":
        kind: HandlerKind = "thread"
    elif colours == {"either"} and not (parts.responds or after):
        kind = "inline"
    else:
        kind = "async"
    writer = Writer(parts, is_async=kind == "async")
    if kind == "async" and parts.handler.colour == "thread":
        steps = one_visit(blocks)
    writer.write(steps, after)
    return writer.compiled(name, kind)


def one_visit(blocks: list[list[Step]]) -> list[Step]:
    """The steps of a `def` handler: within a block, what needs no thread first, so that the visit begins as late as it can."""
    order: list[Step] = []
    for block in blocks:
        *providers, last = block
        late: set[tuple[Any, ...]] = set()
        early_steps: list[Step] = []
        late_steps: list[Step] = []
        for step in providers:
            assert step.node is not None  # noqa: S101 - for the type checkers: these are the providers
            needs_thread = step.call.colour == "thread" or any(
                isinstance(argument.source, FromProvider) and argument.source.node.key in late
                for argument in step.call.arguments
            )
            if needs_thread:
                late.add(step.node.key)
            (late_steps if needs_thread else early_steps).append(step)
        order += [*early_steps, *late_steps, last]
    return order


class Writer:
    """Writes one program down."""

    def __init__(self, parts: Parts, *, is_async: bool) -> None:
        self.parts = parts
        self.is_async = is_async
        self.lines: list[str] = []
        self.depth = 1
        self.names: dict[str, Any] = {
            "begin": running.begin,
            "begin_async": running.begin_async,
            "finish": running.finish,
            "finish_async": running.finish_async,
            "unwind": running.unwind,
            "unwind_async": running.unwind_async,
            "on_loop": running.on_loop,
            "in_thread": parts.threads.call,
            "respond": parts.respond,
            "respond_early": parts.respond_early,
            "caught": parts.caught,
            "caught_here": parts.caught_here,
            "BackgroundTasks": BackgroundTasks,
            "run_afterwards": parts.background,
            "lasting": parts.lasting.values,
        }
        self.slots: dict[tuple[Any, ...], str] = {}
        self.visit = 0
        self.reads = 0
        self.responds = False

    def line(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    # -- the whole

    def write(self, steps: Sequence[Step], after: Sequence[Step]) -> None:
        has_generators = any(is_generator(step) for step in steps)
        has_background = any(
            isinstance(argument.source, TheBackground)
            for step in (*steps, *after)
            for argument in step.call.arguments
        )
        is_early = any(step.role == "before" for step in steps)
        wants_response = (
            self.parts.responds or has_generators or bool(after) or is_early or has_background
        )
        if has_background:
            self.line("background = BackgroundTasks()")
        self.responds = wants_response
        if not wants_response:
            self.steps(steps, "return ")
            return
        if self.parts.responds or after:
            self.line("try:")
            self.depth += 1
            self.guarded(steps, has_generators=has_generators, is_early=is_early)
            self.depth -= 1
            self.line("except Exception as error:")
            caught = "await caught" if self.is_async else "caught_here"
            self.line(f"    response = {caught}(request, error)")
            if has_background:
                self.line("    background = None")
        else:
            self.guarded(steps, has_generators=has_generators, is_early=is_early)
        if after:
            self.afterwards(after)
        if has_background:
            self.line("if background:")
            self.line("    run_afterwards(background, response)")
        self.line("return response")

    def guarded(self, steps: Sequence[Step], *, has_generators: bool, is_early: bool) -> None:
        if has_generators:
            self.line("made = []")
            self.line("try:")
            self.depth += 1
        if is_early:
            self.line("while True:")
            self.depth += 1
        self.steps(steps, "value = ")
        self.line("response = respond(value)")
        if is_early:
            self.line("break")
            self.depth -= 1
        suffix, await_ = ("_async", "await ") if self.is_async else ("", "")
        if has_generators:
            self.depth -= 1
            self.line("except BaseException as error:")
            self.line(f"    {await_}unwind{suffix}(made, error)")
            self.line("    raise")
            self.line(f"{await_}finish{suffix}(made, response)")

    def afterwards(self, after: Sequence[Step]) -> None:
        groups = grouped(after) if self.is_async else [(False, list(after))]
        for is_visit, group in groups:
            if is_visit:
                self.line(f"def visit{self.visit}(response):")
                self.depth += 1
            for step in group:
                self.line(
                    f"value = {self.call(step.call, in_thread=is_visit or not self.is_async)}"
                )
                self.line("if value is not None:")
                self.line("    response = respond_early(value)")
            if is_visit:
                self.line("return response")
                self.depth -= 1
                self.line(f"response = await in_thread(lambda: visit{self.visit}(response))")
                self.visit += 1

    # -- steps

    @property
    def home(self) -> Colour:
        return self.parts.handler.colour

    def steps(self, steps: Sequence[Step], assign: str) -> None:
        """Write calls; the last is the handler's, whose value is `assign`ed."""
        if not self.is_async:
            for step in steps:
                self.step(step, assign, in_thread=True)
            return
        if self.home == "thread":
            at = next(
                (i for i, step in enumerate(steps) if step.call.colour == "thread"), len(steps)
            )
            for step in steps[:at]:
                self.step(step, assign, in_thread=False)
            self.one_visit(steps[at:], assign)
            return
        for is_visit, group in grouped(steps):
            if is_visit:
                self.group_visit(group)
            else:
                for step in group:
                    self.step(step, assign, in_thread=False)

    def one_visit(self, steps: Sequence[Step], assign: str) -> None:
        """The rest of a `def` handler's steps, on its thread; what they made is finished there as well."""
        is_early = any(step.role == "before" for step in steps)
        has_generators = any(is_generator(step) for step in steps)
        self.line(f"def visit{self.visit}():")
        self.depth += 1
        if has_generators:
            self.line("made = []")
            self.line("try:")
            self.depth += 1
        result = "value = " if has_generators else "return None, " if is_early else "return "
        for step in steps:
            self.step(step, result, in_thread=True, in_visit=True)
        if has_generators:
            self.line("response = respond(value)")
            self.depth -= 1
            self.line("except BaseException as error:")
            self.line("    unwind(made, error)")
            self.line("    raise")
            self.line("finish(made, response)")
            self.line("return None, response" if is_early else "return response")
        self.depth -= 1
        call = f"await in_thread(visit{self.visit})"
        self.visit += 1
        if is_early:
            self.line(f"early, value = {call}")
            self.early()
            if assign == "return ":
                self.line("return value")
        else:
            self.line(f"{assign}{call}")

    def early(self) -> None:
        """Leave the steps where a hook has answered."""
        self.line("if early is not None:")
        self.line("    response = respond_early(early)")
        self.line("    break")

    def group_visit(self, steps: Sequence[Step]) -> None:
        """Neighbouring `def` steps of an `async def` handler, in one visit."""
        results = [self.slot(step.node) for step in steps if step.node is not None]
        self.line(f"def visit{self.visit}():")
        self.depth += 1
        for step in steps:
            self.step(step, "", in_thread=True, in_visit=True)
        tail = "".join(f"{name}, " for name in results)
        is_early = any(step.role == "before" for step in steps)
        self.line(f"return None, ({tail})" if is_early else f"return ({tail})")
        self.depth -= 1
        call = f"await in_thread(visit{self.visit})"
        self.visit += 1
        if is_early:
            self.line(f"early, results = {call}")
            self.early()
            if results:
                self.line(f"({tail}) = results")
        elif results:
            self.line(f"({tail}) = {call}")
        else:
            self.line(call)

    def step(self, step: Step, assign: str, *, in_thread: bool, in_visit: bool = False) -> None:
        call = self.call(step.call, in_thread=in_thread)
        if step.role == "before":
            self.line(f"early = {call}")
            if in_visit:
                self.line("if early is not None:")
                self.line("    return early, None")
            else:
                self.early()
        elif step.node is not None:
            self.line(f"{self.slot(step.node)} = {call}")
        else:
            self.line(f"{assign}{call}")

    def call(self, call: Function, *, in_thread: bool) -> str:
        """The expression of a call; what it reads from the request is read in lines before it."""
        arguments = self.arguments(call)
        name = self.name_of(call.function, call.signature.name)
        made = f"{name}({', '.join(arguments)})"
        if call.kind == "generator":
            return f"begin({made}, made)"
        if call.kind == "def":
            return made
        if not in_thread:
            return f"await {made}" if call.kind == "async" else f"await begin_async({made}, made)"
        if call.kind == "asyncgen":
            return f"on_loop(begin_async, {made}, made)"
        return f"on_loop(lambda: {made})"

    def arguments(self, call: Function) -> list[str]:
        read = tuple(argument for argument in call.arguments if not is_given(argument))
        values: dict[str, str] = {}
        if read:
            plain = tuple(Argument(argument.name, None, argument.source) for argument in read)
            binding = Binding(call.signature, plain)
            binder = self.name_of(_native.Binder(binding.binders, binding.slow), "bind")
            self.reads += 1
            names = [f"a{self.reads}_{argument.name}" for argument in read]
            self.line(f"{''.join(f'{name}, ' for name in names)}= {binder}(request)")
            values = {argument.name: name for argument, name in zip(read, names, strict=True)}
        found: list[str] = []
        for argument in call.arguments:
            value = values.get(argument.name) or self.given(argument)
            found.append(value if argument.keyword is None else f"{argument.keyword}={value}")
        return found

    def given(self, argument: Argument) -> str:
        source = argument.source
        if isinstance(source, TheRequest):
            return "request"
        if isinstance(source, FromProvider):
            if source.node.provider.scope == "app":
                return f"lasting[{self.parts.lasting.slot(source.node)}]"
            return self.slot(source.node)
        if isinstance(source, TheBackground):
            return "background"
        if isinstance(source, TheResponse):
            return "response"
        if isinstance(source, Constant):
            return self.name_of(source.value, argument.name)
        raise AssertionError(source)

    def slot(self, node: Node) -> str:
        return self.slots.setdefault(node.key, f"v{len(self.slots) + 1}_{identifier(node.name)}")

    def name_of(self, value: object, name: str) -> str:
        """A global name for a value."""
        base = identifier(name)
        for number in count():
            candidate = base if number == 0 else f"{base}_{number}"
            is_free = candidate not in RESERVED and not LOCAL.match(candidate)
            if is_free and self.names.setdefault(candidate, value) is value:
                return candidate
        raise AssertionError(name)

    def compiled(self, name: str, kind: HandlerKind) -> Program:
        prefix = "async " if kind == "async" else ""
        source = "\n".join([f"{prefix}def program(request):", *self.lines, ""])
        file = f"<kingpost program {next(_numbers)}: {name}>"
        # A traceback that goes through it shows its lines.
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        exec(compile(source, file, "exec"), self.names)  # noqa: S102 - written above, from names that are identifiers
        return Program(self.names["program"], kind, self.responds, source)


LOCAL = re.compile(r"[av][0-9]+_|visit[0-9]+$")
"""What programs call their own variables."""

RESERVED = frozenset(
    (
        "program",
        "request",
        "response",
        "lasting",
        "made",
        "value",
        "early",
        "error",
        "results",
        "background",
    )
)


def grouped(steps: Sequence[Step]) -> Iterable[tuple[bool, list[Step]]]:
    """Neighbours of one colour: (whether they need a thread, the steps)."""
    group: list[Step] = []
    is_visit = False
    for step in steps:
        needs_thread = step.call.colour == "thread"
        if step.call.colour == "either":
            needs_thread = is_visit and step.role != "handle"
        if group and needs_thread is not is_visit:
            yield is_visit, group
            group = []
        is_visit = needs_thread
        group.append(step)
    if group:
        yield is_visit, group


def is_generator(step: Step) -> bool:
    return step.call.kind in ("generator", "asyncgen")


def is_given(argument: Argument) -> bool:
    return isinstance(argument.source, (*MADE, TheRequest, Constant))


def identifier(name: str) -> str:
    plain = "".join(
        character if character.isalnum() or character == "_" else "_" for character in name
    )
    return plain if plain.isidentifier() else f"f_{plain}"
