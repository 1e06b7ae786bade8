#!/usr/bin/env bash
# Packs into a folder what a machine with a GPU and NVIDIA's driver, but no Go, needs to check and time the kernels: the
# program, every kernel's compiled tests and benchmarks with their test data, and run.sh.
set -euo pipefail
cd "$(dirname "$0")/../../.."
out=$1
rm -rf "$out" && mkdir -p "$out"
eval "$(engine/cuda/nvidia/env.sh)"
go build -tags cuda -ldflags '-s -w' -o "$out/avcu-cuda" ./cmd/avcu
tested=$(go list -tags cuda -f '{{if .TestGoFiles}}{{.ImportPath}}{{end}}' ./engine/cuda/nvidia ./kernels/... ./model/train)
for package in $tested; do
	case $package in */kerneltest) continue ;; esac # tests of the tests, which need the sources
	dir=${package#avcu/}
	mkdir -p "$out/$dir"
	go test -c -tags cuda -ldflags '-s -w' -o "$out/$dir/test" "./$dir"
	if [ -d "$dir/testdata" ]; then cp -r "$dir/testdata" "$out/$dir/"; fi
done
mkdir -p "$out/bench" && go test -c -tags cuda -ldflags '-s -w' -o "$out/bench/bench" ./bench
mkdir -p "$out/model" && cp -r model/testdata "$out/model/"
cat >"$out/run.sh" <<'RUN'
#!/usr/bin/env bash
# Checks and times the kernels on the first GPU, then times a training at the published setting: exit code 1 where anything
# fails. Results are in results/.
cd "$(dirname "$0")" || exit 1
set -o pipefail
mkdir -p results
failed=0
./avcu-cuda devices | tee results/devices.txt || exit 1
./avcu-cuda check --device cuda >results/check.txt || failed=1
tail -n 3 results/check.txt
for test in $(find . -name test -type f); do
	dir=$(dirname "$test") name=$(dirname "$test" | tr / _ | tr -d .)
	(cd "$dir" && ./test) >"results/test$name.txt" 2>&1 || { failed=1 && echo "FAILED: $dir, see results/test$name.txt"; }
done
(cd bench && ./bench -test.run '^$' -test.bench '.*/.*/.*/device=cuda|.*/.*/.*/.*/device=cuda') >results/bench.txt 2>&1 || failed=1
grep '^Benchmark' results/bench.txt
train=(--config youtube8m --data results/data --device cuda --save-dir results/run --epochs 100 --max-steps 60 --log-interval 10)
rm -rf results/data results/run
if ./avcu-cuda data synth --out results/data --videos 1536 && ./avcu-cuda train "${train[@]}" 2>results/train.txt; then
	cat results/train.txt
else
	failed=1 && tail -n 3 results/train.txt
fi
rm -rf results/data results/run
exit $failed
RUN
chmod +x "$out/run.sh"
du -sh "$out"
