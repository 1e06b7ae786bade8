#!/usr/bin/env bash
# Compiles kernels/NAME/NAME.cu to kernels/NAME/NAME.ptx, with its sources and their hash in its head; all kernels, or
# those named. By clang-19 without a CUDA SDK; NVCC=path takes nvcc (12.x) instead, NVRTC=folder the libnvrtc.so.12 there.
# OUT=folder puts the files there. A test finds PTX that is stale.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")"
flags='-O3 -std=c++17 --cuda-gpu-arch=sm_61 --cuda-feature=+ptx64 -ffp-contract=off'
for name in ${*:-$(ls -- */*.cu | cut -d/ -f1)}; do
	cu=$name/$name.cu ptx=$name/$name.ptx new=$(mktemp)
	[ -n "${OUT:-}" ] && ptx=$OUT/$name.ptx
	sources=$cu
	for i in 1 2 3; do # what is included, and what that includes
		for s in $sources; do
			sources+=" $(sed -n 's/^#include "\(.*\)"$/\1/p' "$s" | while read -r h; do realpath --relative-to=. "$(dirname "$s")/$h"; done)"
		done
		sources=$(printf '%s\n' $sources | sort -u | tr '\n' ' ')
	done
	sources=${sources% }
	if [ -n "${NVCC:-}" ]; then
		compiler="$("$NVCC" --version | grep release)"
		"$NVCC" -ptx -arch=compute_61 -O3 -std=c++17 -fmad=false "$cu" -o "$new"
	elif [ -n "${NVRTC:-}" ]; then
		compiler="NVRTC $(basename "$(readlink -f "$NVRTC/libnvrtc.so.12")")"
		LD_LIBRARY_PATH=$NVRTC python3 nvrtc.py "$cu" "$new"
	else
		clang=${CLANG:-clang++-19}
		compiler=$("$clang" --version | head -n 1)
		"$clang" -x cuda --cuda-device-only -nocudainc -nocudalib -fdeclspec $flags -S "$cu" -o "$new"
	fi
	{
		echo "// Made by kernels/compile.sh; do not edit."
		echo "// sources: $sources"
		echo "// sha256: $(cat $sources | sha256sum | cut -d' ' -f1)"
		echo "// compiler: $compiler"
		echo "// flags: $flags"
		cat "$new"
	} >"$ptx"
	rm "$new"
	echo "$ptx: $(grep -c '^\.visible \.entry' "$ptx") kernels"
done
