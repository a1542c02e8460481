"""The steps of one route, put in order and written down as one Python function.

Everything is decided when the App starts, so what runs for a request is what a person would have written by hand: calls, one after the
other, with their results in local variables. `kingpost routes explain` shows it.

Rule 1: hooks come first, in order; then the handler's providers, each after those it needs; then the handler.
Rule 2: what is `async def` runs on the loop. The `def` steps of a `def` handler run in one visit to one thread: what can run on the loop
before, does; what must run on the loop in between is waited for. The `def` steps of an `async def` handler run on a thread, neighbours in
one visit.
Rule 3: providers that yield are finished when the response is made and before hooks and middleware see it; so a hook behind the handler may
not ask for what such a provider makes.
Rule 4: a function without generators, hooks after the handler and middleware returns the handler's value as it is.
"""

from __future__ import annotations

import builtins
import keyword
import linecache
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import count
from typing import Any, Final, Literal

import msgspec

from kingpost import _native
from kingpost.app import generators
from kingpost.app.answers import hook_answers
from kingpost.app.background import keep_background, open_background
from kingpost.app.calls import TimeLimit
from kingpost.app.connections import THE_REQUEST, Connections
from kingpost.app.crossing import Threads, on_loop
from kingpost.app.lasting import Lasting
from kingpost.app.streams import read_on_threads
from kingpost.binding.fields import is_of_form
from kingpost.binding.plan import Argument, Binding
from kingpost.binding.signature import Signature
from kingpost.binding.sources import (
    Constant,
    FromBody,
    FromProvider,
    Made,
    TheBackground,
    TheError,
    TheRequest,
    TheResponse,
)
from kingpost.http.before_body import is_before_body
from kingpost.injection.graph import Node, needed
from kingpost.injection.provider import Kind
from kingpost.types import HandlerKind

Colour = Literal["loop", "thread", "either"]

MISSING: Final = object()
"""What stands in a variable whose value was not made, because something before it has failed."""


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
        caught: the response to an exception; a coroutine function.
        caught_here: the same on a worker thread.
        threads: where `def` steps run.
        responds: whether middleware wants a response, and never an exception.
        reserve: keeps room for what was added to BackgroundTasks, or raises.
        lasting: the values that were made at start.
        form: receives the form that the handler, or a provider of its, asks for; None where nobody does.
        body: receives the body behind what needs none; None where it is there before the first step.
        takes_error: whether the handler answers for an error, which the program is called with beside the request.
        timeout: seconds that all that is made for the handler, and the handler, may take; not what the client takes to send its body.
        connections: the values that are made for a connection; None where there is none.
    """

    handler: Function
    before: Sequence[Function]
    after: Sequence[Function]
    respond: Callable[[Any, Any], Any]
    caught: Callable[..., Any]
    caught_here: Callable[..., Any]
    threads: Threads
    responds: bool
    reserve: Callable[..., Any]
    lasting: Lasting
    form: Node | None = None
    body: Node | None = None
    takes_error: bool = False
    timeout: float | None = None
    connections: Connections | None = None

    @property
    def receives(self) -> bool:
        """Whether a step waits for the client."""
        return self.form is not None or self.body is not None


class Program(msgspec.Struct, frozen=True):
    """A function of the request, and how it is called.

    Attributes:
        responds: whether it returns a response, and not the handler's value.
        has_background: whether something may be left to do behind the answer.
        source: as it was written.
    """

    function: Callable[..., Any]
    kind: HandlerKind
    responds: bool
    has_background: bool
    source: str


def step_of(node: Node, connections: Connections | None = None) -> Step:
    provider = node.provider
    if provider.scope == "connection" and connections is not None:
        function, kind = connections.step(node)
        return Step("provide", Function(function, provider.signature, THE_REQUEST, kind), node)
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
                block.append(step_of(node, parts.connections))
        blocks.append([*block, Step("before" if role == "before" else "handle", call)])
    if parts.form is not None:
        put_form(blocks, step_of(parts.form))
    if parts.body is not None:
        put_body(blocks, step_of(parts.body))
    return blocks


def put_form(blocks: list[list[Step]], form: Step) -> None:
    """Receive the form right before whoever reads it first: whoever may not be here is told so before the body is read."""
    for block in blocks:
        for at, step in enumerate(block):
            if any(is_of_form(argument.source) for argument in step.call.arguments):
                block.insert(at, form)
                return
    blocks[-1].insert(-1, form)


def put_body(blocks: list[list[Step]], body: Step) -> None:
    """Receive the body behind all that needs none and may refuse the request.

    What only holds something, for those behind it, is made afterwards: a client may take its time.
    """
    for block in blocks:
        *providers, last = block
        early = early_steps(providers)
        if len(early) == len(providers) and last.role == "before" and needs_no_body(last.call):
            continue
        late = [step for step in providers if step not in early]
        block[:] = [*early, body, *late, last]
        return


def early_steps(providers: Sequence[Step]) -> list[Step]:
    """Of the providers of a block those that need no body, and do not only hold something."""
    free: dict[tuple[Any, ...], Step] = {}
    late: set[tuple[Any, ...]] = set()
    for step in providers:
        if needs_no_body(step.call) and not late.intersection(keys_needed(step)):
            free[key_of(step)] = step
        else:
            late.add(key_of(step))
    wanted = {key for key, step in free.items() if not is_generator(step)}
    for key, step in reversed(free.items()):
        if key in wanted:
            wanted.update(keys_needed(step))
    return [step for key, step in free.items() if key in wanted]


def key_of(step: Step) -> tuple[Any, ...]:
    assert step.node is not None  # noqa: S101 - for the type checkers: it is a provider's
    return step.node.key


def keys_needed(step: Step) -> set[tuple[Any, ...]]:
    return {
        argument.source.node.key
        for argument in step.call.arguments
        if isinstance(argument.source, FromProvider)
    }


def needs_no_body(call: Function) -> bool:
    """Whether a call reads no body, and could not: whoever has the request can read request.body."""
    named = {parameter.name for parameter in call.signature.parameters}
    sources = [argument.source for argument in call.arguments if argument.name in named]
    if any(isinstance(source, FromBody) or is_of_form(source) for source in sources):
        return False
    return is_before_body(call.function) or not any(
        isinstance(source, TheRequest) for source in sources
    )


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
    elif colours == {"either"} and not parts.responds:
        kind = "inline"
    else:
        kind = "async"
    writer = Writer(parts, is_async=kind == "async")
    if kind == "async" and parts.handler.colour == "thread" and not parts.receives:
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
        ends = generators.Generators(parts.threads)
        self.names: dict[str, Any] = {
            "begin": generators.begin,
            "begin_async": generators.begin_async,
            "finish": ends.finish,
            "finish_async": ends.finish_async,
            "unwind": ends.unwind,
            "unwind_async": ends.unwind_async,
            "on_loop": on_loop,
            "in_thread": parts.threads.call,
            "aside": parts.threads.aside,
            "read_on_threads": read_on_threads,
            "respond": parts.respond,
            "caught": parts.caught,
            "caught_here": parts.caught_here,
            "open_background": open_background,
            "reserve_background": parts.reserve,
            "keep_background": keep_background,
            "lasting": parts.lasting.values,
            "missing": MISSING,
        }
        if parts.timeout is not None:
            self.names["time_limit"] = partial(TimeLimit, parts.timeout)
        self.slots: dict[tuple[Any, ...], str] = {}
        self.visits = 0
        self.reads = 0
        self.responds = False
        self.has_background = False

    def line(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    # -- the whole

    def write(self, steps: Sequence[Step], after: Sequence[Step]) -> None:
        self.has_background = any(
            isinstance(argument.source, TheBackground)
            for step in (*steps, *after)
            for argument in step.call.arguments
        )
        self.responds = bool(
            self.parts.responds
            or after
            or self.has_background
            or any(is_generator(step) or step.role == "before" for step in steps)
            # What such a handler streams is not to be read on the loop.
            or (self.is_async and self.home == "thread")
        )
        if self.has_background:
            self.line("background = open_background(request)")
        if not self.responds:
            self.begin_limit()
            self.steps(steps, "return ")
            return
        for name in sorted(
            {self.slot(node) for step in after for node in needed(step.call.arguments)}
        ):
            self.line(f"{name} = missing")
        is_guarded = self.parts.responds or bool(after)
        if is_guarded:
            self.line("try:")
            self.depth += 1
        depth = self.depth
        self.begin_limit()
        self.made(steps)
        self.depth = depth
        if is_guarded:
            self.depth -= 1
            self.line("except Exception as error:")
            caught = "await caught" if self.is_async else "caught_here"
            self.line(f"    response = {caught}(request, error)")
        self.afterwards(after)
        self.line("return response")

    def begin_limit(self) -> None:
        if self.parts.timeout is not None:
            self.line("async with time_limit() as limit:")
            self.depth += 1

    def made(self, steps: Sequence[Step], *, in_visit: bool = False) -> None:
        """Write calls, and what becomes of the handler's value: a response, with what was made for it finished."""
        on_loop = self.is_async and not in_visit
        own = steps[: self.last_visit(steps)] if on_loop else steps
        has_generators = any(is_generator(step) for step in own)
        is_early = any(step.role == "before" for step in own)
        if has_generators:
            self.line("made = []")
            self.line("try:")
            self.depth += 1
        if is_early:
            self.line("while True:")
            self.depth += 1
        self.steps(steps, "value = ", in_visit=in_visit)
        self.line("response = respond(request, value)")
        if is_early:
            self.line("break")
            self.depth -= 1
        if self.has_background:
            self.line("reserve_background(background)")
        if has_generators:
            suffix, await_ = ("_async", "await ") if on_loop else ("", "")
            self.depth -= 1
            self.line("except BaseException as error:")
            self.line(f"    {await_}unwind{suffix}(made, error)")
            self.line("    raise")
            self.line(f"{await_}finish{suffix}(made, response)")
        if on_loop and self.home == "thread":
            self.line("response = read_on_threads(response, aside)")
        if self.has_background and not in_visit:
            self.line("keep_background(background)")

    def afterwards(self, after: Sequence[Step]) -> None:
        groups = grouped(after) if self.is_async else [(False, list(after))]
        for is_visit, group in groups:
            if is_visit:
                self.line(f"def visit{self.visits}(response):")
                self.depth += 1
            for step in group:
                self.after(step, in_thread=is_visit or not self.is_async)
            if is_visit:
                self.line("return response")
                self.depth -= 1
                self.line(f"response = await in_thread(lambda: visit{self.visits}(response))")
                self.visits += 1

    def after(self, step: Step, *, in_thread: bool) -> None:
        """A hook behind the handler; where what it asks for was not made, it is not called."""
        depth = self.depth
        names = sorted({self.slot(node) for node in needed(step.call.arguments)})
        if names:
            self.line(f"if missing not in ({''.join(f'{name}, ' for name in names)}):")
            self.depth += 1
        self.line(f"value = {self.call(step.call, in_thread=in_thread)}")
        self.line("if value is not None:")
        self.line(f"    response = {self.responder(step)}(value)")
        self.depth = depth

    # -- steps

    @property
    def home(self) -> Colour:
        return self.parts.handler.colour

    def last_visit(self, steps: Sequence[Step]) -> int:
        """Where the visit of a `def` handler begins: what is made in it is finished there as well."""
        if self.home != "thread":
            return len(steps)
        if self.parts.form is not None:
            # No thread waits for a client that sends its form slowly.
            return len(steps) - 1
        begin = 0
        if self.parts.body is not None:
            begin = next(at for at, step in enumerate(steps) if step.node is self.parts.body)
        return next(
            at for at, step in enumerate(steps) if at >= begin and step.call.colour == "thread"
        )

    def steps(self, steps: Sequence[Step], assign: str, *, in_visit: bool = False) -> None:
        """Write calls; the last is the handler's, whose value is `assign`ed."""
        if in_visit or not self.is_async:
            for step in steps:
                self.step(step, assign, in_thread=True)
            return
        call, at = "in_thread", self.last_visit(steps)
        for is_visit, group in grouped(steps[:at]):
            if is_visit:
                self.group_visit(group, call)
            else:
                for step in group:
                    self.step(step, assign, in_thread=False)
            if any(step.call.kind == "generator" for step in group):
                # From here on the request may hold what all worker threads wait for.
                call = "aside"
        if at < len(steps):
            self.one_visit(steps[at:], assign, call)

    def one_visit(self, steps: Sequence[Step], assign: str, call: str) -> None:
        """The rest of a `def` handler's steps, on its thread; what they made is finished there as well."""
        name = self.visit(steps)
        if any(is_generator(step) or step.role == "before" for step in steps):
            self.made(steps, in_visit=True)
            self.line("return response")
        else:
            self.steps(steps, "return ", in_visit=True)
        self.depth -= 1
        self.line(f"{assign}await {call}({name})")

    def group_visit(self, steps: Sequence[Step], call: str) -> None:
        """Neighbouring `def` steps of an `async def` handler, in one visit; a hook among them may answer."""
        name = self.visit(steps)
        for step in steps:
            if step.role != "before":
                self.step(step, "", in_thread=True)
                continue
            self.line(f"early = {self.call(step.call, in_thread=True)}")
            self.line("if early is not None:")
            self.line(f"    return {self.responder(step)}(early)")
        self.line("return None")
        self.depth -= 1
        if any(step.role == "before" for step in steps):
            self.line(f"response = await {call}({name})")
            self.line("if response is not None:")
            self.line("    break")
        else:
            self.line(f"await {call}({name})")

    def visit(self, steps: Sequence[Step]) -> str:
        """Begin a function that runs on a thread; what it makes is there for the steps behind it."""
        name = f"visit{self.visits}"
        self.visits += 1
        made = [self.slot(step.node) for step in steps if step.node is not None]
        if made:
            # Where it is made is not where it is used: the function around has to know of it.
            self.line(f"{' = '.join(made)} = missing")
        self.line(f"def {name}():")
        self.depth += 1
        if made:
            self.line(f"nonlocal {', '.join(made)}")
        return name

    def step(self, step: Step, assign: str, *, in_thread: bool) -> None:
        call = self.call(step.call, in_thread=in_thread)
        if step.role == "before":
            self.line(f"early = {call}")
            self.line("if early is not None:")
            self.line(f"    response = {self.responder(step)}(early)")
            self.line("    break")
        elif step.node is not None:
            is_timed = self.parts.timeout is not None
            is_client = step.node in (self.parts.form, self.parts.body)
            if is_timed and is_client:
                self.line("limit.pause()")
            self.line(f"{self.slot(step.node)} = {call}")
            if is_timed and is_client:
                self.line("limit.resume()")
        else:
            self.line(f"{assign}{call}")

    def responder(self, step: Step) -> str:
        """What makes a response of the value of a hook, which the handler's annotation says nothing of."""
        signature = step.call.signature
        answers = hook_answers(signature, self.parts.threads.aside)
        return self.name_of(answers.respond, f"respond_to_{signature.name}")

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
        own = OWN_VARIABLES.get(type(source))
        if own is not None:
            return own
        if isinstance(source, FromProvider):
            if source.node.provider.scope == "app":
                return f"lasting[{self.parts.lasting.slot(source.node)}]"
            return self.slot(source.node)
        if isinstance(source, Constant):
            return self.name_of(source.value, argument.name)
        raise AssertionError(source)

    def slot(self, node: Node) -> str:
        return self.slots.setdefault(node.key, f"v{len(self.slots) + 1}_{identifier(node.name)}")

    def name_of(self, value: object, name: str) -> str:
        """A global name for a value."""
        base = identifier(name)
        if LOCAL.match(base):
            base = f"f_{base}"
        for number in count():
            candidate = base if number == 0 else f"{base}_{number}"
            if candidate not in RESERVED and self.names.setdefault(candidate, value) is value:
                return candidate
        raise AssertionError(name)

    def compiled(self, name: str, kind: HandlerKind) -> Program:
        prefix = "async " if kind == "async" else ""
        taken = "request, failure" if self.parts.takes_error else "request"
        source = "\n".join([f"{prefix}def program({taken}):", *self.lines, ""])
        # The same program has the same name: an App that is compiled again and again leaves one behind.
        file = f"<kingpost program of {name}, {zlib.crc32(source.encode()):08x}>"
        # A traceback that goes through it shows its lines.
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        exec(compile(source, file, "exec"), self.names)  # noqa: S102 - written above, from names that are identifiers
        return Program(self.names["program"], kind, self.responds, self.has_background, source)


LOCAL = re.compile(r"[av][0-9]+_|visit[0-9]+$")
"""What programs call their own variables."""

OWN_VARIABLES: dict[type[Any], str] = {
    TheRequest: "request",
    TheBackground: "background",
    TheResponse: "response",
    TheError: "failure",
}
"""What they call what they are given, or begin with."""

RESERVED = frozenset(
    (
        *("program", "made", "value", "early", "error", "limit"),
        *OWN_VARIABLES.values(),
        *dir(builtins),
        "__builtins__",
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
    return isinstance(argument.source, Made | TheRequest | Constant)


def identifier(name: str) -> str:
    """A name as it may stand in source, in the form in which Python looks it up."""
    plain = "".join(
        character if f"_{character}".isidentifier() else "_"
        for character in unicodedata.normalize("NFKC", name)
    )
    return plain if plain.isidentifier() and not keyword.iskeyword(plain) else f"f_{plain}"
