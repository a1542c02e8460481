"""The files of the page about deploying are what systemd and nginx read."""

from __future__ import annotations

import configparser
import shlex
import shutil
import subprocess
from pathlib import Path

from kingpost.cli.commands import reload, run
from tests.docs.markdown import ROOT, blocks_of
from tests.needs import need

FILES = {
    block.attributes["title"]: block.text
    for block in blocks_of(ROOT / "docs" / "howto" / "deploy.md")
    if "title" in block.attributes
}


def test_the_unit_starts_a_command_that_exists() -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their case
    unit.read_string(FILES["shop.service"])
    program, command, *arguments = shlex.split(unit["Service"]["ExecStart"])
    assert Path(program).name == "kingpost"
    assert command == run.name
    parsed = run.make_context("run", arguments).params
    assert (parsed["target"], parsed["uds"]) == ("app.py", "/run/shop/shop.sock")
    assert int(unit["Service"]["TimeoutStopSec"]) > parsed["grace"]
    program, command, *arguments = shlex.split(unit["Service"]["ExecReload"])
    assert command == reload.name
    told = reload.make_context("reload", arguments).params
    assert told["control"] == parsed["control"]


def test_nginx_takes_the_configuration(tmp_path: Path) -> None:
    nginx = need(shutil.which("nginx"), "nginx", remedy="apt-get install nginx, brew install nginx")
    (tmp_path / "shop.conf").write_text(FILES["shop.conf"], encoding="utf-8")
    main = f"pid {tmp_path}/pid; events {{}} http {{ include {tmp_path}/shop.conf; }}"
    (tmp_path / "nginx.conf").write_text(main, encoding="utf-8")
    command = [nginx, "-t", "-q", "-p", tmp_path, "-c", tmp_path / "nginx.conf"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - nginx, as it was found
    assert done.returncode == 0, done.stderr
