#!/usr/bin/env bash
# Submit a whole analysis: train on a GPU node, then an array of participants, then the group.
#
#   singularity/slurm/submit.sh BIDS_DIR OUTPUT_DIR [options of fmridecode]
#
# Variables
#   FMRIDECODE_SIF      the image (fmridecode.sif)
#   FMRIDECODE_BINDS    more folders for the container, as of apptainer's -B: A:/a,B:/b
#   FMRIDECODE_COMMAND  a command to run instead of the image, such as one in an environment
#   PER_TASK            participants of one array task (4): loading the libraries takes seconds
#   AT_ONCE             tasks that run at once (32)
#   SBATCH_TRAIN, SBATCH_PARTICIPANT, SBATCH_GROUP
#                       options of sbatch, such as "--partition=gpu --gres=gpu:1 --time=12:00:00"
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
bids=$(realpath "${1:?BIDS_DIR is missing}")
out=$(realpath -m "${2:?OUTPUT_DIR is missing}")
shift 2
mkdir -p "$out/logs/slurm"
export FMRIDECODE_SIF=${FMRIDECODE_SIF:-fmridecode.sif}
export FMRIDECODE_SLURM=$here
export PER_TASK=${PER_TASK:-4}
if [ -z "${FMRIDECODE_COMMAND:-}" ]; then
    FMRIDECODE_SIF=$(realpath -e "$FMRIDECODE_SIF")
fi
read -ra train <<<"${SBATCH_TRAIN:-}"
read -ra participant <<<"${SBATCH_PARTICIPANT:-}"
read -ra group <<<"${SBATCH_GROUP:-}"

list=$out/logs/slurm/participants.txt
find -L "$bids" -maxdepth 3 -type d -name 'sub-*' -printf '%f\n' | sort -u >"$list"
people=$(wc -l <"$list")
[ "$people" -gt 0 ] || { echo "no sub-* folder is in $bids" >&2; exit 66; }
tasks=$(((people + PER_TASK - 1) / PER_TASK))

submit() { # submit LEVEL [options of sbatch...]: prints the job's number
    local level=$1
    shift
    sbatch --parsable --export=ALL --output="$out/logs/slurm/$level-%j.log" "$@" \
        "$here/$level.sbatch" "$bids" "$out" "${options[@]}" | cut -d';' -f1
}

options=("$@")
job=$(submit train "${train[@]}")
echo "train: job $job"
job=$(submit participant --dependency="afterok:$job" --array="1-$tasks%${AT_ONCE:-32}" \
    "${participant[@]}")
echo "participant: job $job, $tasks tasks, $people participants"
# afterany: a participant whose maps cannot be used must not keep the others from the group
job=$(submit group --dependency="afterany:$job" "${group[@]}")
echo "group: job $job"
echo "logs: $out/logs/slurm"
