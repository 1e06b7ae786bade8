package flashmnist

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestQuantise: inside the range the stored value is within half a step of the scaled feature; outside it is the range's
// end, and counted.
func TestQuantise(t *testing.T) {
	const halfStep = 2.0/255 + 1e-6 // and the rounding of Value to float32, 2⁻²³ of at most 2
	s := &Scale{Factor: []float64{1, 0.25, 3, 1}, Offset: []float64{0, -2, 0.5, -1e-3}}
	r := rand.New(rand.NewPCG(1, 2))
	features := make([]float32, 4*5000)
	for i := range features {
		features[i] = float32(r.Float64()*6 - 3)
	}
	codes := make([]uint8, len(features))
	clipped, err := s.Quantise(codes, features)
	if err != nil {
		t.Fatal(err)
	}
	low, high := float64(Value(0)), float64(Value(255))
	want := 0
	for i, f := range features {
		x := s.Factor[i%4]*float64(f) + s.Offset[i%4]
		if x < low-2.0/255 || x > high+2.0/255 {
			want++
		}
		if got := float64(Value(codes[i])); math.Abs(got-min(max(x, low), high)) > halfStep {
			t.Fatalf("feature %v, scaled %v, is stored as %d = %v", f, x, codes[i], got)
		}
	}
	if clipped != want || want == 0 {
		t.Errorf("%d clipped, want %d", clipped, want)
	}
	for q := range 256 { // what is exactly a byte's value comes back as this byte
		back := []uint8{0}
		one := &Scale{Factor: []float64{1}, Offset: []float64{0}}
		if clipped, err := one.Quantise(back, []float32{Value(uint8(q))}); err != nil || clipped != 0 || int(back[0]) != q {
			t.Errorf("byte %d comes back as %d, clipped %d, error %v", q, back[0], clipped, err)
		}
	}
	if got, want := Value(0), float32(-1.9921875); got != want { // 4/512 − 2
		t.Errorf("byte 0 is %v, want %v", got, want)
	}
	if got, want := Value(255), float32(2.0078125); got != want {
		t.Errorf("byte 255 is %v, want %v", got, want)
	}
}

// TestCalibrate: mean 0 and standard deviation 1, and a dimension that never changes is stored as 0.
func TestCalibrate(t *testing.T) {
	const rows, width = 1000, 4
	r := rand.New(rand.NewPCG(3, 4))
	features := make([]float32, rows*width)
	for row := range rows {
		f := features[row*width:]
		f[0] = float32(max(0, r.NormFloat64())) // a ReLU's
		f[1] = float32(1e3 + 0.5*r.NormFloat64())
		f[2] = 0
		f[3] = 0.1
	}
	features[3] = math.Nextafter32(0.1, 1) // rounding, no change to scale by
	s, err := Calibrate(features, width)
	if err != nil {
		t.Fatal(err)
	}
	for d := range width {
		var sum, square float64
		for row := range rows {
			x := s.Factor[d]*float64(features[row*width+d]) + s.Offset[d]
			sum += x / rows
			square += x * x / rows
		}
		want := 1.0
		if d >= 2 {
			want = 0
		}
		// Terms of 2·10³, dimension 1's, are rounded by 2⁻⁴², and 1,000 of them add up to 2⁻³² at most.
		if !(math.Abs(sum) <= 1e-9 && math.Abs(square-want) <= 1e-9) {
			t.Errorf("dimension %d: mean %g, variance %g, want 0 and %g", d, sum, square, want)
		}
	}
	if _, err := Calibrate(features[:7], width); err == nil {
		t.Error("no error for a row cut short")
	}
	if _, err := Calibrate(nil, width); err == nil {
		t.Error("no error without features")
	}
	features[9] = float32(math.Inf(1))
	if _, err := Calibrate(features, width); err == nil || !strings.Contains(err.Error(), "feature 1 of frame 2") {
		t.Errorf("error %v, want one that names the feature", err)
	}
}

func TestQuantiseBad(t *testing.T) {
	s := &Scale{Factor: []float64{1, 1}, Offset: []float64{0, 0}}
	codes := make([]uint8, 4)
	if _, err := s.Quantise(codes, []float32{1, 2, 3, float32(math.NaN())}); err == nil || !strings.Contains(err.Error(), "feature 1 of frame 1") {
		t.Errorf("error %v, want one that names the feature", err)
	}
	if _, err := s.Quantise(codes[:3], []float32{1, 2, 3}); err == nil {
		t.Error("no error for a row cut short")
	}
	if _, err := s.Quantise(codes[:2], []float32{1, 2, 3, 4}); err == nil {
		t.Error("no error for too little room")
	}
	if clipped, err := s.Quantise(codes[:2], []float32{float32(math.Inf(1)), float32(math.Inf(-1))}); err != nil || clipped != 2 ||
		codes[0] != 255 || codes[1] != 0 {
		t.Errorf("infinities become %v, clipped %d, error %v", codes[:2], clipped, err)
	}
}
