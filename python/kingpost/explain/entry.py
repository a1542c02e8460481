"""One entry of the catalogue, and its file format.

    # routing.conflict
    Two routes answer the same method and path, so one of them could never be reached.

    Further paragraphs, if there is more to say.

    ## Wrong
    ```python
    …a whole program…
    ```

    ## Right
    ```python
    …a whole program…
    ```

The first line is the code, the first paragraph one sentence. Both programs are run by the tests: the wrong one must end with this very code
and the right one with none. What no program says, how a server is started and where, is told by what is typed, in blocks of ```console.
"""

from __future__ import annotations

from typing import NamedTuple

_WRONG, _RIGHT = "\n## Wrong\n", "\n## Right\n"
_FENCES, _FENCE_END = ("```python\n", "```console\n"), "\n```"


class Entry(NamedTuple):
    """What a code means.

    Attributes:
        code: Such as "routing.conflict".
        sentence: What is wrong and which rule says so.
        prose: Further paragraphs in Markdown; "" when there are none.
        wrong: A program that ends with this code.
        right: The same program, mended.
    """

    code: str
    sentence: str
    prose: str
    wrong: str
    right: str

    @classmethod
    def parse(cls, text: str) -> Entry:
        """The entry that a file holds.

        Raises:
            ValueError: The file has another format; the message says what is missing.
        """
        head, _, programs = text.replace("\r\n", "\n").partition(_WRONG)
        wrong, _, right = programs.partition(_RIGHT)
        title, _, rest = head.strip().partition("\n")
        if not title.startswith("# "):
            raise ValueError("the first line is not '# ' and the code")
        sentence, _, prose = rest.strip().partition("\n\n")
        if not sentence:
            raise ValueError("there is no sentence below the code")
        return cls(
            title[2:].strip(),
            " ".join(sentence.split()),
            prose.strip(),
            _program(wrong, "Wrong"),
            _program(right, "Right"),
        )

    def text(self) -> str:
        """The entry as a terminal shows it."""
        parts = [self.code, self.sentence]
        if self.prose:
            parts.append(self.prose)
        parts += ["Wrong:\n\n" + _indented(self.wrong), "Right:\n\n" + _indented(self.right)]
        return "\n\n".join(parts) + "\n"


def _program(section: str, name: str) -> str:
    for fence in _FENCES:
        _, opened, rest = section.partition(fence)
        program, closed, _ = rest.partition(_FENCE_END)
        if opened and closed:
            return program + "\n"
    raise ValueError(
        f"below '## {name}' there is no block that begins with ```python or ```console"
    )


def _indented(program: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in program.rstrip("\n").split("\n"))
