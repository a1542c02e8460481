"""Every code of routing, binding and app can be explained."""

import re
from pathlib import Path

import kingpost
from kingpost.explain import codes

PACKAGE = Path(kingpost.__file__).parent
CODE = re.compile(
    r'"((?:routing|binding|injection|app|answer|request|handler|background)\.[a-z-]+)"'
)


def test_every_code_has_an_entry() -> None:
    written = {
        code
        for folder in ("routing", "binding", "injection", "app")
        for file in (PACKAGE / folder).rglob("*.py")
        for code in CODE.findall(file.read_text(encoding="utf-8"))
    }

    assert len(written) > 50
    assert written - set(codes()) == set()
