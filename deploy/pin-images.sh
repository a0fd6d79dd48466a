#!/bin/sh
# Pins the images of compose.yaml and of the Dockerfile by their digests: sh deploy/pin-images.sh It asks the
# registry through Docker's client, without a daemon. It changes nothing unless it finds all digests.
set -eu
cd "$(dirname "$0")/.."

images=$(
  sed -n 's/^ *image: *\([^ @]*\).*/\1/p' deploy/compose.yaml
  sed -n 's/^ARG NODE_IMAGE=\([^ @]*\).*/\1/p' Dockerfile
)
edits=
for image in $images; do
  digest=$(docker buildx imagetools inspect "$image" --format '{{.Manifest.Digest}}')
  if ! printf '%s\n' "$digest" | grep -Eqx 'sha256:[0-9a-f]{64}'; then
    echo "No digest of $image: docker said \"$digest\"." >&2
    exit 1
  fi
  echo "$image@$digest"
  edits="$edits
s|\(image: *\)$image\(@[^ ]*\)\{0,1\}\$|\1$image@$digest|
s|\(ARG NODE_IMAGE=\)$image\(@[^ ]*\)\{0,1\}\$|\1$image@$digest|"
done
for file in deploy/compose.yaml Dockerfile; do
  sed "$edits" "$file" >"$file.pinned"
  mv "$file.pinned" "$file"
done
