package paddle

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		name, parameter string
		kind            Kind
	}{
		{"fc1.weights", "fc1.weights", Parameter},
		{"fc1.weights_moment1_0", "fc1.weights", Moment1},
		{"fc1.bias_moment2_0", "fc1.bias", Moment2},
		{"satt0.conv.bias_beta1_pow_acc_0", "satt0.conv.bias", Beta1Pow},
		{"satt0.conv.bias_beta2_pow_acc_0", "satt0.conv.bias", Beta2Pow},
		{"node_1.w_0_moment1_12", "node_1.w_0", Moment1},
		{"learning_rate_0", "", LearningRate},
		{"@LR_DECAY_COUNTER@", "", Counter},
		{"learning_rate", "learning_rate", Parameter},
		{"node_1.w_0", "node_1.w_0", Parameter},
		{"_moment1_0", "_moment1_0", Parameter},
		{"w_moment1", "w_moment1", Parameter},
		{"w_moment1_", "w_moment1_", Parameter},
		{"", "", Parameter},
	} {
		p, kind := Split(c.name)
		if p != c.parameter || kind != c.kind {
			t.Errorf("%q: %q, %d", c.name, p, kind)
		}
		if kind != Parameter && c.name != "node_1.w_0_moment1_12" && Join(p, kind) != c.name {
			t.Errorf("%q joined is %q", c.name, Join(p, kind))
		}
	}
}

func TestCountSteps(t *testing.T) {
	pow1, pow2 := float32(0.9), float32(0.999)
	gone1, gone2 := int64(0), int64(0) // steps after which they vanish
	for step := int64(0); step < 120_000; step++ {
		if pow1 < smallPower && gone1 == 0 {
			gone1 = step
		}
		if pow2 < smallPower && gone2 == 0 {
			gone2 = step
		}
		want := step
		if gone2 > 0 {
			want = gone2
		}
		if step < 2000 || step%997 == 0 || gone2 > 0 && step < gone2+10 {
			if got, err := CountSteps(pow1, pow2, 0.9, 0.999); err != nil || got != want {
				t.Fatalf("step %d: %d, %v", step, got, err)
			}
			for _, other := range []float32{1 + 1.2e-7, 1 - 1.2e-7} {
				if got, err := CountSteps(pow1*other, pow2*other, 0.9, 0.999); step > 0 && gone2 == 0 && pow1 > 2*smallPower && (err != nil || got != want) {
					t.Fatalf("step %d, rounded otherwise: %d, %v", step, got, err)
				}
			}
		}
		pow1 *= 0.9
		pow2 *= 0.999
	}
	if gone1 < 700 || gone1 > 1000 || gone2 < 80_000 || gone2 > 100_000 {
		t.Errorf("powers vanish after %d and %d steps", gone1, gone2)
	}
	nan := float32(math.NaN())
	for _, c := range [][4]float32{{0.85, 0.999, 0.9, 0.999}, {0.95, 0.999, 0.9, 0.999}, {-1, 0.9, 0.9, 0.999}, {0.9, 0.999, 1, 0.999}, {0.9, 0.999, 0, 0.999},
		{nan, nan, 0.9, 0.999}, {1e-30, 1e-30, 0.99999994, 0.999}, {0, 2, 0.9, 0.999}} {
		if got, err := CountSteps(c[0], c[1], c[2], c[3]); err == nil {
			t.Errorf("%v: %d steps", c, got)
		}
	}
}

func TestStepsDisagree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.pdopt")
	if err := WritePickle(path, []Tensor{
		FromFloat32("a_beta1_pow_acc_0", []int{1}, []float32{0.9}), FromFloat32("a_beta2_pow_acc_0", []int{1}, []float32{0.999}),
		FromFloat32("b_beta1_pow_acc_0", []int{1}, []float32{0.81}), FromFloat32("b_beta2_pow_acc_0", []int{1}, []float32{0.998001}),
	}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := open(t, path).Steps(0.9, 0.999); err == nil || !strings.Contains(err.Error(), "a was trained for 0 steps, b for 1") {
		t.Errorf("error %v", err)
	}
	if _, _, err := open(t, path).Steps(0.5, 0.999); err == nil || !strings.Contains(err.Error(), "a_beta1_pow_acc_0") {
		t.Errorf("error %v", err)
	}
}
