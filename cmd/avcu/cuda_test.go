package main

import (
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// testDriver is the program with CUDA in it, built as make cuda does, and the environment in which it
// finds the test driver in place of NVIDIA's.
type testDriver struct {
	program string
	env     []string
}

func buildCUDA(t *testing.T) testDriver {
	t.Helper()
	if testing.Short() {
		t.Skip("builds two programs")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	script := exec.Command(filepath.Join(root, "engine/cuda/nvidia/env.sh"))
	out, err := script.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) && failed.ExitCode() == 3 {
		t.Skipf("the program with CUDA needs cuda.h: %s", failed.Stderr)
	} else if err != nil {
		t.Fatalf("%v\n%s", err, failed.Stderr)
	}
	dir := t.TempDir()
	d := testDriver{program: filepath.Join(dir, "avcu-cuda")}
	build := exec.Command("bash", "-c", string(out)+`
		cd "$1" && go build -tags cuda -o "$2/avcu-cuda" ./cmd/avcu && go build -o "$2/vm" ./engine/cuda/nvidia/testdriver/vm && echo "$AVCU_TESTDRIVER"`,
		"build", root, dir)
	where, err := build.Output()
	if errors.As(err, &failed) {
		t.Fatalf("%v\n%s", err, failed.Stderr)
	}
	d.env = append(os.Environ(), "LD_LIBRARY_PATH="+strings.TrimSpace(string(where)), "AVCU_TESTDRIVER_VM="+filepath.Join(dir, "vm"))
	return d
}

// run runs the program, with more environment, and returns what it says and its exit code.
func (d testDriver) run(env []string, args ...string) (stdout, stderr string, code int) {
	c := exec.Command(d.program, args...)
	c.Env = append(d.env, env...)
	var out, errs strings.Builder
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		code = failed.ExitCode()
	} else if err != nil {
		return out.String(), err.Error(), -1
	}
	return out.String(), errs.String(), code
}

// The real program, gorgonia.org/cu and all, on the test driver: it lists the device, trains as the
// reference does, evaluates and infers; and of every fault it says what failed and keeps what it had.
func TestCUDAProgram(t *testing.T) {
	d := buildCUDA(t)
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	must := func(args ...string) string {
		t.Helper()
		out, errs, code := d.run(nil, args...)
		if code != 0 {
			t.Fatalf("avcu %s: exit code %d\n%s", strings.Join(args, " "), code, errs)
		}
		return out
	}
	if out := must("devices"); !strings.Contains(out, "cuda:0  test driver, compute capability 6.1") {
		t.Error(out)
	}
	must("data", "synth", "--out", data, "--videos", "80", "--shards", "2", "--classes", "20", "--feature", "rgb:32", "--feature", "audio:16",
		"--min-frames", "5", "--max-frames", "30")
	train := func(device, to string, more ...string) []string {
		return append([]string{"train", "--data", data, "--device", device, "--save-dir", filepath.Join(dir, to), "--batch-size", "32", "--max-steps", "6", "--epochs", "9",
			"--log-interval", "1", "--set", "MODEL.feature_names=[rgb, audio]", "--set", "MODEL.feature_dims=[32, 16]", "--set", "MODEL.cluster_nums=[4, 2]",
			"--set", "MODEL.seg_num=6", "--set", "MODEL.num_classes=20", "--set", "MODEL.hidden_sizes=[24, 16]"}, more...)
	}
	must(train("cuda", "cuda")...)
	must(train("ref", "ref")...)
	got, want := losses(t, filepath.Join(dir, "cuda")), losses(t, filepath.Join(dir, "ref"))
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-5*want[i] {
			t.Errorf("step %d: loss %v, want %v within 1e-5", i+1, got[i], want[i])
		}
	}
	// GAP and the like are ratios of whole numbers here: no score is near enough to another to change places.
	result := must("eval", "--weights", filepath.Join(dir, "cuda"), "--data", data, "--device", "cuda:0", "--format", "json")
	same := must("eval", "--weights", filepath.Join(dir, "cuda"), "--data", data, "--device", "cpu", "--format", "json")
	if cut(result, `"hit_at_1"`) != cut(same, `"hit_at_1"`) {
		t.Errorf("cuda: %s\ncpu: %s", result, same)
	}
	if lines := must("infer", "--weights", filepath.Join(dir, "cuda"), "--data", data, "--device", "cuda", "--format", "jsonl"); strings.Count(lines, "\n") != 80 {
		t.Error(lines)
	}

	for _, c := range []struct {
		fault, want string
		saved       bool
	}{
		{"FAIL_ALLOC=3", "out of device memory", false},
		{"FAIL_ALLOC=6", "out of device memory", false},
		{"FAIL_LAUNCH=150", "CUDA_ERROR_LAUNCH_FAILED", true},
		{"LOSE_DEVICE=150", "CUDA_ERROR_ILLEGAL_ADDRESS", true},
		{"BYTES=200000", "would fit", false},
	} {
		to := "fault-" + c.fault
		_, errs, code := d.run([]string{"AVCU_TESTDRIVER_" + c.fault}, train("cuda", to, "--save-interval", "1")...)
		if code != 1 || !strings.Contains(errs, c.want) || strings.Contains(errs, "goroutine") {
			t.Errorf("%s: exit code %d and\n%s\nwant 1 and %q", c.fault, code, errs, c.want)
		}
		_, err := os.Stat(filepath.Join(dir, to, "checkpoints", "last.safetensors"))
		if c.saved && err != nil {
			t.Errorf("%s: %v", c.fault, err)
		}
		if c.saved {
			must(train("cuda", to, "--resume")...)
			if after := losses(t, filepath.Join(dir, to)); after[len(after)-1] != got[len(got)-1] {
				t.Errorf("%s: the resumed run ends with loss %v, the unbroken one with %v", c.fault, after[len(after)-1], got[len(got)-1])
			}
		}
	}
	if _, errs, code := d.run([]string{"AVCU_TESTDRIVER_VM="}, "devices"); code == 0 {
		t.Errorf("a driver without a device: %s", errs)
	}
}

// cut is text from the first occurrence of a word on.
func cut(text, word string) string {
	if i := strings.Index(text, word); i >= 0 {
		return text[i:]
	}
	return text
}

// A program without CUDA says how to get one that has it.
func TestNoCUDA(t *testing.T) {
	var out, errs strings.Builder
	if code := run([]string{"avcu", "check", "--device", "cuda"}, &out, &errs); code != 1 || !strings.Contains(errs.String(), "make cuda") {
		t.Errorf("exit code %d, %s", code, errs.String())
	}
	for _, name := range []string{"cuda0", "cuda:", "cuda:x", "cuda:-1", "gpu"} {
		if code := run([]string{"avcu", "check", "--device", name}, &out, &errs); code != 2 {
			t.Errorf("device %q: exit code %d", name, code)
		}
	}
}
