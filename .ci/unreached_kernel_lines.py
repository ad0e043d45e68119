"""Say which lines of kernels a run with NUMBA_DISABLE_JIT=1 under `coverage` never reached.

usage: python .ci/unreached_kernel_lines.py COVERAGE.json
"""

import ast
import json
import sys
from pathlib import Path

KERNELS = {"kernel", "parallel_kernel", "inline_kernel"}

kernels = called = lines = reached = 0
for name, file in sorted(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["files"].items()):
    executed, missing = set(file["executed_lines"]), set(file["missing_lines"])
    for node in ast.walk(ast.parse(Path(name).read_text(encoding="utf-8"))):
        decorators = {one.id for one in getattr(node, "decorator_list", []) if isinstance(one, ast.Name)}
        if not isinstance(node, ast.FunctionDef) or not decorators & KERNELS:
            continue
        body = set(range(node.body[0].lineno, (node.end_lineno or 0) + 1))
        kernels, called = kernels + 1, called + bool(body & executed)
        lines, reached = lines + len(body & (executed | missing)), reached + len(body & executed)
        if body & missing:
            where = f"lines {', '.join(map(str, sorted(body & missing)))}" if body & executed else "never called"
            sys.stdout.write(f"{name}:{node.lineno} {node.name}: {where}\n")
sys.stdout.write(f"kernels called: {called} of {kernels}; their lines reached: {reached} of {lines}\n")
