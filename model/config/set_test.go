package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSet(t *testing.T) {
	c := New()
	set(t, c, "--set", "MODEL.feature_names=[rgb, flow, 'a: b']", " MODEL.cluster_nums = [ 1,2, 3 ] ", "MODEL.hidden_sizes=[]", "TRAIN.learning_rate=1e-5",
		"TRAIN.clip_norm=2", "TRAIN.seed=18446744073709551615", "TRAIN.filelist='data/x y=z.list'", "VALID.filelist=/data/v.list", "TEST.filelist=\"é\\n\"",
		"INFER.batch_size=7", "MODEL.name=")
	want := New()
	want.Model.Name, want.Model.FeatureNames, want.Model.ClusterNums, want.Model.HiddenSizes = "", []string{"rgb", "flow", "a: b"}, []int{1, 2, 3}, []int{}
	want.Train.LearningRate, want.Train.ClipNorm, want.Train.Seed, want.Train.FileList = 1e-5, 2, 1<<64-1, "data/x y=z.list"
	want.Valid.FileList, want.Test.FileList, want.Infer.BatchSize = "/data/v.list", "é\n", 7
	if diff := cmp.Diff(want, c, values); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestSetLoosely: a list needs no brackets on the command line.
func TestSetLoosely(t *testing.T) {
	c := New()
	set(t, c, "--set", "MODEL.cluster_nums=32,16", "MODEL.hidden_sizes=()")
	if diff := cmp.Diff([]any{[]int{32, 16}, []int{}}, []any{c.Model.ClusterNums, c.Model.HiddenSizes}); diff != "" {
		t.Error(diff)
	}
}

func TestSetRefuses(t *testing.T) {
	for _, c := range []struct{ assignment, want string }{
		{"TRAIN.epoch", `"TRAIN.epoch" is not SECTION.key=value`},
		{"epoch=3", `"epoch=3" is not SECTION.key=value`},
		{"", `"" is not SECTION.key=value`},
		{"TRAIN.epochs=3", "unknown key TRAIN.epochs; did you mean TRAIN.epoch?"},
		{"train.epoch=3", "unknown section train; did you mean TRAIN?"},
		{"TRAIN.epoch=", "TRAIN.epoch: null is not a whole number"},
		{"TRAIN.epoch=three", "TRAIN.epoch: three is not a whole number"},
		{"MODEL.cluster_nums=[32", `MODEL.cluster_nums: the value "[32" is not YAML`},
		{"MODEL.cluster_nums=32;32", "32;32 is not a list"},
		{"MODEL.name=" + strings.Repeat("x", maxText+1), "is not YAML: not a configuration: larger"},
	} {
		before := New()
		err := before.Set(c.assignment, "--set")
		if err == nil || !strings.HasPrefix(err.Error(), "config: --set: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80q: error %v, want %q", c.assignment, err, c.want)
		}
		if diff := cmp.Diff(New().Values(), before.Values()); diff != "" && !strings.Contains(c.want, "not a whole") {
			t.Errorf("%.80q: changed all the same:\n%s", c.assignment, diff)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct{ assignments, want string }{
		{"", ""},
		{"MODEL.drop_rate=0", ""},
		{"MODEL.drop_rate=1", "MODEL.drop_rate must be at least 0 and less than 1, and is 1.0 (from: --set)"},
		{"MODEL.drop_rate=-0.1", "MODEL.drop_rate must be"},
		{"MODEL.feature_dims=[5]", "MODEL.feature_names has 2 entries (from: default), feature_dims 1 (from: --set) and cluster_nums 2 (from: default); they must agree"},
		{"MODEL.cluster_nums=[5]", "they must agree"},
		{"MODEL.feature_names=[5a]", "they must agree"},
		{"MODEL.feature_names=[]", "MODEL.feature_names must be at least one name, none empty or twice, and is []"},
		{"MODEL.feature_names=[a, a]", `and is ["a", "a"] (from: --set)`},
		{"MODEL.feature_names=[a, '']", "MODEL.feature_names must be"},
		{"MODEL.feature_dims=[5, 0]", "MODEL.feature_dims must be from 1 to 1048576, and is [5, 0]"},
		{"MODEL.feature_dims=[5, 1048577]", "MODEL.feature_dims must be"},
		{"MODEL.cluster_nums=[-1, 4]", "MODEL.cluster_nums must be"},
		{"MODEL.cluster_nums=[65537, 4]", "MODEL.cluster_nums must be"},
		{"MODEL.hidden_sizes=[]", ""},
		{"MODEL.hidden_sizes=[1, 0]", "MODEL.hidden_sizes must be"},
		{"MODEL.seg_num=0", "MODEL.seg_num must be"},
		{"MODEL.seg_num=65537", "MODEL.seg_num must be"},
		{"MODEL.num_classes=0", "MODEL.num_classes must be"},
		{"MODEL.num_classes=16777217", "MODEL.num_classes must be"},
		{"MODEL.topk=0", "MODEL.topk must be"},
		{"MODEL.attention_hidden=-1", "MODEL.attention_hidden must be"},
		{"MODEL.attention_hidden=64", ""},
		{"MODEL.loss=softmax", ""},
		{"MODEL.loss=hinge", `MODEL.loss must be sigmoid or softmax, and is "hinge"`},
		{"TRAIN.epoch=0", "TRAIN.epoch must be"},
		{"TRAIN.learning_rate=0", "TRAIN.learning_rate must be more than 0, and is 0.0"},
		{"TRAIN.batch_size=0", "TRAIN.batch_size must be"},
		{"TRAIN.batch_size=1048577", "TRAIN.batch_size must be"},
		{"TRAIN.clip_norm=-1", "TRAIN.clip_norm must be"},
		{"TRAIN.lr_schedule=linear", ""},
		{"TRAIN.lr_schedule=cosine", "TRAIN.lr_schedule must be constant or linear"},
		{"TRAIN.warmup_steps=-1", "TRAIN.warmup_steps must be"},
		{"VALID.batch_size=0", "VALID.batch_size must be"},
		{"TEST.batch_size=0", "TEST.batch_size must be"},
		{"INFER.batch_size=0", "INFER.batch_size must be"},
	} {
		cfg := New()
		if c.assignments != "" {
			set(t, cfg, "--set", c.assignments)
		}
		err := cfg.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.assignments, err, c.want)
		}
	}
}
