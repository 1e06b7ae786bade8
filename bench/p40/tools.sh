#!/usr/bin/env bash
# Prints where ptxas and nvdisasm are, to be evaluated by a shell: those of $PTXAS and $NVDISASM, or else from PyPI wheels,
# fetched once into build/cuda: ptxas of CUDA 12.9, the last that knows the Tesla P40 (sm_61), and a disassembler that reads
# what it writes. Exit code 3: there is neither PTXAS nor pip.
set -euo pipefail
cd "$(dirname "$0")/../.."
cache=${AVCU_CUDA_CACHE:-$PWD/build/cuda}
ptxas=${PTXAS:-$cache/nvidia/cuda_nvcc/bin/ptxas}
nvdisasm=${NVDISASM:-$cache/triton/backends/nvidia/bin/nvdisasm}
fetch() {
	python3 -m pip --version >/dev/null 2>&1 || {
		echo "ptxas is needed: name one of CUDA 11.8 to 12.9 in PTXAS, or install python3-pip so that it can be fetched" >&2
		exit 3
	}
	mkdir -p "$cache"
	python3 -m pip download -q --no-deps -d "$cache" "$1" >&2
	python3 -m zipfile -e "$cache"/$2 "$cache"
}
[ -f "$ptxas" ] || fetch nvidia-cuda-nvcc-cu12==12.9.86 'nvidia_cuda_nvcc_cu12-*.whl'
if [ -z "${P40_WITHOUT_SASS:-}" ]; then
	[ -f "$nvdisasm" ] || fetch triton==3.0.0 'triton-3.0.0-*.whl'
	chmod +x "$nvdisasm"
	echo "export NVDISASM='$nvdisasm'"
fi
chmod +x "$ptxas"
echo "export PTXAS='$ptxas'"
