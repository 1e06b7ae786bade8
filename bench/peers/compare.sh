#!/usr/bin/env bash
# Trains the same model from the same weights on the same data in avcu and in PyTorch, and compares the loss of each step:
# 50 steps of a small shape to 1e-4 relative, 10 steps of the published shape to 1e-3. Needs python3 with venv and, once,
# the PyPI packages torch, numpy and safetensors; VENV names an environment that has them.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$PWD/build/peers
mkdir -p "$work"
venv=${VENV:-$work/venv}
if [ ! -x "$venv/bin/python" ]; then
	python3 -m venv "$venv"
	"$venv/bin/pip" install -q torch numpy safetensors
fi
python=$venv/bin/python
twin=bench/peers/attention_cluster_torch.py

# compare NAME STEPS TOLERANCE CONFIG VIDEOS FRAMES
compare() {
	local dir=$work/$1 steps=$2 tolerance=$3 config=$4 videos=$5 frames=$6
	rm -rf "$dir" && mkdir -p "$dir"
	get() { "$python" -c "import json,sys; print(json.loads(sys.argv[1])[sys.argv[2]])" "$config" "$1"; }
	local features=()
	while read -r f; do features+=(--feature "$f"); done < <("$python" -c "
import json,sys
c = json.loads(sys.argv[1])
for n, d in zip(c['names'], c['dims']): print(f'{n}:{d}')" "$config")
	bin/avcu data synth --out "$dir/data" --videos "$videos" --shards 2 --classes "$(get classes)" "${features[@]}" --min-frames 5 --max-frames "$frames"
	"$python" "$twin" init "$dir/init.safetensors" "$config"
	bin/avcu train --data "$dir/data" --save-dir "$dir/run" --init-from "$dir/init.safetensors" --shuffle=false --sampling midpoint \
		--batch-size "$(get batch)" --learning-rate "$(get rate)" --max-steps "$steps" --epochs 1000 --log-interval 1 \
		--set MODEL.drop_rate=0 --set "MODEL.feature_names=$(get names)" --set "MODEL.feature_dims=$(get dims)" \
		--set "MODEL.cluster_nums=$(get units)" --set "MODEL.seg_num=$(get frames)" --set "MODEL.num_classes=$(get classes)" \
		--set "MODEL.hidden_sizes=$(get hidden)" --set "MODEL.loss=$(get loss)" 2>"$dir/avcu.log"
	"$python" "$twin" train "$dir/data/*.tfrecord" "$dir/init.safetensors" "$config" "$steps" >"$dir/torch.jsonl"
	"$python" - "$1" "$dir" "$tolerance" <<'PY'
import json, sys
name, dir, tolerance = sys.argv[1], sys.argv[2], float(sys.argv[3])
ours = [json.loads(l) for l in open(dir + "/run/metrics.jsonl")]
torch = [json.loads(l) for l in open(dir + "/torch.jsonl")]
assert [r["step"] for r in ours] == [r["step"] for r in torch], "the steps differ"
worst = max(abs(a["loss"] - b["loss"]) / abs(b["loss"]) for a, b in zip(ours, torch))
print(f"{name}: {len(ours)} steps, loss {torch[0]['loss']:.6g} to {torch[-1]['loss']:.6g}, largest relative difference {worst:.2g}, allowed {tolerance:g}")
seconds = sorted(r["seconds"] for r in torch)[len(torch) // 2]
print(f"  PyTorch: {seconds} s a step (median, data not counted); avcu: " + open(dir + "/avcu.log").read().strip().splitlines()[-1])
sys.exit(worst > tolerance)
PY
}

compare small 50 1e-4 '{"names": ["rgb", "audio"], "dims": [24, 8], "units": [4, 3], "frames": 7, "hidden": [16, 20], "classes": 11, "loss": "sigmoid", "batch": 32, "rate": 0.001, "seed": 1}' 500 60
compare published 10 1e-3 '{"names": ["rgb", "audio"], "dims": [1024, 128], "units": [32, 32], "frames": 100, "hidden": [1024, 4096], "classes": 3862, "loss": "sigmoid", "batch": 256, "rate": 0.001, "seed": 1}' 1024 300
