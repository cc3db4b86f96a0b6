#!/usr/bin/env bash
# Build the wheel into a folder, install it in an empty environment and use it from there.
#
#   tests/wheel.sh FOLDER [vX.Y.Z]
#
# With a tag, the wheel must be of that version.
set -euo pipefail

mkdir -p "${1:?name a folder for the wheel}"
folder=$(realpath "$1")
tag=${2:-}
root=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"${PYTHON:-python3}" -m venv "$scratch/env"
bin=$scratch/env/bin
"$bin/python" -m pip install --quiet build
# a copy: setuptools leaves build folders in what it builds
mkdir "$scratch/source"
cp -r "$root"/{pyproject.toml,README.md,LICENSE,fmridecode} "$scratch/source"
"$bin/python" -m build --outdir "$scratch/dist" "$scratch/source" >"$scratch/build.log" ||
    { cat "$scratch/build.log" >&2; exit 1; }
cp "$scratch"/dist/* "$folder"
wheel=$(basename "$scratch"/dist/*.whl)
echo "built $wheel and $(basename "$scratch"/dist/*.tar.gz)"
version=$(cut -d- -f2 <<<"$wheel")
if [ -n "$tag" ] && [ "$tag" != "v$version" ]; then
    echo "the tag is $tag, but pyproject.toml says $version" >&2
    exit 1
fi

"${PYTHON:-python3}" -m venv --clear "$scratch/env"
"$bin/python" -m pip install --quiet "$folder/$wheel"
"$bin/python" -m pip check
cd "$scratch" # not where the source can be imported from
unset PYTHONPATH
"$bin/fmridecode" --version | grep -qx "fmridecode $version"
"$bin/fmridecode" --self-check
"$bin/fmridecode-tools" --help >/dev/null
"$bin/fmridecode-tools" simulate "$scratch/maps" --participants 9 --resolution 8 2>/dev/null
for level in participant group; do
    "$bin/fmridecode" "$scratch/maps" "$scratch/out" $level --preset quick --group-column family 2>"$scratch/log" ||
        { cat "$scratch/log" >&2; exit 1; }
done
[ -s "$scratch/out/group.html" ]
echo "fmridecode $version works from its wheel"
