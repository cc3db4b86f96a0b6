# shellcheck shell=bash
# Sourced by the jobs: run fmridecode in the image, or the command of FMRIDECODE_COMMAND.

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# fmridecode_level LEVEL BIDS_DIR OUTPUT_DIR [options]: ends with fmridecode's code. A SIGTERM,
# which SLURM sends before the time is over, is passed on, so that the run can end in good order.
fmridecode_level() {
    local level=$1 bids=$2 out=$3 line gpu=() child code=0
    shift 3
    local resources=(--nprocs "${SLURM_CPUS_PER_TASK:-1}" --omp-nthreads "${SLURM_CPUS_PER_TASK:-1}")
    if [ -n "${FMRIDECODE_COMMAND:-}" ]; then
        read -ra line <<<"$FMRIDECODE_COMMAND"
        line+=("$bids" "$out" "$level")
    else
        if [ -n "${CUDA_VISIBLE_DEVICES:-}" ]; then
            gpu=(--nv)
        fi
        # --containall has a /tmp of some 64 MB; --workdir puts it on the node's disk
        line=(apptainer run "${gpu[@]}" --containall --no-home --workdir "$scratch")
        [ -z "${FMRIDECODE_BINDS:-}" ] || line+=(-B "$FMRIDECODE_BINDS")
        line+=(-B "$bids:/bids:ro" -B "$out:/out" "$FMRIDECODE_SIF" /bids /out "$level")
    fi
    "${line[@]}" "${resources[@]}" "$@" &
    child=$!
    trap 'kill -TERM "$child" 2>/dev/null || true' TERM
    wait "$child" || code=$?
    if kill -0 "$child" 2>/dev/null; then # it was the signal that ended the wait
        code=0
        wait "$child" || code=$?
    fi
    return "$code"
}
