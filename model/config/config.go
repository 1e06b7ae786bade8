// Package config is the resolved configuration: what model, trained how, on what. Keys and sections
// are those of PaddlePaddle's attention_cluster configs, with some of our own.
//
// A Config begins as the published setting (New) and is changed by one source after the other, the
// least important first: the configuration stored with weights (Parse), --config (Load), environment,
// --set and flags (Set). Each value remembers where it came from.
package config

// Config is all there is to say. The zero value is not useful; begin with New.
type Config struct {
	Model Model
	Train Train
	Valid Split
	Test  Split
	Infer Split

	// Notices are keys that were accepted and mean nothing here, each once.
	Notices []string

	origin map[string]string // by SECTION.key; without an entry: default
}

// Model is the section MODEL.
type Model struct {
	Name            string
	FeatureNames    []string
	FeatureDims     []int
	SegNum          int // frames sampled from each video
	ClusterNums     []int
	NumClasses      int
	TopK            int
	DropRate        float64
	HiddenSizes     []int  // tanh layers before the classifier; none: one linear layer
	Loss            string // sigmoid or softmax
	AttentionHidden int    // width of a tanh layer inside attention scoring; 0: none
}

// Train is the section TRAIN.
type Train struct {
	Epoch        int
	LearningRate float64
	BatchSize    int
	FileList     string
	Seed         uint64
	ClipNorm     float64 // 0: none
	LRSchedule   string  // constant or linear
	WarmupSteps  int
}

// Split is the section VALID, TEST or INFER.
type Split struct {
	BatchSize int
	FileList  string
}

// New is the published setting for the 2nd YouTube-8M release.
func New() *Config {
	split := Split{BatchSize: 256}
	return &Config{
		Model: Model{
			Name: "AttentionCluster", FeatureNames: []string{"rgb", "audio"}, FeatureDims: []int{1024, 128}, SegNum: 100,
			ClusterNums: []int{32, 32}, NumClasses: 3862, TopK: 20, DropRate: 0.5, HiddenSizes: []int{1024, 4096}, Loss: "sigmoid",
		},
		Train: Train{Epoch: 5, LearningRate: 0.001, BatchSize: 256, LRSchedule: "constant"},
		Valid: split, Test: split, Infer: split,
		origin: map[string]string{},
	}
}

// builtin returns the configurations that need no file.
func builtin(name string) (c *Config, ok bool) {
	c = New()
	switch name {
	case "youtube8m":
	case "flash-mnist":
		c.Model.FeatureNames, c.Model.FeatureDims, c.Model.ClusterNums = []string{"digits"}, []int{50}, []int{32}
		c.Model.SegNum, c.Model.NumClasses, c.Model.TopK = 25, 1024, 5
		c.Model.HiddenSizes, c.Model.Loss = []int{}, "softmax"
		c.Train.LearningRate, c.Train.LRSchedule = 0.015, "linear"
	default:
		return nil, false
	}
	return c, true
}

// field is one key and where its value is: a pointer to string, int, uint64, float64, []int or []string.
type field struct {
	section, key string
	ptr          any
}

func (f field) name() string { return f.section + "." + f.key }

// fields are all keys in the order in which they are shown and stored.
func (c *Config) fields() []field {
	m, t := &c.Model, &c.Train
	return []field{
		{"MODEL", "name", &m.Name}, {"MODEL", "feature_names", &m.FeatureNames}, {"MODEL", "feature_dims", &m.FeatureDims},
		{"MODEL", "seg_num", &m.SegNum}, {"MODEL", "cluster_nums", &m.ClusterNums}, {"MODEL", "num_classes", &m.NumClasses},
		{"MODEL", "topk", &m.TopK}, {"MODEL", "drop_rate", &m.DropRate}, {"MODEL", "hidden_sizes", &m.HiddenSizes},
		{"MODEL", "loss", &m.Loss}, {"MODEL", "attention_hidden", &m.AttentionHidden},
		{"TRAIN", "epoch", &t.Epoch}, {"TRAIN", "learning_rate", &t.LearningRate}, {"TRAIN", "batch_size", &t.BatchSize},
		{"TRAIN", "filelist", &t.FileList}, {"TRAIN", "seed", &t.Seed}, {"TRAIN", "clip_norm", &t.ClipNorm},
		{"TRAIN", "lr_schedule", &t.LRSchedule}, {"TRAIN", "warmup_steps", &t.WarmupSteps},
		{"VALID", "batch_size", &c.Valid.BatchSize}, {"VALID", "filelist", &c.Valid.FileList},
		{"TEST", "batch_size", &c.Test.BatchSize}, {"TEST", "filelist", &c.Test.FileList},
		{"INFER", "batch_size", &c.Infer.BatchSize}, {"INFER", "filelist", &c.Infer.FileList},
	}
}
