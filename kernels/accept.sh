#!/usr/bin/env bash
# Holds the kernels against NVIDIA's own compilers, without a GPU: ptxas must accept every PTX file for sm_61, sm_70, sm_80
# and sm_90, without spills for sm_61, and NVRTC must compile every .cu. Both are of CUDA 12.9: $PTXAS and the folder $NVRTC
# of libnvrtc.so.12, or fetched once into build/cuda.
set -euo pipefail
cd "$(dirname "$0")/.."
eval "$(P40_WITHOUT_SASS=1 bench/p40/tools.sh)"
cache=${AVCU_CUDA_CACHE:-$PWD/build/cuda}
nvrtc=${NVRTC:-$cache/nvidia/cuda_nvrtc/lib}
if [ ! -f "$nvrtc/libnvrtc.so.12" ]; then
	python3 -m pip download -q --no-deps -d "$cache" nvidia-cuda-nvrtc-cu12==12.9.86
	python3 -m zipfile -e "$cache"/nvidia_cuda_nvrtc_cu12-*.whl "$cache"
fi
out=$(mktemp)
trap 'rm -f "$out"' EXIT
failed=0
for ptx in kernels/*/*.ptx; do
	for arch in 61 70 80 90; do
		"$PTXAS" -arch=sm_$arch -v "$ptx" -o /dev/null >"$out" 2>&1 || { cat "$out" && failed=1; }
		if [ $arch = 61 ] && grep 'spill' "$out" | grep -v ' 0 bytes spill stores, 0 bytes spill loads'; then
			echo "$ptx spills on sm_61" && failed=1
		fi
	done
done
for cu in kernels/*/*.cu; do
	LD_LIBRARY_PATH=$nvrtc python3 kernels/nvrtc.py "$cu" /dev/null || { echo "NVRTC does not compile $cu" && failed=1; }
done
[ $failed = 0 ] && echo "$(ls kernels/*/*.ptx | wc -l) kernels' PTX is accepted for sm_61, 70, 80 and 90 without spills, and NVRTC compiles their sources"
exit $failed
