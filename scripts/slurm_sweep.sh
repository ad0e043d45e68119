#!/usr/bin/env bash
# Computes a study on a SLURM cluster; started again, it goes on where it stopped. Copy and change.
#
# usage: scripts/slurm_sweep.sh STUDY.toml DIR JOBS       JOBS jobs of one core each, as workers of dask (pip install 'cofire[cluster]')
#        scripts/slurm_sweep.sh --array STUDY.toml DIR    one task of a job array for each case; nothing but SLURM is needed
#
# DIR lies where all nodes see it; compiled kernels are kept once a node. TIME and MEMORY_GB say what a job may take; other options go into SBATCH_OPTIONS.
# Other schedulers: any array of tasks that run `cofire sweep STUDY.toml --out DIR --case INDEX`, from 0, does the same.
set -euo pipefail
time=${TIME:-04:00:00}
options=${SBATCH_OPTIONS:-}

count_of() { cofire sweep "$1" --dry-run --json | python -c "import json, sys; print(json.load(sys.stdin)['$2'])"; }
memory_GB() { echo "${MEMORY_GB:-$(($(count_of "$1" memory_bytes_per_process) / 1000000000 + 1))}"; }

if [ "${1:-}" = --array ]; then
    [ $# = 3 ] || { sed -n 2,8p "$0" >&2; exit 2; }
    study=$(realpath "$2") folder=$(realpath -m "$3")
    last=$(($(count_of "$study" cases) - 1))
    sbatch $options --array="0-$last" --time="$time" --mem="$(memory_GB "$study")G" --cpus-per-task=1 <<TASK
#!/usr/bin/env bash
export NUMBA_NUM_THREADS=1 OMP_NUM_THREADS=1 NUMBA_CACHE_DIR="/tmp/cofire-kernels-\$USER"
cofire sweep "$study" --out "$folder" --case "\$SLURM_ARRAY_TASK_ID"
TASK
    echo "when all tasks have ended: cofire status $folder && cofire report $folder"
    exit
fi

[ $# = 3 ] || { sed -n 2,8p "$0" >&2; exit 2; }
exec python - "$1" "$2" "$3" "$time" "$(memory_GB "$1")" "$options" <<'DRIVER'
import shlex
import sys
from pathlib import Path

from dask_jobqueue import SLURMCluster

from cofire.study.sweep import sweep

study, folder, jobs, time, memory_GB, options = sys.argv[1:]
prologue = ['export NUMBA_NUM_THREADS=1 OMP_NUM_THREADS=1 NUMBA_CACHE_DIR="/tmp/cofire-kernels-$USER"']
with SLURMCluster(
    cores=1, processes=1, memory=f"{memory_GB}GB", walltime=time, job_script_prologue=prologue,
    job_extra_directives=shlex.split(options),
) as cluster:
    cluster.scale(jobs=int(jobs))
    found = sweep(
        study, out=folder, scheduler=cluster.scheduler_address, resume=(Path(folder) / "study.json").is_file(), note=print
    )
print(f"{found.done} of {found.cases} cases finished, {len(found.failed)} failed: {found.folder}")
sys.exit(1 if found.failed else 0)
DRIVER
