package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"avcu/io/npy"
	"avcu/io/pickle"
	"avcu/io/safetensors"
)

// paddleCase is a model that Paddle trained, with features in Paddle's form and what they give.
type paddleCase struct {
	name, features, weights, expected, result string
	config                                    string
	classes                                   int
	loss, hit, perr, gap, meanAP              float64
}

// The losses and metrics are those of the same arithmetic in float64.
var paddleCases = []paddleCase{
	{"two_mod", "py2_narrow.pkl", "AttentionCluster_epoch0.pdparams", "two_mod_expected.npz", "two_mod_infer_result_py311",
		"[MODEL]\nname = \"AttentionCluster\"\nfeature_names = ['rgb', 'audio']\nfeature_dims = [24, 8]\nseg_num = 7\ncluster_nums = [4, 3]\nnum_classes = 11\nhidden_sizes = [16, 20]\ntopk = 20\n",
		11, 7.384399558407179, 0.1, 0.20833333333333331, 0.24494643770737776, 0.33899444498255615},
	{"mid", "mid.pkl", "mid.pdparams", "mid_expected.npz", "mid_infer_result_py311",
		"MODEL:\n    name: \"AttentionCluster\"\n    feature_names: ['rgb', 'audio']\n    feature_dims: [64, 16]\n    seg_num: 20\n    cluster_nums: [8, 4]\n    num_classes: 101\n    hidden_sizes: [48, 64]\n    topk: 20\n",
		101, 56.85175644067889, 0, 0, 0.001633986928104575, 0.020833333333333332},
}

func paddleFile(name string) string { return filepath.Join("testdata", "paddle", name) }

// configFile writes the case's configuration.
func (p paddleCase) configFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "attention_cluster.txt")
	if err := os.WriteFile(path, []byte(p.config), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// prob is Paddle's probabilities [videos][classes].
func (p paddleCase) prob(t *testing.T) [][]float32 {
	t.Helper()
	arrays, err := npy.Read(paddleFile(p.expected), "prob")
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(slices.Chunk(arrays[0].Floats, p.classes))
}

// checkRanking compares one video's classes and probabilities with Paddle's: to 2e-6, and in the same order
// where two differ by more than 4e-6.
func checkRanking(t *testing.T, want []float32, classes []int64, probs []float64) {
	t.Helper()
	if len(classes) != min(20, len(want)) || len(probs) != len(classes) {
		t.Fatalf("%d classes with %d probabilities, want %d", len(classes), len(probs), min(20, len(want)))
	}
	for i, k := range classes {
		if math.Abs(probs[i]-float64(want[k])) > 2e-6 {
			t.Errorf("class %d: %v, Paddle has %v", k, probs[i], want[k])
		}
		for _, later := range classes[i+1:] {
			if float64(want[later])-float64(want[k]) > 4e-6 {
				t.Errorf("class %d (%v) stands before %d (%v)", k, want[k], later, want[later])
			}
		}
	}
	for k, p := range want {
		if !slices.Contains(classes, int64(k)) && float64(p)-float64(want[classes[len(classes)-1]]) > 4e-6 {
			t.Errorf("class %d (%v) is missing", k, p)
		}
	}
}

// Paddle's weights in every form, on Paddle's features, give Paddle's probabilities.
func TestPaddleWeights(t *testing.T) {
	for _, p := range paddleCases {
		config, want := p.configFile(t), p.prob(t)
		dir := t.TempDir()
		at := func(name string) string { return filepath.Join(dir, name) }
		forms := map[string]string{"as it is": paddleFile(p.weights)}
		for _, to := range []string{"safetensors", "pdparams", "paddle-dir", "paddle-combined"} {
			forms[to] = at(to)
			must(t, "model", "convert", paddleFile(p.weights), at(to), "--to", to, "--config", config)
		}
		forms["tar.gz"] = at("weights.tar.gz")
		if err := os.WriteFile(forms["tar.gz"], archive(t, at("paddle-dir"), "weights/"), 0o666); err != nil {
			t.Fatal(err)
		}
		for form, path := range forms {
			for _, device := range []string{"ref", "cpu"} {
				t.Run(p.name+"/"+form+"/"+device, func(t *testing.T) {
					out := must(t, "infer", "--config", config, "--data", paddleFile(p.features), "--weights", path, "--device", device, "--format", "jsonl")
					lines := strings.Split(strings.TrimSpace(out), "\n")
					if len(lines) != len(want) {
						t.Fatalf("%d videos, want %d", len(lines), len(want))
					}
					for i, line := range lines {
						var row struct {
							TopK []struct {
								Class int64
								Prob  float64
							}
						}
						if err := json.Unmarshal([]byte(line), &row); err != nil {
							t.Fatal(err)
						}
						var classes []int64
						var probs []float64
						for _, k := range row.TopK {
							classes, probs = append(classes, k.Class), append(probs, k.Prob)
						}
						checkRanking(t, want[i], classes, probs)
					}
				})
			}
		}
		var got map[string]float64
		if err := json.Unmarshal([]byte(must(t, "eval", "--config", config, "--data", paddleFile(p.features), "--weights", forms["as it is"], "--format", "json")), &got); err != nil {
			t.Fatal(err)
		}
		for key, want := range map[string]float64{"loss": p.loss, "hit_at_1": p.hit, "perr": p.perr, "gap": p.gap, "map": p.meanAP} {
			if math.Abs(got[key]-want) > 1e-6*math.Max(1, want) {
				t.Errorf("%s: %s is %v, want %v", p.name, key, got[key], want)
			}
		}
	}
}

// archive is the files of a folder as .tar.gz.
func archive(t *testing.T, dir, prefix string) []byte {
	t.Helper()
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	w := tar.NewWriter(zip)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data := read(t, dir, e.Name())
		if err := w.WriteHeader(&tar.Header{Name: prefix + e.Name(), Mode: 0o644, Size: int64(len(data))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The old script's flags write the old script's file.
func TestPaddleResult(t *testing.T) {
	for _, p := range paddleCases {
		config, dir, want := p.configFile(t), t.TempDir(), p.prob(t)
		list := filepath.Join(dir, "infer.list")
		if err := os.WriteFile(list, []byte(paddleFile(p.features)+"\n\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		must(t, "infer", "--model_name=AttentionCluster", "--config="+config, "--filelist="+list, "--weights="+paddleFile(p.weights),
			"--use_gpu=False", "--log_interval=1", "--infer_topk=20", "--batch_size=3", "--save_dir="+filepath.Join(dir, "out"))
		ours, theirs := unpickled(t, filepath.Join(dir, "out", "AttentionCluster_infer_result")), unpickled(t, paddleFile(p.result))
		if len(ours) != len(theirs) {
			t.Fatalf("%s: %d videos, Paddle wrote %d", p.name, len(ours), len(theirs))
		}
		for i := range ours {
			a, b := ours[i].(*pickle.Tuple).Items, theirs[i].(*pickle.Tuple).Items
			if id, ok := a[0].([]byte); !ok || !bytes.Equal(id, b[0].([]byte)) || len(a) != 3 {
				t.Fatalf("%s: video %d is %v, Paddle wrote %v", p.name, i, a[0], b[0])
			}
			classes, _ := pickle.Ints(a[2])
			probs, _ := pickle.Items(a[1])
			var floats []float64
			for _, p := range probs {
				floats = append(floats, p.(float64))
			}
			checkRanking(t, want[i], classes, floats)
		}
	}
}

func unpickled(t *testing.T, path string) []any {
	t.Helper()
	f, err := pickle.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	items, ok := pickle.Items(f.Value)
	if !ok {
		t.Fatalf("%s holds %s", path, pickle.Describe(f.Value))
	}
	return items
}

// Training goes on where Paddle stopped, from a prefix or a folder, with the old script's flags.
func TestPaddleResume(t *testing.T) {
	p := paddleCases[0]
	config := p.configFile(t)
	var moments [2]string
	for i, from := range []string{"AttentionCluster_epoch0", "persistables"} {
		dir := filepath.Join(t.TempDir(), "run")
		code, _, log := avcu(t, "train", "--model_name=AttentionCluster", "--config="+config, "--data="+paddleFile(p.features), "--resume="+paddleFile(from),
			"--use_gpu=False", "--epoch_num=1", "--batch_size=10", "--learning_rate=0.01", "--log_interval=1", "--valid_interval=1", "--save_dir="+dir)
		if code != 0 || !strings.Contains(log, "after step 3 with the optimiser's state") || !strings.Contains(log, "learning rate stored there is 0.001; the configured one, 0.01, is used") {
			t.Fatalf("%s: exit code %d\n%s", from, code, log)
		}
		f, err := safetensors.Open(filepath.Join(dir, "checkpoints", "last.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if step := f.Metadata()["step"]; step != "5" {
			t.Errorf("%s: two steps after 3 is %s", from, step)
		}
		m := make([]float32, 16)
		if err := f.ReadFloat32("adam.m.fc1.bias", m); err != nil {
			t.Fatal(err)
		}
		moments[i] = fmt.Sprint(m)
	}
	if moments[0] != moments[1] {
		t.Errorf("other moments from the folder than from .pdopt:\n%s\n%s", moments[1], moments[0])
	}
}

// Converting to and fro changes no byte.
func TestConvertRoundTrip(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	from := paddleFile("persistables")
	for _, c := range [][3]string{{from, "a", "safetensors"}, {at("a"), "b", "pdparams"}, {at("b"), "c", "safetensors"}, {at("c"), "d", "paddle-dir"}} {
		src := c[0]
		if c[0] == at("b") {
			if err := os.Rename(at("b"), at("b.pdparams")); err != nil { // with b.pdopt beside it
				t.Fatal(err)
			}
		}
		must(t, "model", "convert", src, at(c[1]), "--to", c[2])
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !bytes.Equal(read(t, from, e.Name()), read(t, at("d"), e.Name())) {
			t.Errorf("%s came back changed", e.Name())
		}
	}
	must(t, "model", "convert", from, at("e.npz"), "--to", "npz")
	arrays, err := npy.Read(at("e.npz"), "fc1.weights")
	if err != nil || fmt.Sprint(arrays[0].Shape) != "[120 16]" {
		t.Errorf("npz: %v %v", arrays, err)
	}
	var info struct {
		Step       int64
		Parameters int
		Tensors    []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(must(t, "model", "info", at("a"), "--format", "json")), &info); err != nil {
		t.Fatal(err)
	}
	if info.Step != 3 || info.Parameters != 2648 || len(info.Tensors) != 43 {
		t.Errorf("info: step %d, %d parameters in %d tensors", info.Step, info.Parameters, len(info.Tensors))
	}
}

// Weights that do not fit: an error that says what was expected and found, or with --init-from what fits.
func TestPaddleMisfit(t *testing.T) {
	p := paddleCases[0]
	config := p.configFile(t)
	other := []string{"--set", "MODEL.num_classes=12", "--config", config, "--data", paddleFile(p.features)}
	code, _, log := avcu(t, append([]string{"eval", "--weights", paddleFile(p.weights)}, other...)...)
	for _, want := range []string{"expected logistic.weights [20 12], found [20 11]", "expected logistic.bias [12], found [11]", "The file has", "satt0.shift_w [4]", "--init-from"} {
		if code != 1 || !strings.Contains(log, want) {
			t.Errorf("exit code %d, want 1 and %q in\n%s", code, want, log)
		}
	}
	code, _, log = avcu(t, append([]string{"train", "--pretrain", paddleFile(p.weights), "--save-dir", filepath.Join(t.TempDir(), "run"), "--max-steps", "1"}, other...)...)
	if code != 0 || strings.Count(log, "initialised: logistic.") != 2 || strings.Count(log, "initialised:") != 2 {
		t.Errorf("init-from: exit code %d\n%s", code, log)
	}
	code, _, log = avcu(t, "train", "--model_name=TSN", "--data", paddleFile(p.features))
	if code != 2 || !strings.Contains(log, "TSN") {
		t.Errorf("another model: exit code %d\n%s", code, log)
	}
}

// The optimiser's state alone is no model, and is said to be none before anything else.
func TestPaddleStateAlone(t *testing.T) {
	p := paddleCases[0]
	state := paddleFile("AttentionCluster_epoch0.pdopt")
	for _, args := range [][]string{{"eval", "--weights", state}, {"train", "--resume=" + state, "--save-dir", filepath.Join(t.TempDir(), "run")}} {
		code, _, log := avcu(t, append(args, "--config", p.configFile(t), "--data", paddleFile(p.features))...)
		if code != 1 || !strings.Contains(log, state+" holds no parameters") || !strings.Contains(log, "give the .pdparams") || strings.Contains(log, "goes on") {
			t.Errorf("%s: exit code %d\n%s", args[0], code, log)
		}
	}
}

// A file without names is not converted without a configuration, and with one of other shapes it is as any other file.
func TestPaddleCombined(t *testing.T) {
	p := paddleCases[0]
	config, dir := p.configFile(t), t.TempDir()
	file, to := filepath.Join(dir, "combined"), filepath.Join(dir, "to")
	must(t, "model", "convert", paddleFile(p.weights), file, "--to", "paddle-combined")
	if out := must(t, "model", "info", file); !strings.Contains(out, "#0 ") {
		t.Errorf("info:\n%s", out)
	}
	for _, form := range []string{"safetensors", "pdparams", "paddle-dir", "paddle-combined", "npz"} {
		code, _, log := avcu(t, "model", "convert", file, to, "--to", form)
		if _, err := os.Stat(to); code != 1 || !strings.Contains(log, file+" holds no names") || !strings.Contains(log, "--config") || err == nil {
			t.Errorf("%s: exit code %d, %v\n%s", form, code, err, log)
		}
	}
	must(t, "model", "convert", file, to, "--to", "paddle-combined", "--config", config)
	if !bytes.Equal(read(t, to), read(t, file)) {
		t.Error("it came back changed")
	}
	other := []string{"--set", "MODEL.num_classes=12", "--config", config, "--data", paddleFile(p.features)}
	code, _, log := avcu(t, append([]string{"eval", "--weights", file}, other...)...)
	for _, want := range []string{"expected logistic.weights [20 12], found [20 11]", "expected logistic.bias [12], found [11]"} {
		if code != 1 || !strings.Contains(log, want) {
			t.Errorf("exit code %d, want 1 and %q in\n%s", code, want, log)
		}
	}
	code, _, log = avcu(t, append([]string{"train", "--init-from", file, "--save-dir", filepath.Join(dir, "run"), "--max-steps", "1"}, other...)...)
	if code != 0 || strings.Count(log, "initialised: logistic.") != 2 || strings.Count(log, "initialised:") != 2 {
		t.Errorf("init-from: exit code %d\n%s", code, log)
	}
}
