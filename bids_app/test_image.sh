#!/usr/bin/env bash
# Build the image and run it as clusters do: read-only, without a network, as a user id that has no
# name. Simulated maps go through all three levels. Ends with 0 when everything is there.
#
#   bids_app/test_image.sh [options] WORK_FOLDER
#
#   -e ENGINE    docker, podman or buildah, with its global options in one word ("podman --runtime
#                runc"); docker by default. buildah has no read-only root and no network setting
#                under chroot isolation: its run shows less, and the script says so.
#   -b OPTIONS   options of the build, such as "--build-arg TORCH_INDEX=..."
#   -r OPTIONS   more options of each run, such as "--ulimit nofile=20000:20000"
#   -i IMAGE     test this image instead of building one
#   -n NUMBER    simulated participants (12)
#   -l MB        the size that the image must stay under (2000; 0 for no limit)
set -euo pipefail

engine=docker build_options="" run_options="" image="" participants=12 limit=2000
while getopts e:b:r:i:n:l: option; do
    case $option in
        e) engine=$OPTARG ;;
        b) build_options=$OPTARG ;;
        r) run_options=$OPTARG ;;
        i) image=$OPTARG ;;
        n) participants=$OPTARG ;;
        l) limit=$OPTARG ;;
        *) exit 64 ;;
    esac
done
shift $((OPTIND - 1))
work=$(realpath -m "${1:?name a folder to work in}")
root=$(cd "$(dirname "$0")/.." && pwd)
read -ra engine <<<"$engine"
read -ra build_options <<<"$build_options"
read -ra run_options <<<"$run_options"
user=54321:54321 # of no name in the image

step() {
    local started=$SECONDS
    printf '== %s\n' "$1"
    shift
    "$@"
    printf '== done in %s s\n' "$((SECONDS - started))"
}

build() {
    local command=(build)
    [ "${engine[0]##*/}" = buildah ] && command=(bud --layers)
    "${engine[@]}" "${command[@]}" "${build_options[@]}" -t "$image" "$root"
}

# in_image PROGRAM ARGUMENTS...: run it in the image, /bids and /out bound to the work folder
in_image() {
    local program=$1
    shift
    if [ "${engine[0]##*/}" = buildah ]; then
        "${engine[@]}" run --isolation chroot --user $user "${run_options[@]}" \
            --volume "$work/bids:/bids" --volume "$work/out:/out" "$container" -- \
            env HOME=/nonexistent "/opt/fmridecode/bin/$program" "$@"
        return
    fi
    "${engine[@]}" run --rm --read-only --tmpfs /tmp --network none --user $user \
        "${run_options[@]}" --entrypoint "/opt/fmridecode/bin/$program" \
        --volume "$work/bids:/bids" --volume "$work/out:/out" "$image" "$@"
}

# as_app ARGUMENTS...: through the image's own entry point, with the maps read-only
as_app() {
    if [ "${engine[0]##*/}" = buildah ]; then
        in_image fmridecode "$@"
        return
    fi
    "${engine[@]}" run --rm --read-only --tmpfs /tmp --network none --user $user \
        "${run_options[@]}" --volume "$work/bids:/bids:ro" --volume "$work/out:/out" "$image" "$@"
}

size_of() {
    local bytes
    if [ "${engine[0]##*/}" = buildah ]; then
        echo "size: $("${engine[@]}" images --format '{{.Size}}' "$image")"
        return
    fi
    bytes=$("${engine[@]}" image inspect --format '{{.Size}}' "$image")
    echo "size: $((bytes / 1000000)) MB"
    [ "$limit" = 0 ] || [ "$((bytes / 1000000))" -lt "$limit" ] ||
        { echo "the image is larger than $limit MB" >&2; exit 1; }
}

check() {
    local missing=0 path
    for path in dataset_description.json group.html group_desc-decoding_metrics.tsv \
        'models/*/fold-1/model.safetensors' sub-001.html 'sub-001/func/*_saliency.nii.gz'; do
        compgen -G "$work/out/$path" >/dev/null || { echo "missing: $path" >&2; missing=1; }
    done
    if find "$work/out" ! -user "${user%:*}" ! -path "$work/out" | grep .; then
        echo "these belong to another user" >&2
        missing=1
    fi
    grep '"Tag"' "$work/out/dataset_description.json"
    cat "$work/out/group_desc-decoding_metrics.tsv"
    return $missing
}

mkdir -p "$work/bids" "$work/out"
if [ "$(id -u)" = 0 ]; then
    chown $user "$work/bids" "$work/out"
else
    chmod 777 "$work/bids" "$work/out"
fi
if [ -z "$image" ]; then
    image=fmridecode:test
    step "build" build
fi
if [ "${engine[0]##*/}" = buildah ]; then
    container=$("${engine[@]}" from "$image")
    trap '"${engine[@]}" rm "$container" >/dev/null' EXIT
    echo "buildah: root is writable and the network is not cut; the other conditions hold"
fi
size_of
step "self-check" as_app --self-check
step "simulated maps" in_image fmridecode-tools simulate /bids/maps \
    --participants "$participants" --resolution 8
maps=(/bids/maps /out)
step "participant" as_app "${maps[@]}" participant --preset quick --group-column family
step "group" as_app "${maps[@]}" group --preset quick
step "results" check
