#!/bin/sh
# Compares kernels/product with oneDNN's dnnl_sgemm (Debian: libdnnl-dev). Arguments go to main.c, such as "-t 1 fc1".
set -e
cd "$(dirname "$0")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
${CC:-cc} -std=gnu17 -ffp-contract=off -O3 -fopenmp -Wall -Wextra -o "$out/main" main.c ../../kernels/product/product.c ../../engine/host/pool.c -ldnnl -lpthread -lm
"$out/main" "$@"
