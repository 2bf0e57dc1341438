"""Opens a page in headless Chromium, and says when its cases could be seen and used."""

from __future__ import annotations

import dataclasses
import functools
import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

WATCH = """(() => {
  const ready = () => { try { return %s; } catch { return false; } };
  const timer = setInterval(() => {
    if (document.body && ready()) { window.__usable = performance.now(); clearInterval(timer); }
  }, 5);
})();"""
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Milliseconds from the start of the navigation to the first text and to the cases.

    `cpu` is what all processes of the browser used until then, in milliseconds too: on a machine that others use it is
    the steadier figure, though two cores may work at once. `heap_mb` is the script's.
    """

    first_paint: float | None
    usable: float
    cpu: float
    search: float | None
    heap_mb: float


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A web server on `folder`, for pages that do not open from disk."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        """Files, and parts of them: a viewer that asks for a range should not be sent the whole log."""

        def log_message(self, *_: Any) -> None:
            return

        def do_GET(self) -> None:
            path = Path(self.translate_path(self.path))
            asked = self.headers.get("Range", "")
            if not asked.startswith("bytes=") or not path.is_file():
                super().do_GET()
                return
            size = path.stat().st_size
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start = int(first) if first else max(size - int(last), 0)
            end = min(int(last), size - 1) if last and first else size - 1
            with path.open("rb") as file:
                file.seek(start)
                content = file.read(end - start + 1)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{end}/{size}")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


def opened(url: str, usable: str, *, search: str = "", timeout: float = 240) -> Opened:
    """Open `url` in a new browser. `usable` and `search` are scripts: whether the cases are there, and one that
    searches once and gives the milliseconds it took.
    """
    from playwright.sync_api import sync_playwright

    path = os.environ.get("EVALKIT_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--headless=new", "--no-sandbox"])
        try:
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            context.set_default_timeout(timeout * 1000)
            page = context.new_page()
            page.add_init_script(WATCH % usable)
            before = _cpu()
            page.goto(url, wait_until="commit", timeout=timeout * 1000)
            found = None
            for _ in range(int(timeout * 20)):
                found = page.evaluate("window.__usable ?? null")
                if found is not None:
                    break
                page.wait_for_timeout(50)
            used = _cpu() - before
            if found is None:
                raise TimeoutError(f"{url} was not usable after {timeout:.0f} s")
            took = page.evaluate(search) if search else None
            paint = page.evaluate(PAINT)
            heap = page.evaluate("performance.memory.usedJSHeapSize")
            return Opened(first_paint=paint, usable=found, cpu=used, search=took, heap_mb=heap / 1e6)
        finally:
            browser.close()


def _cpu() -> float:
    """Milliseconds of CPU of all processes below this one that still run; 0 where the system does not say."""
    parents: dict[int, int] = {}
    spent: dict[int, int] = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            told = (place / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        parents[int(place.name)] = int(told[1])
        spent[int(place.name)] = int(told[11]) + int(told[12])
    mine = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in mine} - mine:
        mine |= more
    ticks = sum(spent.get(pid, 0) for pid in mine - {os.getpid()})
    return 1000 * ticks / os.sysconf("SC_CLK_TCK")
