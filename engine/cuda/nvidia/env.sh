#!/usr/bin/env bash
# Prints what cgo needs to build with -tags cuda, to be evaluated by a shell: the folder of cuda.h, from $CUDA_HOME or else
# from the PyPI wheel of the CUDA runtime, fetched once into build/cuda; and a library to link against, made of the test
# driver, so that no driver is needed where the program is built. Symbols are looked up when they are first called (-z lazy): the
# binding refers to some that drivers before CUDA 12 lack, and that nothing calls. Exit code 3: there is neither CUDA_HOME nor pip.
set -euo pipefail
cd "$(dirname "$0")/../../.."
cache=${AVCU_CUDA_CACHE:-$PWD/build/cuda}
wheel=nvidia-cuda-runtime-cu12==12.9.79
mkdir -p "$cache"
exec 9>"$cache/lock" && flock 9 # tests of several packages come here at once
if [ -n "${CUDA_HOME:-}" ]; then
	include=$CUDA_HOME/include
else
	include=$cache/nvidia/cuda_runtime/include
	if [ ! -f "$include/cuda.h" ]; then
		python3 -m pip --version >/dev/null 2>&1 || {
			echo "cuda.h is needed: set CUDA_HOME to a CUDA toolkit (11.8 to 12.9), or install python3-pip so that the header can be fetched" >&2
			exit 3
		}
		python3 -m pip download -q --no-deps -d "$cache" "$wheel" >&2
		python3 -m zipfile -e "$cache"/nvidia_cuda_runtime_cu12-*.whl "$cache"
	fi
fi
mkdir -p "$cache/link"
driver=engine/cuda/nvidia/testdriver
if [ ! "$cache/link/libcuda.so.1" -nt $driver/libcuda.c ] || [ ! "$cache/link/libcuda.so.1" -nt $driver/unsupported.h ]; then
	${CC:-gcc} -O2 -std=gnu17 -Wall -Wextra -fPIC -shared -Wl,-soname,libcuda.so.1 -o "$cache/link/new" $driver/libcuda.c
	mv "$cache/link/new" "$cache/link/libcuda.so.1"
	ln -sf libcuda.so.1 "$cache/link/libcuda.so"
fi
echo "export CGO_CFLAGS='${CGO_CFLAGS:--O2 -g} -I$include' CGO_LDFLAGS='-L$cache/link -Wl,-z,lazy' AVCU_TESTDRIVER='$cache/link'"
