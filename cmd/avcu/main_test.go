package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary be the program itself, for tests that kill it.
func TestMain(m *testing.M) {
	if os.Getenv("AVCU_TEST_AS_PROGRAM") != "" {
		os.Exit(run(os.Args, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// avcu runs the program in this process.
func avcu(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	code = run(append([]string{"avcu"}, args...), &out, &log)
	return code, out.String(), log.String()
}

// must runs the program, which must succeed.
func must(t *testing.T, args ...string) string {
	t.Helper()
	code, out, log := avcu(t, args...)
	if code != 0 {
		t.Fatalf("avcu %s: exit code %d\n%s", strings.Join(args, " "), code, log)
	}
	return out
}

const videos = 300

// shards makes a small set in YouTube-8M's form.
func shards(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	must(t, "data", "synth", "--out", dir, "--videos", "300", "--shards", "3", "--classes", "11", "--feature", "rgb:24", "--feature=audio:8",
		"--min-frames", "5", "--max-frames", "40", "--seed", "4")
	return dir
}

// small is a small model for shards.
func small(args ...string) []string {
	return append(args, "--set", "MODEL.feature_dims=[24, 8]", "--set", "MODEL.cluster_nums=[4, 3]", "--set", "MODEL.seg_num=7",
		"--set", "MODEL.num_classes=11", "--set", "MODEL.hidden_sizes=[16, 20]", "--batch_size", "32", "--learning-rate", "0.01", "--seed", "3")
}

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// losses are the losses of the logged steps.
func losses(t *testing.T, dir string) []float64 {
	t.Helper()
	var list []float64
	for line := range strings.Lines(string(read(t, dir, "metrics.jsonl"))) {
		var m struct {
			Loss  float64
			Split string
		}
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		if m.Split == "" {
			list = append(list, m.Loss)
		}
	}
	return list
}

func TestTrainEvalInfer(t *testing.T) {
	data, dir := shards(t), filepath.Join(t.TempDir(), "run")
	out := must(t, small("train", "--data", data, "--valid-data", data, "--save-dir", dir, "--epochs", "8", "--log-interval", "1")...)
	if out != "" {
		t.Errorf("train printed %q on standard output", out)
	}
	l := losses(t, dir)
	if n := 8 * ((videos + 31) / 32); len(l) != n {
		t.Errorf("%d logged steps, want %d", len(l), n)
	}
	if first, last := l[0], l[len(l)-1]; !(last < 0.7*first) {
		t.Errorf("the loss went from %v to %v: nothing was learnt", first, last)
	}
	for _, name := range []string{"config.yaml", "checkpoints/last.safetensors", "checkpoints/best.safetensors", "checkpoints/step-80.safetensors"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if entries, _ := os.ReadDir(filepath.Join(dir, "checkpoints")); len(entries) != 5 {
		t.Errorf("%d checkpoints, want three, the last and the best", len(entries))
	}

	// The same bits whatever the batch, and from a run folder or a checkpoint.
	first := must(t, "eval", "--weights", dir, "--data", data, "--format", "json")
	var result map[string]float64
	if err := json.Unmarshal([]byte(first), &result); err != nil || result["videos"] != videos || result["gap"] < 0.5 {
		t.Errorf("eval says %s (%v)", first, err)
	}
	for _, size := range []string{"1", "100", "256"} {
		again := must(t, "eval", "--weights", dir, "--data", data, "--format", "json", "--batch-size", size)
		if again != first {
			t.Errorf("batch size %s: %s, want %s", size, again, first)
		}
	}

	rows := strings.Split(strings.TrimSpace(must(t, "infer", "--weights", filepath.Join(dir, "checkpoints/best.safetensors"), "--data", data, "--format", "jsonl", "--topk", "3")), "\n")
	if len(rows) != videos {
		t.Fatalf("infer printed %d lines, want %d", len(rows), videos)
	}
	var row inferred
	if err := json.Unmarshal([]byte(rows[0]), &row); err != nil || len(row.TopK) != 3 || row.TopK[0].Prob < row.TopK[1].Prob {
		t.Errorf("first line %s (%v)", rows[0], err)
	}
	kaggle := must(t, "infer", "--weights", dir, "--data", data, "--format", "csv", "--topk", "2")
	if !strings.HasPrefix(kaggle, "VideoId,LabelConfidencePairs\n"+row.ID+",") {
		t.Errorf("csv begins %.60q", kaggle)
	}
}

func TestThreadsAndDevicesAgree(t *testing.T) {
	data := shards(t)
	train := func(extra ...string) (string, []float64) {
		dir := filepath.Join(t.TempDir(), "run")
		must(t, append(small("train", "--data", data, "--save-dir", dir, "--epochs", "2", "--log-interval", "1"), extra...)...)
		return dir, losses(t, dir)
	}
	one, _ := train("--threads", "1")
	two, want := train("--threads", "2")
	last := filepath.Join("checkpoints", "last.safetensors")
	if !bytes.Equal(read(t, one, last), read(t, two, last)) {
		t.Error("one and two threads gave different weights")
	}
	_, ref := train("--device", "ref")
	_, emu := train("--device", "emu")
	for i := range want {
		// Float32 against float64 sums, over 20 steps of Adam.
		if math.Abs(want[i]-ref[i]) > 1e-5*ref[i] || math.Abs(emu[i]-ref[i]) > 1e-5*ref[i] {
			t.Errorf("step %d: loss %v on cpu and %v on emu, %v on ref", i+1, want[i], emu[i], ref[i])
		}
	}
	_, micro := train("--micro-batch", "10")
	for i := range want {
		if math.Abs(want[i]-micro[i]) > 1e-5*want[i] {
			t.Errorf("step %d: loss %v, with micro-batches %v", i+1, want[i], micro[i])
		}
	}
}

// program starts the program as a process of its own.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), "AVCU_TEST_AS_PROGRAM=1")
	cmd.Stderr = &bytes.Buffer{}
	return cmd
}

// atStep waits until a run has logged so many lines.
func atStep(t *testing.T, dir string, lines int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		data, _ := os.ReadFile(filepath.Join(dir, "metrics.jsonl"))
		if bytes.Count(data, []byte("\n")) >= lines {
			return
		}
	}
	t.Fatalf("%s: no %d lines of metrics in a minute", dir, lines)
}

// A run that is killed, or interrupted, and resumed must end in the unbroken run's weights.
func TestResumeIsBitForBit(t *testing.T) {
	data := shards(t)
	args := func(dir string, extra ...string) []string {
		return append(small("train", "--data", data, "--save-dir", dir, "--log-interval", "1", "--save-interval", "7"), extra...)
	}
	last := filepath.Join("checkpoints", "last.safetensors")
	unbroken := filepath.Join(t.TempDir(), "unbroken")
	const epochs = "40" // 400 steps
	must(t, args(unbroken, "--epochs", epochs)...)
	for _, how := range []syscall.Signal{syscall.SIGKILL, syscall.SIGINT} {
		dir := filepath.Join(t.TempDir(), "broken")
		cmd := program(t, args(dir, "--epochs", epochs)...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		atStep(t, dir, 33)
		if err := cmd.Process.Signal(how); err != nil {
			t.Fatal(err)
		}
		err := cmd.Wait()
		if err == nil {
			t.Fatalf("%v: the run ended before it was stopped", how)
		}
		if how == syscall.SIGINT {
			log := cmd.Stderr.(*bytes.Buffer).String()
			if cmd.ProcessState.ExitCode() != exitInterrupted || !strings.Contains(log, "--resume") {
				t.Errorf("interrupted: exit code %d, log ends %.200q", cmd.ProcessState.ExitCode(), log[max(0, len(log)-200):])
			}
		}
		must(t, args(dir, "--epochs", epochs, "--resume")...)
		if !bytes.Equal(read(t, unbroken, last), read(t, dir, last)) {
			t.Errorf("%v: the resumed run ends in other weights than the unbroken one", how)
		}
		if got, want := len(losses(t, dir)), len(losses(t, unbroken)); got != want {
			t.Errorf("%v: %d logged steps, want %d", how, got, want)
		}
	}
	code, _, log := avcu(t, append(args(unbroken, "--resume"), "--set", "MODEL.drop_rate=0.1")...)
	if code != exitFailed || !strings.Contains(log, "MODEL.drop_rate was 0.5 and is 0.1") {
		t.Errorf("resuming with another model: exit code %d, %s", code, log)
	}
}

func TestBadInput(t *testing.T) {
	data, dir := shards(t), t.TempDir()
	run1 := filepath.Join(dir, "run")
	must(t, small("train", "--data", data, "--save-dir", run1, "--max-steps", "2")...)
	before := read(t, run1, "checkpoints", "last.safetensors")
	path := func(name string) string { return filepath.Join(dir, name) }
	shard := read(t, data, "train0000.tfrecord")
	write := func(name string, b []byte) string {
		if err := os.WriteFile(path(name), b, 0o666); err != nil {
			t.Fatal(err)
		}
		return path(name)
	}
	cut := write("cut.tfrecord", shard[:len(shard)-9])
	flipped := bytes.Clone(shard)
	flipped[40] ^= 1
	wrong := write("wrong.tfrecord", flipped)
	empty := write("empty.tfrecord", nil)
	unknown := write("config.yaml", []byte("MODEL: {seg_nun: 3}\n"))
	junk := write("junk.safetensors", []byte("not a checkpoint at all"))
	if err := os.Mkdir(path("nothing"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path("file"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	train := func(extra ...string) []string {
		return append(small("train", "--save-dir", path("new"), "--max-steps", "1"), extra...)
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"missing file", train("--data", path("none.tfrecord")), 1, "none.tfrecord"},
		{"empty glob", train("--data", path("none*.tfrecord")), 1, "none*.tfrecord"},
		{"folder without files", train("--data", path("nothing")), 1, "nothing"},
		{"folder for a list", train("--filelist", data), 1, data},
		{"no video at all", train("--data", empty), 1, "no video"},
		{"label outside the classes", train("--data", data, "--set", "MODEL.num_classes=3"), 1, "label"},
		{"feature of the wrong width", train("--data", data, "--set", "MODEL.feature_dims=[24, 9]"), 1, "audio"},
		{"missing feature", train("--data", data, "--set", "MODEL.feature_names=[rgb, flow]"), 1, "flow"},
		{"truncated record", train("--data", cut, "--shuffle=false", "--max-steps", "99"), 1, "cut.tfrecord"},
		{"wrong checksum", train("--data", wrong, "--max-steps", "99"), 1, "checksum mismatch"},
		{"unknown config key", train("--data", data, "--config", unknown), 1, "did you mean"},
		{"unknown set key", train("--data", data, "--set", "MODEL.seg_nun=3"), 2, "did you mean"},
		{"config of the wrong type", train("--data", data, "--set", "MODEL.seg_num=many"), 2, "many"},
		{"run folder is a file", append(train("--data", data), "--save-dir", path("file")), 1, "run folder"},
		{"run folder in use", append(train("--data", data), "--save-dir", run1), 1, "--resume"},
		{"read-only run folder", append(train("--data", data), "--save-dir", "/proc/avcu"), 1, "run folder"},
		{"nothing to resume", append(train("--data", data), "--save-dir", path("nothing"), "--resume"), 1, "no checkpoint"},
		{"loss that is not finite", train("--data", data, "--learning-rate", "1e38", "--max-steps", "9"), 1, "the loss is"},
		{"checkpoint of another shape", []string{"eval", "--weights", run1, "--data", data, "--set", "MODEL.hidden_sizes=[16, 21]"}, 1, "expected fc2.weights [16 21], found [16 20]"},
		{"not a checkpoint", []string{"eval", "--weights", junk, "--data", data}, 1, "junk.safetensors"},
		{"no such checkpoint", []string{"eval", "--weights", path("none"), "--data", data}, 1, "none"},
		{"full disk", []string{"infer", "--weights", run1, "--data", data, "--output", "/dev/full"}, 1, "no space left"},
		{"no data named", train(), 2, "--data"},
		{"no weights, no network", []string{"eval", "--data", data, "--offline"}, 1, "attention_cluster_youtube8m.tar.gz"},
		{"unknown flag", []string{"eval", "--wieghts", "x"}, 2, "wieghts"},
		{"unknown command", []string{"evaluate"}, 2, "evaluate"},
		{"unknown subcommand", []string{"data", "sinth"}, 2, "sinth"},
		{"flag without a value", []string{"eval", "--weights"}, 2, "--weights"},
		{"not a number", train("--data", data, "--max-steps", "many"), 2, "many"},
		{"unknown device", train("--data", data, "--device", "tpu"), 2, "tpu"},
		{"unknown precision", train("--data", data, "--precision", "fp16"), 2, "fp32 and bf16"},
		{"bf16 on CUDA's kernels", train("--data", data, "--device", "emu", "--precision", "bf16"), 2, "--device cpu"},
		{"no CUDA here", train("--data", data, "--device", "cuda"), 1, "without CUDA"},
		{"unknown format", []string{"infer", "--weights", run1, "--data", data, "--format", "xml"}, 2, "xml"},
	} {
		code, out, log := avcu(t, c.args...)
		if code != c.code || !strings.Contains(log, c.want) || out != "" || strings.Contains(log, "goroutine") {
			t.Errorf("%s: exit code %d, want %d; standard output %q; want %q in\n%s", c.name, code, c.code, out, c.want, log)
		}
		if err := os.RemoveAll(path("new")); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(before, read(t, run1, "checkpoints", "last.safetensors")) {
		t.Error("a failed command changed a checkpoint")
	}
	code, out, _ := avcu(t, append([]string{"data", "verify", filepath.Join(data, "train0000.tfrecord"), cut, wrong}, "--set", "MODEL.feature_dims=[24, 8]")...)
	if code != 1 || !strings.Contains(out, "cut.tfrecord: BAD") || !strings.Contains(out, "wrong.tfrecord: BAD") || !strings.Contains(out, "train0000.tfrecord: good, 100 videos") {
		t.Errorf("verify: exit code %d\n%s", code, out)
	}
}

// With bfloat16 products a training follows that of float32, on ref as on cpu, and evaluation and checks know it.
func TestBF16(t *testing.T) {
	data, dir := shards(t), t.TempDir()
	last := map[string]float64{}
	for _, how := range [][]string{{"cpu", "fp32"}, {"cpu", "bf16"}, {"ref", "bf16"}} {
		run := filepath.Join(dir, strings.Join(how, "-"))
		must(t, small("train", "--data", data, "--save-dir", run, "--device", how[0], "--precision", how[1], "--max-steps", "20", "--epochs", "9", "--log-interval", "20")...)
		list := losses(t, run)
		last[strings.Join(how, " ")] = list[len(list)-1]
	}
	// 8 bits a factor, many of them in each loss; and float32 sums in another order.
	if fp32, cpu, ref := last["cpu fp32"], last["cpu bf16"], last["ref bf16"]; cpu == fp32 || math.Abs(cpu-fp32) > 1e-2*fp32 || math.Abs(cpu-ref) > 1e-2*ref {
		t.Errorf("last losses: %v", last)
	}
	weights := filepath.Join(dir, "cpu-bf16")
	a, b := must(t, "eval", "--weights", weights, "--data", data, "--device", "cpu"), must(t, "eval", "--weights", weights, "--data", data, "--device", "cpu", "--precision", "bf16")
	if a == b {
		t.Error("evaluation does not heed --precision")
	}
}

func TestPrecedence(t *testing.T) {
	t.Setenv("AVCU_BATCH_SIZE", "7")
	t.Setenv("AVCU_EPOCHS", "8")
	t.Setenv("AVCU_LEARNING_RATE", "0.5")
	out := must(t, "config", "show", "--config", "flash-mnist", "--set", "TRAIN.epoch=9", "--set=TRAIN.learning_rate=0.25")
	for _, want := range []string{"TRAIN.batch_size 7 environment AVCU_BATCH_SIZE", "TRAIN.epoch 9 --set", "TRAIN.learning_rate 0.25 --set",
		"MODEL.seg_num 25 built-in flash-mnist", "TRAIN.clip_norm 0 default"} {
		found := false
		for line := range strings.Lines(out) {
			found = found || strings.HasPrefix(strings.Join(strings.Fields(line), " "), want[:strings.LastIndex(want, " ")])
		}
		if !found {
			t.Errorf("no line %q in\n%s", want, out)
		}
	}
}
