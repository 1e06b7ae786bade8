package metric

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSoftmax(t *testing.T) {
	classes := []int32{4, 0, 1, 3, 6, 2}
	probs := []float32{.4, .2, .1, .1, .1, .05}
	for _, c := range []struct {
		name       string
		labels     []int32
		top1, top5 float64
	}{
		{"first", []int32{4}, 1, 1},
		{"first twice", []int32{4, 4}, 1, 1},
		{"second", []int32{0}, 0, 1},
		{"fifth", []int32{6}, 0, 1},
		{"sixth", []int32{2}, 0, 0},
		{"not ranked", []int32{5}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := NewSoftmax(7)
			if err := a.Add("v", classes, probs, c.labels); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(SoftmaxResult{Videos: 1, Top1: c.top1, Top5: c.top5}, a.Result()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSoftmaxFewClasses(t *testing.T) {
	a := NewSoftmax(2)
	for _, label := range []int32{0, 1, 1} {
		if err := a.Add("v", []int32{1, 0}, []float32{.7, .3}, []int32{label}); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.AddLoss(6); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(SoftmaxResult{Videos: 3, Loss: 2, Top1: 2. / 3, Top5: 1}, a.Result()); diff != "" {
		t.Error(diff)
	}
}

func TestSoftmaxRefuses(t *testing.T) {
	classes, probs := []int32{4, 0, 1, 3, 6}, []float32{.4, .2, .1, .1, .1}
	for _, c := range []struct {
		name string
		v    video
		want string
	}{
		{"no label", video{classes, probs, nil}, "0 labels: a model with softmax loss needs exactly one"},
		{"two labels", video{classes, probs, []int32{1, 2}}, "2 labels"},
		{"label past the classes", video{classes, probs, []int32{7}}, "label 7 is not a class"},
		{"too few", video{classes[:4], probs[:4], []int32{1}}, "4 highest classes given, 5 needed"},
		{"NaN", video{classes, []float32{.4, .2, .1, .1, float32(math.NaN())}, []int32{1}}, "probability of class 6 is NaN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := NewSoftmax(7)
			err := a.Add("vid-7", c.v.classes, c.v.probs, c.v.labels)
			if err == nil || !strings.HasPrefix(err.Error(), `metric: video "vid-7": `+c.want) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			if diff := cmp.Diff(SoftmaxResult{}, a.Result()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestLossOrder adds losses in several orders and compares with the exact sum: what a plain float64 sum loses here is far
// above one unit in the last place.
func TestLossOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	losses := make([]float64, 100_000)
	exact := new(big.Float).SetPrec(2000)
	for i := range losses {
		losses[i] = 100 * random.ExpFloat64()
		exact.Add(exact, new(big.Float).SetFloat64(losses[i]))
	}
	want, _ := exact.Float64()
	for range 4 {
		random.Shuffle(len(losses), func(i, j int) { losses[i], losses[j] = losses[j], losses[i] })
		var s lossSum
		for _, x := range losses {
			if err := s.add(x); err != nil {
				t.Fatal(err)
			}
		}
		// One unit in the last place is at most 2.2e-16 of the sum.
		if got := s.mean(1); math.Abs(got-want) > 2.3e-16*want {
			t.Errorf("sum %.17g, want %.17g", got, want)
		}
	}
}

func TestLossRefuses(t *testing.T) {
	for _, loss := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		for _, a := range []interface{ AddLoss(float64) error }{NewSigmoid(2), NewSoftmax(2)} {
			if err := a.AddLoss(loss); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("loss is %v", loss)) {
				t.Errorf("%T: loss %v: error %v", a, loss, err)
			}
		}
	}
}
