package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"avcu/engine/host"
)

// contestant is one way of doing the work.
type contestant struct {
	name, title string
	bf16        bool
	tuned       bool // with keepMemory, and what else helps
}

// keepMemory makes glibc keep freed memory for what comes next: every step of a dynamic framework takes and returns gigabytes,
// which are otherwise fetched from the system, and filled with zeros, page by page, each time; and it has PyTorch ask for large
// pages. Few users know of either, so both are measured.
var keepMemory = []string{"MALLOC_MMAP_MAX_=0", "MALLOC_TRIM_THRESHOLD_=100000000000", "THP_MEM_ALLOC_ENABLE=1"}

var contestants = []contestant{
	{name: "avcu", title: "avcu float32"},
	{name: withoutAMX, title: "avcu float32, without AMX"},
	{name: "avcu-bf16", title: "avcu bfloat16", bf16: true},
	{name: "torch", title: "PyTorch eager float32 (MKL)"},
	{name: "torch-tuned", title: "PyTorch eager float32 (MKL), malloc tuned", tuned: true},
	{name: "torch-compile", title: "PyTorch compiled float32 (MKL)"},
	{name: "torch-onednn-tuned", title: "PyTorch eager float32, products by oneDNN, malloc tuned", tuned: true},
	{name: "torch-bf16", title: "PyTorch eager bfloat16 autocast", bf16: true},
	{name: "torch-bf16-tuned", title: "PyTorch eager bfloat16 autocast, malloc tuned", bf16: true, tuned: true},
	{name: "paddle", title: "Paddle dynamic float32"},
	{name: "paddle-tuned", title: "Paddle dynamic float32, all threads, MKL and malloc tuned", tuned: true},
}

// withoutAMX is avcu with float32's own multiply-adds; elsewhere than on a processor with AMX the same as avcu.
const withoutAMX = "avcu-fma"

func names() []string {
	var list []string
	for _, c := range contestants {
		if c.name != withoutAMX || host.HasAMX() {
			list = append(list, c.name)
		}
	}
	return list
}

func (c contestant) ours() bool { return strings.HasPrefix(c.name, "avcu") }

// settings are the variables of the environment in which a contestant runs.
func (c contestant) settings() []string {
	threads := fmt.Sprint(runtime.NumCPU())
	list := []string{"OMP_NUM_THREADS=" + threads, "MKL_NUM_THREADS=" + threads}
	if c.name == "paddle" {
		list = nil // it takes one thread unless told otherwise; more make its MKL slower on AMD
	}
	if c.tuned {
		list = append(list, keepMemory...)
	}
	if c.name == "paddle-tuned" && onAMD() {
		list = append(list, "MKL_DEBUG_CPU_TYPE=5") // Paddle's MKL of 2019 has fast products for AMD, if told so
	}
	return list
}

// contest runs contestants and collects what they measure.
type contest struct {
	ctx     context.Context
	log     io.Writer
	o       options
	dir     string // inputs, weights, data
	self    string // this program
	python  string // of the peers; empty where there is none
	rows    []contestant
	dropped map[string]string // shape and name of contestants that do not run here, and why
	report  report
}

func newContest(ctx context.Context, log io.Writer, o options) (*contest, error) {
	if _, err := os.Stat("bench/peers/peer.py"); err != nil {
		return nil, errors.New("run this in the root of the repository")
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &contest{ctx: ctx, log: log, o: o, self: self, python: o.python, dropped: map[string]string{}}
	for _, name := range o.rows {
		i := slices.IndexFunc(contestants, func(c contestant) bool { return c.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no contestant %q: %s", name, strings.Join(names(), ", "))
		}
		c.rows = append(c.rows, contestants[i])
	}
	if c.python == "" && slices.ContainsFunc(c.rows, func(c contestant) bool { return !c.ours() }) {
		if c.python, err = environment(ctx, log, o.tensorflow); err != nil {
			return nil, err
		}
	}
	c.report = report{Machine: thisMachine(), Options: fmt.Sprintf("%d repetitions, at least %g s of steps in each turn", o.reps, o.seconds)}
	c.dir, err = os.MkdirTemp("", "avcu-peers")
	return c, err
}

func (c *contest) close() error { return os.RemoveAll(c.dir) }

// environment makes the peers' environment and returns its python.
func environment(ctx context.Context, log io.Writer, tensorflow bool) (string, error) {
	cmd := exec.CommandContext(ctx, "bench/peers/env.sh")
	if tensorflow {
		cmd.Args = append(cmd.Args, "tensorflow-cpu")
	}
	cmd.Stderr = log
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("bench/peers/env.sh: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// turn is what one process printed and used.
type turn struct {
	Losses   []float64 `json:",omitempty"` // of the steps
	Eval     float64   `json:",omitempty"` // loss in evaluation mode
	Seconds  []float64 `json:",omitempty"` // of each timed step
	Bytes    float64   `json:",omitempty"` // read from shards
	CPU      float64   `json:",omitempty"` // processor seconds for them
	Checksum int64     `json:",omitempty"` // of what was read
	Peak     int64     // bytes of memory, the largest resident set
	Versions map[string]string
}

// line is one line of a child's output.
type line struct {
	Loss, Eval, Seconds *float64
	Bytes, CPU          float64
	Checksum            int64
	Versions            map[string]string
}

// turn runs a contestant once.
func (c *contest) turn(k contestant, job, shape string) (turn, error) {
	args := []string{c.self, "-child", k.name, "-job", job, "-shape", shape, "-dir", c.dir, "-seconds", fmt.Sprint(c.o.seconds)}
	if !k.ours() {
		args = []string{c.python, "bench/peers/peer.py", k.name, job, shape, c.dir, fmt.Sprint(c.o.seconds)}
	}
	cmd := exec.CommandContext(c.ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), k.settings()...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	start := time.Now()
	if err := cmd.Run(); err != nil {
		if c.ctx.Err() != nil {
			return turn{}, c.ctx.Err()
		}
		return turn{}, fmt.Errorf("%w: %s", err, lastLine(stderr.String()))
	}
	var t turn
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		t.Peak = int64(u.Maxrss) << 10
	}
	for s := bufio.NewScanner(&stdout); s.Scan(); {
		var l line
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			continue // a library's own chatter
		}
		if l.Loss != nil {
			t.Losses = append(t.Losses, *l.Loss)
		}
		if l.Eval != nil {
			t.Eval = *l.Eval
		}
		if l.Seconds != nil {
			t.Seconds = append(t.Seconds, *l.Seconds)
		}
		if l.Bytes > 0 {
			t.Bytes, t.CPU, t.Checksum = l.Bytes, l.CPU, l.Checksum
		}
		if l.Versions != nil {
			t.Versions = l.Versions
		}
	}
	fmt.Fprintf(c.log, "%s %s %s: %.1f s\n", shape, job, k.name, time.Since(start).Seconds())
	return t, nil
}

// lastLine is what a traceback ends with.
func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
