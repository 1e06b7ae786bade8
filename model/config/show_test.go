package config

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestYAML fixes the text that checkpoints hold.
func TestYAML(t *testing.T) {
	const want = `MODEL:
  name: "AttentionCluster"
  feature_names: ["rgb", "audio"]
  feature_dims: [1024, 128]
  seg_num: 100
  cluster_nums: [32, 32]
  num_classes: 3862
  topk: 20
  drop_rate: 0.5
  hidden_sizes: [1024, 4096]
  loss: "sigmoid"
  attention_hidden: 0
TRAIN:
  epoch: 5
  learning_rate: 0.001
  batch_size: 256
  filelist: ""
  seed: 0
  clip_norm: 0.0
  lr_schedule: "constant"
  warmup_steps: 0
VALID:
  batch_size: 256
  filelist: ""
TEST:
  batch_size: 256
  filelist: ""
INFER:
  batch_size: 256
  filelist: ""
`
	if diff := cmp.Diff(want, New().YAML()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestYAMLReadsBack wants every text and every bit of a float to come back.
func TestYAMLReadsBack(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	texts := []string{"", " ", "a: b", "[x]", "{x", "#x", "x #y", "null", "None", "~", "true", "12", "1e-3", "0x1f", "'", `"`, `\`, `\n`, "\n", "a\r\nb", "\t", "é", "\u2028", "😀", "\x01", "\u0085", "\ufeff", "<&>", "- x", "? x", "%TAG", "@", "`", "x, y", "a\u00a0b", "---", "\x7f"}
	const letters = "ab :#-,[]{}\"'\\\n\t\r&*!|>%@`~?=éß中😀\u2028\u2029\x01\x7f\u0085"
	floats := []float64{0, 1, 1e-5, 0.1, 1e21, 5e-324, math.MaxFloat64, 123456789, 1e6, 1e-300}
	for i := range 400 {
		c := New()
		text := texts[i%len(texts)]
		if i >= len(texts) {
			runes := []rune(letters)
			b := strings.Builder{}
			for range random.IntN(12) {
				b.WriteRune(runes[random.IntN(len(runes))])
			}
			text = b.String()
		}
		c.Model.Name, c.Model.FeatureNames = text, []string{"x", text, "y"}
		c.Train.FileList = text
		c.Train.LearningRate = floats[i%len(floats)]
		c.Model.DropRate = math.Abs(math.Float64frombits(random.Uint64() &^ (1 << 62))) // finite
		c.Train.Seed = random.Uint64()
		c.Model.HiddenSizes = []int{}
		back := New()
		if err := back.Parse([]byte(c.YAML()), "again"); err != nil {
			t.Fatalf("%v in\n%s", err, c.YAML())
		}
		if diff := cmp.Diff(c, back, values); diff != "" {
			t.Errorf("%q (-written +read)\n%s", text, diff)
		}
	}
}

func TestDiff(t *testing.T) {
	was, is := New(), New()
	if diff := Diff(was, is); len(diff) != 0 {
		t.Errorf("no difference: %q", diff)
	}
	set(t, is, "--set", "TRAIN.epoch=9", "TRAIN.filelist=other", "VALID.filelist=other", "VALID.batch_size=3")
	if diff := DiffOnResume(was, is); len(diff) != 0 {
		t.Errorf("may not change: %q", diff)
	}
	set(t, is, "--set", "MODEL.cluster_nums=[32, 16]", "TRAIN.learning_rate=0.002", "TRAIN.batch_size=512", "TRAIN.seed=1")
	want := []string{"MODEL.cluster_nums was [32, 32] and is [32, 16]", "TRAIN.learning_rate was 0.001 and is 0.002", "TRAIN.batch_size was 256 and is 512", "TRAIN.seed was 0 and is 1"}
	if diff := cmp.Diff(want, DiffOnResume(was, is)); diff != "" {
		t.Error(diff)
	}
	if got := len(Diff(was, is)); got != len(want)+4 {
		t.Errorf("%d differences in all, want %d", got, len(want)+4)
	}
}
