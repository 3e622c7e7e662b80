#!/usr/bin/env bash
# Packs a shop's folder beside the manifests, as kustomization.yaml expects it. Usage: deploy/kubernetes/pack.sh SHOP
# The same files give the same bytes, so that pods are replaced only where something has changed. The folder itself
# is not packed: who unpacks it may not change the one it goes to.
set -euo pipefail
shop=${1:?usage: deploy/kubernetes/pack.sh SHOP}
[ -f "$shop/tintype.toml" ] || { echo "error: $shop has no tintype.toml: it is no shop's folder" >&2; exit 2; }
packed=${2:-$(cd "$(dirname "$0")" && pwd)/shop.tar.gz}
find "$shop" -mindepth 1 -maxdepth 1 ! -name data ! -name .data -printf '%P\0' | sort --zero-terminated |
    tar --create --sort=name --mtime=@0 --mode=u=rwX,go=rX --owner=0 --group=0 --numeric-owner \
        --directory "$shop" --null --files-from=- | gzip --no-name --best >"$packed.new"
mv "$packed.new" "$packed"
size=$(stat -c %s "$packed")
[ "$size" -le 1000000 ] || { echo "error: $packed has $size bytes; a config map holds 1 MB at most" >&2; exit 2; }
echo "$packed: $size bytes"
