package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// values compares configurations without notices and origins.
var values = cmp.Options{cmpopts.IgnoreUnexported(Config{}), cmpopts.IgnoreFields(Config{}, "Notices")}

func set(t *testing.T, c *Config, origin string, assignments ...string) {
	t.Helper()
	for _, a := range assignments {
		if err := c.Set(a, origin); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBuiltin(t *testing.T) {
	flash := New()
	flash.Model = Model{
		Name: "AttentionCluster", FeatureNames: []string{"digits"}, FeatureDims: []int{50}, SegNum: 25, ClusterNums: []int{32},
		NumClasses: 1024, TopK: 5, DropRate: 0.5, HiddenSizes: []int{}, Loss: "softmax",
	}
	flash.Train.LearningRate, flash.Train.LRSchedule = 0.015, "linear"
	for name, want := range map[string]*Config{"youtube8m": New(), "flash-mnist": flash} {
		t.Run(name, func(t *testing.T) {
			// Whatever was stored with the weights gives way, but for seed and file lists, on which a built-in has no say.
			c := New()
			set(t, c, "stored", "MODEL.feature_names=[x]", "MODEL.hidden_sizes=[7]", "MODEL.attention_hidden=3", "TRAIN.epoch=9", "TRAIN.clip_norm=1",
				"TEST.batch_size=3", "TRAIN.seed=8", "TRAIN.filelist=a.list")
			if err := c.Load(name); err != nil {
				t.Fatal(err)
			}
			want.Train.Seed, want.Train.FileList = 8, "a.list"
			if diff := cmp.Diff(want, c, values); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if err := c.Validate(); err != nil {
				t.Error(err)
			}
			if got := c.value("TRAIN.epoch").Origin; got != "built-in "+name {
				t.Errorf("TRAIN.epoch comes from %q", got)
			}
			if got := c.value("TRAIN.seed").Origin; got != "stored" {
				t.Errorf("TRAIN.seed comes from %q", got)
			}
		})
	}
}

// TestOrder: the last source wins and is remembered; what none names stays the default.
func TestOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "my.yaml")
	if err := os.WriteFile(path, []byte("TRAIN:\n  epoch: 3\n  seed: 3\n  batch_size: 3\n  clip_norm: 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := New()
	if err := c.Parse([]byte("TRAIN: {epoch: 2, seed: 2, batch_size: 2, clip_norm: 2, warmup_steps: 2}"), "stored with the weights"); err != nil {
		t.Fatal(err)
	}
	if err := c.Load(path); err != nil {
		t.Fatal(err)
	}
	set(t, c, "environment AVCU_EPOCHS", "TRAIN.epoch=4", "TRAIN.seed=4", "TRAIN.batch_size=4")
	set(t, c, "--set", "TRAIN.epoch=5", "TRAIN.seed=5")
	set(t, c, "--epochs", "TRAIN.epoch=6")
	want := map[string]Value{
		"TRAIN.epoch":        {Value: "6", Origin: "--epochs"},
		"TRAIN.seed":         {Value: "5", Origin: "--set"},
		"TRAIN.batch_size":   {Value: "4", Origin: "environment AVCU_EPOCHS"},
		"TRAIN.clip_norm":    {Value: "3.0", Origin: path + ":5"},
		"TRAIN.warmup_steps": {Value: "2", Origin: "stored with the weights"},
	}
	defaults := New().Values()
	for i, got := range c.Values() {
		w, ok := want[got.Key]
		if !ok {
			w = defaults[i]
		}
		w.Key = got.Key
		if diff := cmp.Diff(w, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"MODEL:\n  topk: 3\n  seg_nun: 3", "x: line 3: unknown key MODEL.seg_nun; did you mean MODEL.seg_num?"},
		{"MODEL: {Seg_Num: 3}", "did you mean MODEL.seg_num?"},
		{"TRAIN: {topk: 3}", "unknown key TRAIN.topk; did you mean MODEL.topk?"},
		{"TEST: {files: 3}", "did you mean TEST.filelist?"},
		{"MODLE: {seg_num: 3}", "x: line 1: unknown section MODLE; did you mean MODEL? (There are MODEL, TRAIN, VALID, TEST, INFER.)"},
		{"[modle]\nseg_num=3", "x: line 2: unknown section MODLE; did you mean MODEL?"},
		{"seg_num: 3", "x: line 1: section seg_num is not a list of `key: value`"},
		{"MODEL: {seg_num: many}", "x: line 1: MODEL.seg_num: many is not a whole number"},
		{"MODEL: {seg_num: 'three'}", `MODEL.seg_num: "three" is not a whole number`},
		{"MODEL: {seg_num: 0100}", "0100 is not a whole number without leading zeros"},
		{"MODEL: {seg_num: 3.0}", "3.0 is not a whole number"},
		{"MODEL: {seg_num: 1e2}", "1e2 is not a whole number"},
		{"MODEL: {seg_num: 9223372036854775808}", "9223372036854775808 is not a whole number"},
		{"MODEL: {seg_num: }", "null is not a whole number"},
		{"MODEL: {seg_num: [3]}", "[3] is a list; one value is wanted"},
		{"MODEL: {seg_num: {a: 3}}", "must be a plain value or a list of them"},
		{"MODEL: {seg_num: &a 3, topk: *a}", "must be a plain value"},
		{"MODEL: {feature_dims: 3}", "MODEL.feature_dims: 3 is not a list of whole numbers, such as [32, 32]"},
		{"MODEL: {feature_dims: '[32, 32'}", `"[32, 32" is not a list`},
		{"MODEL: {feature_dims: '3'}", `3 is not a list`},
		{"MODEL: {feature_dims: [32, rgb]}", "rgb is not a whole number; wanted are whole numbers, such as [32, 32]"},
		{"MODEL: {feature_dims: [32, [5]]}", "must be a plain value or a list of them"},
		{"MODEL: {feature_names: [1]}", "1 is not a text; put it in quotes if it is meant as one; wanted are names"},
		{"MODEL: {feature_names: [rgb, ]}\nTRAIN: {epoch: x}", "line 2: TRAIN.epoch: x is not"},
		{"MODEL: {name: true}", "true is not a text"},
		{"MODEL: {loss: [sigmoid]}", "[sigmoid] is a list"},
		{"TRAIN: {learning_rate: fast}", "fast is not a finite number"},
		{"TRAIN: {learning_rate: .inf}", ".inf is not a finite number"},
		{"TRAIN: {learning_rate: inf}", "inf is not a finite number"},
		{"TRAIN: {learning_rate: nan}", "nan is not a finite number"},
		{"TRAIN: {learning_rate: 1e999}", "1e999 is not a finite number"},
		{"TRAIN: {seed: -1}", "-1 is not a whole number from 0 to 2^64-1"},
		{"MODEL: 3", "line 1: section MODEL is not a list of `key: value`"},
		{"- MODEL", "line 1: the text is not a list of"},
		{"MODEL: {", "not YAML: "},
		{"MODEL: {topk: 1}\nMODEL: {topk: 2}", `not YAML: [2:1] mapping key "MODEL" already defined`},
		{"MODEL: {topk: 1, topk: 2}", `mapping key "topk" already defined`},
		{"MODEL: {topk: 1}\n---\nMODEL: {topk: 2}", "more than one document"},
		{"1: {topk: 1}", "1 is not a key"},
		{"[MODEL]\nseg_num", "not an INI file: "},
		{"[MODEL]\nseg_num = 3\n[TRAIN]\n[MODEL]\nseg_num = 4", "x: line 2: MODEL.seg_num comes twice"},
		{"[MODEL]\nseg_num = 3\nseg_num = 3", "MODEL.seg_num comes twice"},
		{"[MODEL]\n[TRAIN]\n\nepochs = 3", "x: line 4: unknown key TRAIN.epochs; did you mean TRAIN.epoch?"},
		{"[TRAIN]\nbatch_size = 3\n[TEST]\nbatch_size = x", "x: line 4: TEST.batch_size: x is not"},
		{"[MODEL]\nseg_num = \"three\"", `MODEL.seg_num: "three" is not a whole number`},
		{"[MODEL]\nseg_num = ", "null is not a whole number"},
		{"[MODEL]\ntopk = 2 * 10", "line 2: MODEL.topk: 2 * 10 is not a whole number"},
		{"[MODEL]\nfeature_dims = [1, 2", "line 2: MODEL.feature_dims: the value \"[1, 2\" is not a Python literal: it ends where"},
		{"[MODEL]\nfeature_dims = [8 * 128, 2]", `is not a Python literal: "* 128, 2]" stands where a comma or the end of the list should come`},
		{"[MODEL]\nfeature_dims = [1, [2]]", `"[2]]" stands where a number, a quoted text, True, False or None should come`},
		{"[MODEL]\nfeature_names = ['rgb', audio]", `"audio]" stands where a number, a quoted text, True, False or None should come (a calculation? write its result)`},
		{"[MODEL]\nfeature_names = [1]", "1 is not a text"},
		{"[MODEL]\nname = 'x", "is not a Python literal: a text lacks its closing '"},
		{"[TRAIN]\n\nfilelist : {1: 2}", "line 3: TRAIN.filelist: the value \"{1: 2}\" is not a Python literal"},
		{"[TRAIN]\nfilelist = \"%(root)s/x\"", "write the value itself"},
		{"[TRAIN]\nepoch = 1\n[train]\nEPOCH = 2", "x: line 4: TRAIN.epoch comes twice"},
		{"MODEL: {name: \xff}", "not text in UTF-8"},
		{"MODEL: {name: \x00}", "not text in UTF-8"},
		{strings.Repeat("[", maxSigns+1), "401 lines, commas"},
		{strings.Repeat("\n", maxSigns+1), "401 lines, commas and other signs in 401 bytes are more than one needs; shorten comments"},
		{strings.Repeat("# a comment as a long one is\n", 150), "300 lines, commas and other signs in 4350 bytes"},
		{strings.Repeat("x", maxText+1), "larger than 8192 bytes"},
		{"MODEL:\n  name: | # text\n    a\n", "not YAML: a text in lines below a | or > is not understood here: write it in quotes"},
		{"MODEL:\n  \"name\": |+2 # \"text\" \"\n    a\n", "write it in quotes"},
		{"MODEL: >-\r\n  a\r\n", "write it in quotes"},
		{"&a x: 3", "config: x: line 1: & is not a key"},
	} {
		err := New().Parse([]byte(c.text), "x")
		if err == nil || !strings.HasPrefix(err.Error(), "config: x: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80q: error %v, want %q", c.text, err, c.want)
		}
	}
}

// What looks like the opening of a text in lines below is none in a comment or in quotes.
func TestParseMarks(t *testing.T) {
	if err := New().Parse([]byte("# see <a/>\nMODEL:\n  # a |\n  name: \"a |\"\n"), "x"); err != nil {
		t.Error(err)
	}
}

func TestParseNothing(t *testing.T) {
	for _, text := range []string{"", "\n", "# nothing\n", "---\n", "MODEL:\n", "MODEL: {}\n", "[MODEL]\n"} {
		c := New()
		if err := c.Parse([]byte(text), "x"); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if diff := cmp.Diff(New(), c, values); diff != "" {
			t.Errorf("%q: (-want +got)\n%s", text, diff)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big")
	if err := os.WriteFile(big, make([]byte, maxText+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		dir: "not a regular file", big: "larger than", filepath.Join(dir, "none.yaml"): "no such file, and no built-in configuration",
		"flash_mnist": "there are youtube8m and flash-mnist",
	} {
		if err := New().Load(name); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
	}
}
