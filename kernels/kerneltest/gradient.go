package kerneltest

import (
	"math"
	"testing"
)

// Gradient holds the gradients of a reference against central differences in float64. Loss computes a
// scalar from the inputs as they stand; grads[name] is its gradient by inputs[name]. At most 64
// elements of each input are moved, spread evenly. Inputs without a gradient are constants.
func Gradient(t *testing.T, inputs, grads map[string][]float64, loss func() float64) {
	t.Helper()
	for name := range grads {
		if _, ok := inputs[name]; !ok {
			t.Fatalf("a gradient by %s, which is no input", name)
		}
	}
	for name, x := range inputs {
		g, ok := grads[name]
		if !ok {
			continue
		}
		if len(g) != len(x) {
			t.Fatalf("%s: gradient of %d elements for %d", name, len(g), len(x))
		}
		for i := 0; i < len(x); i += max(1, len(x)/64) {
			was := x[i]
			h := 1e-5 * math.Max(1, math.Abs(was))
			x[i] = was + h
			up := loss()
			x[i] = was - h
			down := loss()
			x[i] = was
			slope := (up - down) / (2 * h)
			// Truncation is of order h² = 1e-10 and cancellation of order 1e-16·loss/h.
			if tol := 1e-6*math.Max(1, math.Abs(slope)) + 1e-10*math.Abs(up); !(math.Abs(slope-g[i]) <= tol) {
				t.Errorf("d loss / d %s[%d] = %v, differences say %v", name, i, g[i], slope)
			}
		}
	}
}
