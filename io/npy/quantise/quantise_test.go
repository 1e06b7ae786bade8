package quantise

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestValue: the bytes' values are those that the definition of YouTube-8M gives, and come back as the same bytes.
func TestValue(t *testing.T) {
	values, bytes := make([]float32, 256), make([]uint8, 256)
	for q := range values {
		const highest, lowest = 2.0, -2.0
		values[q] = Value(uint8(q))
		if want := float32(float64(q)*(highest-lowest)/255 + (highest-lowest)/512 + lowest); values[q] != want {
			t.Errorf("byte %d is %v, want %v", q, values[q], want)
		}
	}
	clipped, err := Identity(1).Quantise(bytes, values)
	if err != nil || clipped != 0 {
		t.Errorf("%d clipped, %v", clipped, err)
	}
	for q, b := range bytes {
		if int(b) != q {
			t.Errorf("%v becomes %d, want %d", values[q], b, q)
		}
	}
}

// TestNearest: no other byte's value is nearer, and what is clipped is counted.
func TestNearest(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const n, width = 5000, 4
	s := &Scale{Factor: []float64{1, -0.5, 30, 0}, Offset: []float64{0, 0.7, -3, 1.25}}
	features := make([]float32, n*width)
	for i := range features {
		features[i] = float32(random.NormFloat64()) * []float32{1, 2, 0.05, 100}[i%width]
	}
	got := make([]uint8, len(features))
	clipped, err := s.Quantise(got, features)
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	for i, f := range features {
		x := s.Factor[i%width]*float64(f) + s.Offset[i%width]
		distance := func(q int) float64 { return math.Abs(float64(q)*4/255 + 4.0/512 - 2 - x) }
		for _, q := range []int{int(got[i]) - 1, int(got[i]) + 1} {
			if q >= 0 && q <= 255 && distance(q) < distance(int(got[i]))-1e-12 {
				t.Errorf("%v becomes %d, but %d is nearer", x, got[i], q)
			}
		}
		if distance(int(got[i])) > 2.0/255+1e-12 {
			want++
		}
	}
	if clipped != want || want == 0 || want == len(features) {
		t.Errorf("%d are said to be clipped, want %d", clipped, want)
	}
}

func TestQuantiseEnds(t *testing.T) {
	features := []float32{-math.MaxFloat32, -2.1, -2, 2, 2.1, math.MaxFloat32}
	got := make([]uint8, len(features))
	clipped, err := Identity(1).Quantise(got, features)
	if diff := cmp.Diff([]uint8{0, 0, 0, 255, 255, 255}, got); err != nil || clipped != 4 || diff != "" {
		t.Errorf("%d clipped, %v (-want +got)\n%s", clipped, err, diff)
	}
}

func TestQuantiseRefuses(t *testing.T) {
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
		_, err := Identity(2).Quantise(make([]uint8, 6), []float32{0, 0, 0, 0, 0, bad})
		if err == nil || !strings.Contains(err.Error(), "dimension 1 of frame 2 is ") {
			t.Errorf("%v: error %v", bad, err)
		}
		s := Statistics{}
		if err := s.Add([]float32{0, bad}, 2); err == nil || !strings.Contains(err.Error(), "dimension 1 of frame 0 is ") || s.Rows() != 0 {
			t.Errorf("%v: error %v, %d rows", bad, err, s.Rows())
		}
	}
	for _, c := range []struct{ width, bytes, features int }{{0, 2, 2}, {2, 2, 4}, {2, 3, 3}} {
		if _, err := Identity(c.width).Quantise(make([]uint8, c.bytes), make([]float32, c.features)); err == nil {
			t.Errorf("%v: no error", c)
		}
	}
	for _, c := range []struct{ scale, want string }{
		{`{"factor": [1, 2], "offset": [3, 4]}`, ""}, {`{"factor": [1], "offset": [3, 4]}`, "1 factors and 2 offsets"}, {`{}`, "0 factors"},
	} {
		var s Scale
		if err := json.Unmarshal([]byte(c.scale), &s); err != nil {
			t.Fatal(err)
		}
		if err := s.Check(2); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.scale, err, c.want)
		}
	}
	if err := (&Scale{Factor: []float64{1, math.NaN()}, Offset: []float64{0, 0}}).Check(2); err == nil || !strings.Contains(err.Error(), "dimension 1") {
		t.Errorf("not a number: %v", err)
	}
}

// TestStatistics: parts and merging give what one look at everything gives, and the scale does what it promises.
func TestStatistics(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	const n, width = 3000, 3
	features := make([]float32, n*width)
	for i := range features {
		features[i] = []float32{0.25, 1e4, -7}[i%width] + []float32{3, 1, 0}[i%width]*float32(random.NormFloat64())
	}
	var whole, parts, other Statistics
	for _, err := range []error{
		whole.Add(features, width),
		parts.Add(nil, width), parts.Add(features[:width], width), parts.Add(features[width:1000*width], width),
		other.Add(features[1000*width:], width), parts.Merge(&other), parts.Merge(&Statistics{}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if parts.Rows() != n {
		t.Errorf("%d rows, want %d", parts.Rows(), n)
	}
	want, err := whole.Scale()
	if err != nil {
		t.Fatal(err)
	}
	got, err := parts.Scale()
	if err != nil {
		t.Fatal(err)
	}
	for d := range width {
		if math.Abs(got.Factor[d]-want.Factor[d]) > 1e-9*want.Factor[d] || math.Abs(got.Offset[d]-want.Offset[d]) > 1e-9*math.Abs(want.Offset[d])+1e-9 {
			t.Errorf("dimension %d: %v·f + %v in parts, %v·f + %v at once", d, got.Factor[d], got.Offset[d], want.Factor[d], want.Offset[d])
		}
		sum, squares := 0.0, 0.0
		for i := d; i < len(features); i += width {
			x := got.Factor[d]*float64(features[i]) + got.Offset[d]
			sum += x
			squares += x * x
		}
		deviation := []float64{1, 1, 0}[d]
		if math.Abs(sum/n) > 1e-6 || math.Abs(math.Sqrt(squares/n)-deviation) > 1e-6 {
			t.Errorf("dimension %d is scaled to mean %v and deviation %v", d, sum/n, math.Sqrt(squares/n))
		}
	}
	clipped, err := got.Quantise(make([]uint8, len(features)), features)
	if share := float64(clipped) / (2 * n); err != nil || share < 0.03 || share > 0.06 { // erfc(√2) = 4.6 % of a normal distribution
		t.Errorf("%v of what changes is clipped, %v", share, err)
	}
	if err := parts.Add(features[:4], 2); err == nil || !strings.Contains(err.Error(), "2 dimensions among others of 3") {
		t.Errorf("another width: %v", err)
	}
	if err := parts.Add(features[:4], 3); err == nil {
		t.Error("no rows")
	}
	if _, err := new(Statistics).Scale(); err == nil {
		t.Error("a scale from nothing")
	}
}
