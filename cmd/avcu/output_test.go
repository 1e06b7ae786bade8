package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Folders of results are made, and where none can be, that is said before the work.
func TestOutputs(t *testing.T) {
	p := paddleCases[0]
	config, dir := p.configFile(t), t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	file, labels := at("file"), at("labels.txt")
	for path, text := range map[string]string{file: "", labels: "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk, l\n"} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	with := func(args ...string) []string {
		return append(args, "--config", config, "--weights", paddleFile(p.weights), "--data", paddleFile(p.features))
	}
	must(t, with("infer", "--format", "pickle", "--output", at("a/b/AttentionCluster_infer_result"))...)
	must(t, with("eval", "--output", at("c/result"), "--per-class", at("d/classes.csv"))...)
	must(t, with("eval", "--labels", labels, "--per-class", at("e/classes.csv"), "--output", at("e/result"))...)
	must(t, "model", "convert", paddleFile(p.weights), at("f/g/w.safetensors"), "--to", "safetensors")
	must(t, "model", "convert", paddleFile(p.weights), at("h/i")+"/", "--to", "paddle-dir")
	for name, want := range map[string]string{"a/b/AttentionCluster_infer_result": "", "c/result": "videos ", "e/result": "videos ", "f/g/w.safetensors": "", "h/i/fc1.bias": "",
		"d/classes.csv": "class,positives,ap\n0,", "e/classes.csv": "class,name,positives,ap\n0,a,"} {
		if text := string(read(t, at(name))); !strings.HasPrefix(text, want) || strings.HasPrefix(name, "e/classes") && !strings.Contains(text, "\n10,\"k, l\",") {
			t.Errorf("%s is\n%s", name, text)
		}
	}
	entries, err := os.ReadDir(at("e"))
	if err != nil || len(entries) != 2 {
		t.Errorf("left over: %v, %v", entries, err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{ // what is read is not there either: the output comes first
		{[]string{"infer", "--output", file + "/x"}, "output: mkdir " + file},
		{[]string{"infer", "--save-dir", file}, "output: mkdir " + file},
		{[]string{"eval", "--output", dir}, "output: " + dir + " is a folder: name a file"},
		{[]string{"eval", "--output", at("new") + "/"}, "output: " + at("new") + "/ is a folder: name a file"},
		{[]string{"eval", "--per-class", file + "/x"}, "output: mkdir " + file},
		{[]string{"eval", "--per-class", "/proc/avcu"}, "output: /proc cannot be written: "},
		{[]string{"data", "flash-mnist", "--mnist", "none", "--out", file}, "data flash-mnist: mkdir " + file},
		{[]string{"model", "convert", paddleFile(p.weights), file + "/x", "--to", "npz"}, "model convert: mkdir " + file},
	} {
		args := c.args
		if args[0] == "infer" || args[0] == "eval" {
			args = append(args, "--weights", "none", "--data", "none")
		}
		if code, out, log := avcu(t, args...); code != 1 || out != "" || !strings.Contains(log, c.want) || !strings.Contains(log, "name ") {
			t.Errorf("%q: exit code %d, want %q in\n%s%s", c.args, code, c.want, out, log)
		}
	}
}
