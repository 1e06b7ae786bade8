#!/bin/sh
# Compares the products of kernels/product and kernels/attention with oneDNN's dnnl_sgemm (Debian: libdnnl-dev). Arguments go
# to main.c, such as "-t 1 fc1".
set -e
cd "$(dirname "$0")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
${CC:-cc} -std=gnu17 -ffp-contract=off -O3 -fopenmp -Wall -Wextra -Wno-unused-parameter -o "$out/main" main.c product.c attention.c \
	../../kernels/product/product.c ../../kernels/attention/attention.c ../../engine/host/pool.c -ldnnl -lpthread -lm
"$out/main" "$@"
