"""The look of our own pages: one column of text, system fonts, light and dark by the reader's choice, readable at 320 px."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root{--paper:#fbfaf8;--card:#fff;--ink:#1d2129;--soft:#5d6572;--line:#e3e0da;--accent:#b3261e;--tint:#fdeeec;--mark:#ffd9d4;--code:#f4f2ee;--link:#1f5fae}
@media(prefers-color-scheme:dark){:root{--paper:#14161a;--card:#1c1f25;--ink:#e7e8ea;--soft:#9aa2ae;--line:#30353d;--accent:#ff8a80;--tint:#2b1c1d;--mark:#6b2a2a;--code:#15181d;--link:#8ab8ff}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
main{max-width:44rem;margin:0 auto;padding:clamp(2rem,12vh,8rem) 1.25rem 3rem}
main.wide{max-width:66rem;padding-top:clamp(1.25rem,4vh,2.5rem)}
h1{font-size:clamp(1.5rem,4.5vw,2.1rem);line-height:1.2;margin:.15em 0 .5em;letter-spacing:-.01em}
h2{font-size:1.02rem;margin:2.2rem 0 .7rem}
p{margin:.6em 0}
a{color:var(--link)}
code,pre,kbd{font:13.5px/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
p code,li code,td code{background:var(--code);border:1px solid var(--line);border-radius:4px;padding:.05em .3em}
.status{color:var(--accent);font-weight:650;letter-spacing:.02em;margin:0}
.lead{font-size:1.1rem;margin-bottom:1.1rem}
.soft,footer{color:var(--soft);font-size:.9rem}
footer{margin-top:2.8rem;border-top:1px solid var(--line);padding-top:1rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;overflow:hidden;margin:0 0 .7rem}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;vertical-align:top;padding:.5rem .9rem;border-top:1px solid var(--line)}
td,th{overflow-wrap:break-word}
td code,.values td{overflow-wrap:anywhere}
tr:first-child>th,tr:first-child>td{border-top:0}
th{font-weight:550;color:var(--soft);width:12rem}
thead th{font-size:.82rem;width:auto}
.sent{margin:.15em 0 0;color:var(--soft)}
thead+tbody tr:first-child>td{border-top:1px solid var(--line)}
@media(max-width:34rem){.card tr{display:block;border-top:1px solid var(--line);padding:.5rem .9rem}.card tr:first-child,.card thead+tbody tr:first-child{border-top:0}.card th,.card td{display:block;width:auto;padding:0;border:0!important}.card thead{display:none}}
"""

TRACEBACK_STYLE: Final = """
.where{margin:.2em 0 1rem}
.message{white-space:pre-wrap;font-size:1.08rem;margin:.2em 0 .6em}
.note{background:var(--tint);border-left:3px solid var(--accent);border-radius:0 6px 6px 0;padding:.5rem .8rem;margin:.8rem 0;white-space:pre-wrap}
details.frame>summary{display:flex;flex-wrap:wrap;gap:.1rem .7rem;align-items:baseline;padding:.6rem .9rem;cursor:pointer;list-style:none}
details.frame>summary::-webkit-details-marker{display:none}
details.frame>summary::before{content:"▸";color:var(--soft);font-size:.8em;flex:none}
details.frame[open]>summary::before{content:"▾"}
details.frame[open]>summary{border-bottom:1px solid var(--line)}
summary:focus-visible,button:focus-visible,a:focus-visible{outline:2px solid var(--link);outline-offset:-2px}
summary .function{font-weight:600}
summary .file{color:var(--soft);font-size:.88rem}
.theirs>summary .function{font-weight:400;color:var(--soft)}
pre{margin:0;overflow-x:auto;background:var(--code);overflow-wrap:normal}
pre.source{padding:.5rem 0;min-width:100%}
pre.source span.row{display:block;padding:0 .9rem;width:max-content;min-width:100%}
pre.source .row.here{background:var(--tint)}
pre.source .number{display:inline-block;width:3.2em;color:var(--soft);user-select:none;-webkit-user-select:none;text-align:right;padding-right:1.1em}
pre.source .here .number{color:var(--accent);font-weight:700}
mark{background:var(--mark);color:inherit;box-shadow:inset 0 -2px var(--accent)}
.locals{border-top:1px solid var(--line)}
.locals>summary{padding:.45rem .9rem;cursor:pointer;color:var(--soft);font-size:.88rem}
.locals td code,.values td code{background:none;border:0;padding:0;white-space:pre-wrap}
.locals th,.values th{font:13.5px/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.unread{padding:0 .9rem}
.masked{color:var(--soft);font-style:italic}
pre.text{padding:.9rem;border:1px solid var(--line);border-radius:10px;max-height:32rem;overflow:auto}
details.calls{margin:1.6rem 0 .7rem}
details.calls>summary{cursor:pointer;color:var(--soft);margin-bottom:.7rem}
pre.wrap{white-space:pre-wrap;overflow-wrap:anywhere}
.bar{display:flex;justify-content:space-between;align-items:baseline;gap:1rem;margin:2.2rem 0 .7rem}
.bar h2{margin:0}
button{font:inherit;font-size:.85rem;color:var(--ink);background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.2rem .7rem;cursor:pointer}
@media(min-width:34rem){.methods{white-space:nowrap}}
.methods{font:600 12.5px/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;color:var(--soft)}
"""

COPY_SCRIPT: Final = (
    "document.getElementById('copy').onclick=function(e){navigator.clipboard.writeText(document.getElementById('text').textContent)"
    ".then(function(){e.target.textContent='Copied'})}"
)
"""Copying is the only thing that needs a script; without one the text can be selected."""
