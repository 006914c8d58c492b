"""A page in headless Chromium: what is where, as the browser lays it out."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

#: Measures what is shown, and leaves it in the document. Two boxes overlap by more than a pixel's part, or not.
_MEASURE = """
<script>
const seen = each => each.getClientRects().length > 0;
const box = each => each.getBoundingClientRect();
const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.8
  && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 0.8;
const pairs = (all, name) => all.flatMap((a, i) => all.slice(i + 1).filter(b => over(box(a), box(b)))
  .map(b => name(a) + ' / ' + name(b)));
const drawings = [...document.querySelectorAll('figure svg, .axis svg')].filter(seen);
const texts = svg => [...svg.querySelectorAll('text')];
const marks = svg => [...svg.querySelectorAll('g')].map(g => g.querySelector('.bar') || g);
const told = {
  width: innerWidth,
  scrolled: document.documentElement.scrollWidth,
  lanes: [...document.querySelectorAll('.lane')].map(lane =>
    ({name: lane.querySelector('h2').textContent, drawn: [...lane.querySelectorAll('svg')].filter(seen).length})),
  texts: drawings.flatMap(svg => pairs(texts(svg), each => each.textContent)),
  marks: drawings.flatMap(svg => pairs(marks(svg), each => each.closest('g').querySelector('title').textContent)),
  smallest: Math.min(...drawings.flatMap(texts).map(each => parseFloat(getComputedStyle(each).fontSize)
    * each.getScreenCTM().a)),
  outside: [...document.querySelectorAll('body *')].filter(seen).filter(each => box(each).right > innerWidth + 1)
    .map(each => each.tagName + ' ' + each.textContent.slice(0, 40)),
  body: parseFloat(getComputedStyle(document.body).fontSize),
  ground: getComputedStyle(document.body).backgroundColor,
  height: document.documentElement.scrollHeight,
};
const left = parent.document.createElement('pre');
left.id = 'measured';
left.textContent = JSON.stringify(told);
parent.document.body.append(left);
</script>
"""


@dataclass(frozen=True)
class Browser:
    """Chromium, and a folder for what it keeps."""

    program: str
    folder: Path

    @classmethod
    def found(cls, folder: Path) -> Browser:
        """The one of this machine; a test that needs it is skipped where there is none."""
        program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
        if program is None:
            pytest.skip("Chromium is not installed")
        return cls(program, folder)

    def measured(self, page: str, *, width: int, height: int, dark: bool = False, opened: bool = False) -> Any:
        """What the script above found in a page, shown in a window of a size; ``opened``: with all details."""
        file = self.folder / "page.html"
        shown = page.replace("<details>", "<details open>") if opened else page
        measuring = html.escape(shown.replace("</body>", f"{_MEASURE}</body>"))
        # In a frame of that size, because Chromium makes no window as narrow as a phone.
        frame = f'<iframe style="border: 0; width: {width}px; height: {height}px" srcdoc="{measuring}"></iframe>'
        file.write_text(f"<!DOCTYPE html><meta charset=utf-8><body>{frame}</body>", encoding="utf-8")
        run = subprocess.run(
            [
                self.program,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                f"--user-data-dir={self.folder / 'profile'}",
                f"--window-size={width + 100},{height + 100}",
                f"--blink-settings=preferredColorScheme={0 if dark else 1}",
                "--dump-dom",
                file.as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, "HOME": str(self.folder)},
        )
        found = re.search(r'<pre id="measured">(.*?)</pre>', run.stdout, re.DOTALL)
        assert found, f"Chromium showed nothing (exit code {run.returncode}):\n{run.stderr[-2000:]}"
        measured = json.loads(html.unescape(found[1]))
        assert measured["width"] == width
        return measured
