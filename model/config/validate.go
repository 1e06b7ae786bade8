package config

import (
	"fmt"
	"slices"
)

// Validate says what is wrong with the values, alone and taken together, and where they came from.
func (c *Config) Validate() error {
	m, t := c.Model, c.Train
	const size = "from 1 to 1048576"
	for _, check := range []struct {
		key string
		ok  bool
		be  string
	}{
		{"MODEL.feature_names", len(m.FeatureNames) > 0 && unique(m.FeatureNames), "at least one name, none empty or twice"},
		{"MODEL.feature_dims", inRange(m.FeatureDims, 1<<20), size},
		{"MODEL.cluster_nums", inRange(m.ClusterNums, 1<<16), "from 1 to 65536"},
		{"MODEL.hidden_sizes", inRange(m.HiddenSizes, 1<<20), size},
		{"MODEL.seg_num", m.SegNum >= 1 && m.SegNum <= 1<<16, "from 1 to 65536"},
		{"MODEL.num_classes", m.NumClasses >= 1 && m.NumClasses <= 1<<24, "from 1 to 16777216"},
		{"MODEL.topk", m.TopK >= 1, "at least 1"},
		{"MODEL.attention_hidden", m.AttentionHidden >= 0 && m.AttentionHidden <= 1<<20, "from 0 to 1048576"},
		{"MODEL.drop_rate", m.DropRate >= 0 && m.DropRate < 1, "at least 0 and less than 1"},
		{"MODEL.loss", m.Loss == "sigmoid" || m.Loss == "softmax", "sigmoid or softmax"},
		{"TRAIN.epoch", t.Epoch >= 1, "at least 1"},
		{"TRAIN.learning_rate", t.LearningRate > 0, "more than 0"},
		{"TRAIN.batch_size", t.BatchSize >= 1 && t.BatchSize <= 1<<20, size},
		{"TRAIN.clip_norm", t.ClipNorm >= 0, "at least 0"},
		{"TRAIN.lr_schedule", t.LRSchedule == "constant" || t.LRSchedule == "linear", "constant or linear"},
		{"TRAIN.warmup_steps", t.WarmupSteps >= 0, "at least 0"},
		{"VALID.batch_size", c.Valid.BatchSize >= 1 && c.Valid.BatchSize <= 1<<20, size},
		{"TEST.batch_size", c.Test.BatchSize >= 1 && c.Test.BatchSize <= 1<<20, size},
		{"INFER.batch_size", c.Infer.BatchSize >= 1 && c.Infer.BatchSize <= 1<<20, size},
	} {
		if !check.ok {
			v := c.value(check.key)
			return fmt.Errorf("config: %s must be %s, and is %s (from: %s)", check.key, check.be, v.Value, v.Origin)
		}
	}
	if n := len(m.FeatureNames); len(m.FeatureDims) != n || len(m.ClusterNums) != n {
		return fmt.Errorf("config: MODEL.feature_names has %d entries (from: %s), feature_dims %d (from: %s) and cluster_nums %d (from: %s); they must agree",
			n, c.value("MODEL.feature_names").Origin, len(m.FeatureDims), c.value("MODEL.feature_dims").Origin,
			len(m.ClusterNums), c.value("MODEL.cluster_nums").Origin)
	}
	return nil
}

// value is the value of a key that exists.
func (c *Config) value(key string) Value {
	values := c.Values()
	return values[slices.IndexFunc(values, func(v Value) bool { return v.Key == key })]
}

func inRange(list []int, limit int) bool {
	return !slices.ContainsFunc(list, func(n int) bool { return n < 1 || n > limit })
}

func unique(names []string) bool {
	sorted := slices.Sorted(slices.Values(names))
	return len(slices.Compact(sorted)) == len(names) && !slices.Contains(names, "")
}
