"""An interpreter that plays recorded runs: whole examinations without a training.

`python script.py` reads the script's first line, `# plays NAME`, and writes sample_logs/NAME.jsonl where the probe
would have written it. Everything around it, processes, signals, reports and exit codes, is real. `# plays NAME moved`
plays the run of a script whose lines have all moved, `# plays NAME hangs` one that does not end by itself.
"""

import sys
from pathlib import Path

from tests.generated import ROOT

_PLAYER = """\
#!{python} -IS
import json, os, pathlib, re, sys, time
config = json.loads(os.environ["RNN_DOCTOR_PROBE"])
script = sys.argv[1]
plays, *more = re.match("# plays (.*)", pathlib.Path(script).read_text()).group(1).split()
print("ARGUMENTS", *sys.argv[2:], "THREADS", os.environ.get("OMP_NUM_THREADS"), flush=True)
if plays == "failure":
    print("Traceback: no data", flush=True)
    sys.exit(4)
lines = pathlib.Path({logs!r}, plays + ".jsonl").read_text().splitlines()
header = json.loads(lines[0]) | {{"script": script, "arguments": sys.argv[2:]}}
if "moved" in more:
    lines = [re.sub(r'"line": (\\d+)', lambda m: f'"line": {{int(m[1]) + 7}}', line) for line in lines]
end = [line for line in lines[1:] if '"record": "exit"' in line]
rest = [line for line in lines[1:] if line not in end]
with open(config["log"], "w") as log:
    log.write("\\n".join([json.dumps(header), *(rest[:-1] if "hangs" in more else rest)]) + "\\n")
if "hangs" in more:
    time.sleep(600)
"""


def write_player(folder: Path) -> Path:
    """The interpreter, in a folder."""
    path = folder / "player"
    path.write_text(_PLAYER.format(python=sys.executable, logs=str(ROOT / "sample_logs")), encoding="utf-8")
    path.chmod(0o755)
    return path
