#!/usr/bin/env python3
"""test_embed.py EMBED: word lists that break their rules stop the build, others come out sorted."""
import subprocess
import sys
import tempfile
from pathlib import Path

embed = sys.argv[1]
BAD = {
    "quotes": b'a"b\n', "backslash": b"a\\b\n", "not ASCII": "b\u00e9\n".encode(), "control": b"a\x01\n", "twice": b"a\na b\n",
    "nothing": b"# only a remark\n", "too long": b"a " + b"b" * 600 + b"\n", "too many": b"".join(b"w%d\n" % i for i in range(2001)),
}


def run(content):
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder) / "some-words.list", Path(folder) / "out.c"
        source.write_bytes(content)
        done = subprocess.run([sys.executable, embed, output, source], capture_output=True, text=True, timeout=60)
        return done.returncode, output.read_text() if output.exists() else None


for what, content in BAD.items():
    code, text = run(content)
    assert code != 0 and text is None, what
code, text = run(b"# remark\nbc  x   y # why\na-z\nab\n\n")
assert code == 0 and '"a-z",\n    "ab",\n    "bc x y",\n' in text and "list_some_words" in text, text
print("1..1\nok 1 - lists")
