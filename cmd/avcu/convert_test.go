package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// blocks are the code blocks of a page in one language.
func blocks(t *testing.T, page, language string) (list []string) {
	t.Helper()
	for i, part := range strings.Split(string(read(t, page)), "\n```") {
		if text, ok := strings.CutPrefix(part, language+"\n"); ok && i%2 == 1 {
			list = append(list, text)
		}
	}
	if len(list) == 0 {
		t.Fatalf("%s: no block of %s", page, language)
	}
	return list
}

// TestOwnFeaturesPage does what docs/own-features.md says.
func TestOwnFeaturesPage(t *testing.T) {
	page, err := filepath.Abs("../../docs/own-features.md")
	if err != nil {
		t.Fatal(err)
	}
	python, yaml, shell := blocks(t, page, "python"), blocks(t, page, "yaml"), blocks(t, page, "sh")
	t.Chdir(t.TempDir())
	if exec.Command("python3", "-c", "import numpy").Run() == nil {
		if out, err := exec.Command("python3", "-c", python[0]).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	} else {
		t.Log("no python3 with numpy: its files are written here")
		saveFeatures(t)
	}
	if err := os.WriteFile("mine.yaml", []byte(yaml[0]), 0o666); err != nil {
		t.Fatal(err)
	}
	outputs := map[string]string{}
	for line := range strings.Lines(strings.Join(shell, "\n")) {
		words := strings.Fields(line)
		if len(words) < 3 || words[0] != "avcu" {
			t.Fatalf("the page says %q", line)
		}
		code, out, log := avcu(t, words[1:]...)
		if code != 0 {
			t.Fatalf("%s: exit code %d\n%s", line, code, log)
		}
		if words[2] == "convert" && (!strings.Contains(log, "image: 48 wide, scaled and quantised; ") || !strings.Contains(log, "sound: 16 wide, bytes taken as they are") || out != "") {
			t.Errorf("%sprinted %q and %q", line, out, log)
		}
		outputs[words[1]] = out
	}
	if !bytes.Equal(read(t, "shards/train.scale.json"), read(t, "shards/test.scale.json")) {
		t.Error("both sets have scales of their own")
	}
	var result map[string]float64
	if err := json.Unmarshal([]byte(outputs["eval"]), &result); err != nil || result["videos"] != 15 || result["top1"] < 0.8 {
		t.Errorf("eval says %s (%v)", outputs["eval"], err)
	}
	if n := strings.Count(outputs["infer"], "\n"); n != 15 || !strings.HasPrefix(outputs["infer"], `{"id": "test0000"`) && !strings.HasPrefix(outputs["infer"], `{"id":"test0000"`) {
		t.Errorf("infer says %.100s in %d lines", outputs["infer"], n)
	}
}

// saveFeatures makes what the page's Python makes.
func saveFeatures(t *testing.T) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	shows := make([]float64, 3*48)
	for i := range shows {
		shows[i] = random.NormFloat64()
	}
	for split, videos := range map[string]int{"train": 60, "test": 15} {
		table := "id,labels\n"
		for k := range videos {
			id, label, frames := fmt.Sprintf("%s%04d", split, k), k%3, 20+random.IntN(20)
			image, sound := []byte{}, []byte{}
			for i := range frames * 48 {
				x := random.NormFloat64()
				if i/48%4 == 0 {
					x += 2 * shows[label*48+i%48]
				}
				image = binary.LittleEndian.AppendUint32(image, math.Float32bits(float32(x)))
			}
			for range frames * 16 {
				sound = append(sound, byte(random.Uint32()))
			}
			saveArray(t, filepath.Join("features", split, "image", id+".npy"), "<f4", frames, 48, image)
			saveArray(t, filepath.Join("features", split, "sound", id+".npy"), "|u1", frames, 16, sound)
			table += fmt.Sprintf("%s,%d\n", id, label)
		}
		if err := os.WriteFile("features/"+split+".csv", []byte(table), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// saveArray writes an array as numpy.save does.
func saveArray(t *testing.T, name, kind string, rows, columns int, data []byte) {
	t.Helper()
	head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%d, %d), }", kind, rows, columns)
	head += strings.Repeat(" ", 117-len(head)) + "\n"
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, append([]byte("\x93NUMPY\x01\x00\x76\x00"+head), data...), 0o666); err != nil {
		t.Fatal(err)
	}
}

// A conversion that is killed, or interrupted, and started again leaves what an unbroken one does.
func TestConvertGoesOn(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	must(t, "data", "synth", "--out", data, "--videos", "600", "--shards", "20", "--classes", "11", "--feature", "rgb:300", "--feature", "audio:8", "--min-frames", "40", "--max-frames", "80")
	args := func(out string) []string {
		return []string{"data", "convert", data, out, "--set", "MODEL.feature_dims=[300, 8]", "--threads", "2"}
	}
	unbroken := filepath.Join(t.TempDir(), "unbroken")
	if out := must(t, args(unbroken)...); out != "" {
		t.Errorf("convert printed %q", out)
	}
	want, err := os.ReadDir(unbroken)
	if err != nil || len(want) != 20 {
		t.Fatalf("%d files, %v", len(want), err)
	}
	for _, how := range []syscall.Signal{syscall.SIGKILL, syscall.SIGINT} {
		out := filepath.Join(t.TempDir(), "broken")
		cmd := program(t, args(out)...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			if done, _ := filepath.Glob(out + "/*.pkl"); len(done) > 1 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("no two files in a minute")
			}
		}
		if err := cmd.Process.Signal(how); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil {
			t.Logf("%v: the conversion ended before it was stopped", how)
		}
		if log := cmd.Stderr.(*bytes.Buffer).String(); how == syscall.SIGINT && cmd.ProcessState.ExitCode() != 0 && (cmd.ProcessState.ExitCode() != exitInterrupted || !strings.Contains(log, "the same command goes on")) {
			t.Errorf("interrupted: exit code %d, %s", cmd.ProcessState.ExitCode(), log)
		}
		code, _, log := avcu(t, args(out)...)
		if code != 0 || !strings.Contains(log, "600 videos in 20 files") || !strings.Contains(log, "were there already") {
			t.Errorf("%v: exit code %d, %s", how, code, log)
		}
		got, err := os.ReadDir(out)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%v: %d files, %v", how, len(got), err)
		}
		for i := range want {
			if got[i].Name() != want[i].Name() || !bytes.Equal(read(t, out, got[i].Name()), read(t, unbroken, want[i].Name())) {
				t.Errorf("%v: %s is not %s", how, got[i].Name(), want[i].Name())
			}
		}
	}
	// Videos are the same ones for who trains, whichever the form.
	common := []string{"train", "--config", "flash-mnist", "--set", "MODEL.feature_names=[rgb, audio]", "--set", "MODEL.feature_dims=[300, 8]",
		"--set", "MODEL.cluster_nums=[2, 2]", "--set", "MODEL.seg_num=3", "--set", "MODEL.num_classes=11", "--set", "MODEL.loss=sigmoid", "--max-steps", "3", "--log-interval", "1"}
	runs := t.TempDir()
	must(t, append(common, "--data", data, "--save-dir", filepath.Join(runs, "a"))...)
	must(t, append(common, "--data", unbroken, "--save-dir", filepath.Join(runs, "b"))...)
	if a, b := losses(t, filepath.Join(runs, "a")), losses(t, filepath.Join(runs, "b")); fmt.Sprint(a) != fmt.Sprint(b) || len(a) != 3 {
		t.Errorf("losses %v with TFRecords, %v with pickles", a, b)
	}
	if out := must(t, "data", "verify", unbroken, "--set", "MODEL.feature_dims=[300, 8]"); strings.Count(out, "good, 30 videos") != 20 {
		t.Errorf("verify says\n%s", out)
	}
}

func TestConvertUsage(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"data", "convert"}, 2, "SRC DST"},
		{[]string{"data", "convert", dir}, 2, "SRC DST"},
		{[]string{"data", "convert", dir, ""}, 2, "SRC DST"},
		{[]string{"data", "convert", dir, "x.pkl", "--scale", "identity"}, 2, "--truth"},
		{[]string{"data", "convert", dir, dir, "x.pkl", "--truth", "x.csv"}, 2, "one folder"},
		{[]string{"data", "convert", dir, "x.pkl", "--threads", "-1"}, 2, "--threads"},
		{[]string{"data", "convert", dir, "x.pkl"}, 1, "the folder holds no file"},
		{[]string{"data", "convert", dir, "x.tfrecord", "--truth", filepath.Join(dir, "x.csv")}, 1, "x.csv"},
	} {
		code, out, log := avcu(t, c.args...)
		if code != c.code || !strings.Contains(log, c.want) || out != "" {
			t.Errorf("%v: exit code %d, want %d; %q in\n%s", c.args[2:], code, c.code, out, log)
		}
	}
}
