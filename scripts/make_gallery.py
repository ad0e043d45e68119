"""Draw every picture of docs/gallery anew: run the commands and lines that its page shows, in their order.

usage: python scripts/make_gallery.py [PICTURE.png ...]

Names of pictures refresh these alone; what they need is computed all the same.
"""

import re
import sys
import tempfile
import time
from contextlib import chdir
from pathlib import Path

from PIL import Image
from typer.testing import CliRunner

from cofire.cli import app

LARGEST_PX, LARGEST_BYTES = 900, 250_000
gallery = Path(__file__).resolve().parent.parent / "docs" / "gallery"
page = (gallery / "index.md").read_text(encoding="utf-8")
pictures = re.findall(r"!\[[^\]]*\]\(([\w-]+\.png)\)", page)
wanted = sys.argv[1:] or pictures
if unknown := set(wanted) - set(pictures):
    sys.exit(f"{', '.join(sorted(unknown))} is not in {gallery / 'index.md'}; allowed: {', '.join(pictures)}")

known: dict = {}
with tempfile.TemporaryDirectory() as scratch, chdir(scratch):
    for language, block in re.findall(r"```(sh|python)\n(.*?)```", page, flags=re.DOTALL):
        start = time.perf_counter()
        if language == "python":
            exec(compile(block, "index.md", "exec"), known)
        else:
            for line in block.replace("\\\n", " ").splitlines():
                ran = CliRunner().invoke(app, line.split()[1:], catch_exceptions=False)
                if ran.exit_code:
                    sys.exit(f"{line}\n{ran.output}")
        print(f"{time.perf_counter() - start:6.1f} s  {block.strip().splitlines()[-1][:90]}", flush=True)
    for name in wanted:
        with Image.open(name) as picture:
            small, edge = picture.convert("RGB"), LARGEST_PX
            small.thumbnail((edge, edge), Image.Resampling.LANCZOS)
            small.save(gallery / name, optimize=True)
            while (gallery / name).stat().st_size > LARGEST_BYTES:
                edge = round(0.9 * edge)
                small.thumbnail((edge, edge), Image.Resampling.LANCZOS)
                small.save(gallery / name, optimize=True)
print(f"{len(wanted)} pictures in {gallery}")
