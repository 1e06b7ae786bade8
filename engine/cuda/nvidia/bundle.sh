#!/usr/bin/env bash
# Packs into a folder what a machine with a GPU and NVIDIA's driver, but no Go, needs to check and time the kernels: the
# program, every kernel's compiled tests and benchmarks with their test data, and run.sh.
set -euo pipefail
cd "$(dirname "$0")/../../.."
out=$1
rm -rf "$out" && mkdir -p "$out"
eval "$(engine/cuda/nvidia/env.sh)"
go build -tags cuda -o "$out/avcu-cuda" ./cmd/avcu
for package in $(go list -tags cuda -f '{{if .TestGoFiles}}{{.ImportPath}}{{end}}' ./kernels/... ./model/train); do
	dir=${package#avcu/}
	mkdir -p "$out/$dir"
	go test -c -tags cuda -o "$out/$dir/test" "./$dir"
	[ -d "$dir/testdata" ] && cp -r "$dir/testdata" "$out/$dir/"
done
mkdir -p "$out/model" && cp -r model/testdata "$out/model/"
cat >"$out/run.sh" <<'RUN'
#!/usr/bin/env bash
# Checks and times the kernels on the first GPU: exit code 1 where any check fails. Results are in results/.
cd "$(dirname "$0")" || exit 1
mkdir -p results
failed=0
./avcu-cuda devices | tee results/devices.txt
./avcu-cuda check --device cuda >results/check.txt || failed=1
tail -n 3 results/check.txt
for test in $(find . -name test -type f); do
	dir=$(dirname "$test") name=$(dirname "$test" | tr / _ | tr -d .)
	(cd "$dir" && ./test) >"results/test$name.txt" 2>&1 || { failed=1 && echo "FAILED: $dir, see results/test$name.txt"; }
	(cd "$dir" && ./test -test.run '^$' -test.bench .) >"results/bench$name.txt" 2>&1
done
cat results/bench*.txt | grep '^Benchmark' | grep cuda
exit $failed
RUN
chmod +x "$out/run.sh"
du -sh "$out"
