package config

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The published configurations, with some numbers changed.
const paddleINI = `[MODEL]
name = "AttentionCluster"
dataset = "YouTube-8M"
bone_network = None
drop_rate = 0.25
feature_num = 2
feature_names = ['rgb', 'audio']
feature_dims = [1024, 128]
seg_num = 100
cluster_nums = [32,
    16]
num_classes = 3862  # of the 2nd release
topk = 20

[TRAIN]
epoch = 3
learning_rate = 1e-2
pretrain_base = None
batch_size = 2048
use_gpu = True
num_gpus = 8
filelist = "dataset/a;b#c/train.list"

[VALID]
batch_size = 2048
filelist = None
`

const paddleYAML = `MODEL:
    name: "AttentionCluster"
    dataset: "YouTube-8M"
    bone_network: None
    drop_rate: 0.25
    feature_num: 2
    feature_names: ['rgb', 'audio']
    feature_dims: [1024, 128]
    seg_num: 100
    cluster_nums:
        - 32
        - 16
    num_classes: 3862  # of the 2nd release
    topk: 20
    UNIQUE:
        good: 20
        bad: 30

TRAIN:
    epoch: 3
    learning_rate: 1e-2
    pretrain_base: None
    batch_size: 2048
    use_gpu: True
    num_gpus: 8
    filelist: "dataset/a;b#c/train.list"

VALID:
    batch_size: 2048
    filelist: None
TEST:
`

func TestPaddleForms(t *testing.T) {
	want := New()
	want.Model.DropRate, want.Model.ClusterNums = 0.25, []int{32, 16}
	want.Train = Train{Epoch: 3, LearningRate: 0.01, BatchSize: 2048, FileList: "dataset/a;b#c/train.list", LRSchedule: "constant"}
	want.Valid.BatchSize = 2048
	notices := []string{"MODEL.dataset", "MODEL.bone_network", "MODEL.feature_num", "TRAIN.pretrain_base", "TRAIN.use_gpu", "TRAIN.num_gpus"}
	for _, c := range []struct {
		name, text string
		notices    []string
	}{
		{"attention_cluster.txt", paddleINI, notices},
		{"windows.txt", "\ufeff" + strings.ReplaceAll(paddleINI, "\n", "\r\n"), notices},
		{"comment.txt", "; by hand\n\n# so\n" + paddleINI, notices},
		{"attention_cluster.yaml", paddleYAML, []string{"MODEL.dataset", "MODEL.bone_network", "MODEL.feature_num", "MODEL.UNIQUE", "TRAIN.pretrain_base", "TRAIN.use_gpu", "TRAIN.num_gpus"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := New()
			for range 2 { // the second time brings no second notice
				if err := got.Parse([]byte(c.text), c.name); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(want, got, values); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			var notices []string
			for _, key := range c.notices {
				notices = append(notices, key+" means nothing here and is ignored")
			}
			if diff := cmp.Diff(notices, got.Notices); diff != "" {
				t.Errorf("notices (-want +got)\n%s", diff)
			}
		})
	}
}

// TestFirstRelease: the names that Paddle's keys had at first, and what its reader lets pass.
func TestFirstRelease(t *testing.T) {
	const text = `[model]
Name : AttentionCluster
bone_nework = None
class_num = 1_000
feature_names = (u'rgb', "audio",)
feature_dims = 1024, 0x80
[TRAIN]
gpu_num = 4
filelist = data/train.list  # not quoted
[VALID]
filelist = '100%%.list'
`
	want := New()
	want.Model.NumClasses = 1000
	want.Train.FileList, want.Valid.FileList = "data/train.list", "100%.list"
	got := New()
	if err := got.Parse([]byte(text), "x"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, values); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"MODEL.bone_nework means nothing here and is ignored", "TRAIN.gpu_num means nothing here and is ignored"}, got.Notices); diff != "" {
		t.Errorf("notices (-want +got)\n%s", diff)
	}
}

// TestLines: every value of a file knows its line, in either form.
func TestLines(t *testing.T) {
	for name, text := range map[string]string{"a.yaml": paddleYAML, "a.txt": paddleINI} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c := New()
		if err := c.Load(path); err != nil {
			t.Fatal(err)
		}
		for _, v := range c.Values() {
			_, key, _ := strings.Cut(v.Key, ".")
			line, found := strings.CutPrefix(v.Origin, path+":")
			if !found {
				if v.Origin != "default" || strings.Contains(text, key+" = ") && v.Key != "TEST.batch_size" && v.Key != "TEST.filelist" && !strings.HasPrefix(v.Key, "INFER") {
					t.Errorf("%s: %s comes from %q", name, v.Key, v.Origin)
				}
				continue
			}
			number, err := strconv.Atoi(line)
			if lines := strings.Split(text, "\n"); err != nil || !strings.HasPrefix(strings.TrimSpace(lines[number-1]), key) {
				// A list in block form counts from its first entry.
				if v.Key != "MODEL.cluster_nums" {
					t.Errorf("%s: %s comes from line %s", name, v.Key, line)
				}
			}
		}
	}
}
