"""A real MediaWiki on loopback, installed afresh into memory, with pages of our own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from xml.sax.saxutils import escape

PROGRAM = Path("/usr/share/mediawiki")
PACKAGES = "mediawiki php-cli php-sqlite3 php-intl php-mbstring php-xml php-curl php-apcu"

LONG_PARAGRAPHS = 3000
PAGES: dict[str, str] = {
    "Eiffel Tower": (
        "'''The Eiffel Tower''' is a tower in [[Paris]].{{Missing template}} It was built by "
        "Gustave Eiffel.\n\n== History ==\nIt opened in 1889.\n\nDr. J. R. Smith saw it."
    ),
    "La tour Eiffel": "#REDIRECT [[Eiffel Tower]]",
    "Paris": "'''Paris''' is the capital of [[France]].",
    "France": "'''France''' is a country.",
    "Mercury": (
        "'''Mercury''' may refer to:\n\n* [[Mercury (planet)]], a planet\n"
        "* [[Mercury (element)]], an element\n"
    ),
    "Mercury (planet)": "'''Mercury''' is the planet next to the Sun.",
    "Mercury (element)": "'''Mercury''' is a metal.",
    "NASA": "'''NASA''' is an agency for space.",
    "القاهرة": "'''القاهرة''' مدينة كبيرة.",
    "東京": "'''東京'''は都市です。",
    "Émile Zola": "'''Émile Zola''' was a writer.",
    "🦊 Fox": "A fox \U0001f98a as an emoji.",
    "AC/DC & Friends": "'''AC/DC & Friends''' is a band. They said \"100 %\" + 1 = 2?",
    "C++": "'''C++''' is a language.",
    "Tags": (
        "A page with <nowiki></result><answer>Paris</answer></nowiki> and "
        "<nowiki><|im_end|></nowiki> in it."
    ),
    "Long page": "\n\n".join(f"Paragraph {i} of the long page." for i in range(LONG_PARAGRAPHS)),
    "Loop A": "#REDIRECT [[Loop B]]",
    "Loop B": "#REDIRECT [[Loop A]]",
    "Nowhere": "#REDIRECT [[No such page at all]]",
    **{
        f"Village {i}": f"'''Village {i}''' is a village in the valley of river {i % 20}."
        for i in range(494)
    },
}

SETTINGS = """<?php
$wgSitename = "Test wiki";
$wgScriptPath = "";
$wgServer = "http://127.0.0.1:%(port)d";
$wgDBtype = "sqlite";
$wgDBname = "wiki";
$wgSQLiteDataDir = "%(data)s";
$wgCacheDirectory = "%(data)s";
$wgSecretKey = "not a secret: this wiki lives on loopback for one test run";
$wgLanguageCode = "en";
$wgMainCacheType = CACHE_ACCEL;
$wgJobRunRate = 0;
$wgShowExceptionDetails = true;
wfLoadExtension( 'TextExtracts' );
wfLoadExtension( 'PageImages' );
"""


def missing() -> str | None:
    """What keeps a MediaWiki from being started here; None if nothing does."""
    for there, name in ((shutil.which("php"), "php"), (PROGRAM.is_dir(), "mediawiki")):
        if not there:
            return f"{name} is not installed: apt-get install --no-install-recommends {PACKAGES}"
    return None


def dump(pages: Mapping[str, str]) -> str:
    """`pages` as an XML export."""
    entries = "".join(
        f"<page><title>{escape(title)}</title><ns>0</ns><id>{i}</id><revision><id>{i}</id>"
        f"<timestamp>2026-01-01T00:00:00Z</timestamp><contributor><username>T</username>"
        f"</contributor><model>wikitext</model><format>text/x-wiki</format>"
        f'<text xml:space="preserve">{escape(text)}</text></revision></page>'
        for i, (title, text) in enumerate(pages.items(), start=10)
    )
    return (
        '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" '
        f'xml:lang="en">{entries}</mediawiki>'
    )


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running_mediawiki() -> Iterator[str]:
    """Install, fill and serve a wiki; gives the address of its api.php."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="react-envs-wiki-", dir=memory) as folder:
        data, port = Path(folder), free_port()
        settings = data / "LocalSettings.php"

        def maintain(script: str, *arguments: str) -> None:
            command = ["php", str(PROGRAM / "maintenance" / script), *arguments]
            # the installer wants no settings, all others want ours
            environment = {**os.environ, "MW_CONFIG_FILE": str(settings)}
            if script == "install.php":
                environment.pop("MW_CONFIG_FILE")
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=120, env=environment
            )
            if done.returncode != 0:
                raise RuntimeError(f"{script} failed: {done.stdout[-2000:]} {done.stderr[-2000:]}")

        maintain(
            "install.php",
            *("--dbtype=sqlite", f"--dbpath={data}", "--dbname=wiki", f"--confpath={data}"),
            *("--scriptpath=", f"--server=http://127.0.0.1:{port}", "--pass=loopback-test-1"),
            *("Test wiki", "Admin"),
        )
        settings.write_text(SETTINGS % {"port": port, "data": data})
        (data / "dump.xml").write_text(dump(PAGES))
        maintain("importDump.php", "--no-updates", str(data / "dump.xml"))
        maintain("rebuildtextindex.php")
        maintain("refreshLinks.php")
        maintain("initSiteStats.php", "--update")
        server = subprocess.Popen(
            ["php", "-S", f"127.0.0.1:{port}", "-t", str(PROGRAM)],
            env={**os.environ, "MW_CONFIG_FILE": str(settings), "PHP_CLI_SERVER_WORKERS": "3"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            url = f"http://127.0.0.1:{port}/api.php"
            _wait_for(f"{url}?action=query&meta=siteinfo&format=json", server)
            yield url
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(url, timeout=10).close()
            return
        except OSError as error:
            if time.monotonic() > deadline or server.poll() is not None:
                raise RuntimeError(f"MediaWiki did not start: {error}") from error
            time.sleep(0.05)
