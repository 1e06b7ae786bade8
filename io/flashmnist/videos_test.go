package flashmnist

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"avcu/io/mnist"

	"github.com/google/go-cmp/cmp"
)

// TestVideos: every class equally often, and every digit of a class in one or two frames, both about equally often.
func TestVideos(t *testing.T) {
	for _, row := range []struct {
		split    Split
		perClass int
	}{{Train, 3}, {Test, 1}} {
		videos, err := madeSource(t, 1).Videos(row.split, row.perClass)
		if err != nil {
			t.Fatal(err)
		}
		if videos.Len() != Classes*row.perClass {
			t.Errorf("%s: %d videos, want %d", row.split, videos.Len(), Classes*row.perClass)
		}
		var perClass [Classes]int
		var once, twice, mixed float64
		for i := range videos.Len() {
			class := videos.Class(i)
			perClass[class]++
			if class != i%Classes {
				mixed++
			}
			var times [Digits]int
			for _, digit := range videos.Truth(i) {
				if digit != NoDigit {
					times[digit]++
				}
			}
			for digit, n := range times {
				shown := class>>digit&1 == 1
				if !shown && n != 0 || shown && n != 1 && n != 2 {
					t.Errorf("%s of class %d shows digit %d in %d frames", videos.ID(i), class, digit, n)
				}
				if n == 1 {
					once++
				} else if n == 2 {
					twice++
				}
			}
		}
		for class, n := range perClass {
			if n != row.perClass {
				t.Errorf("%s: class %d has %d videos, want %d", row.split, class, n, row.perClass)
			}
		}
		if square, freedom := chiSquare([]float64{once, twice}, []float64{0.5, 0.5}); square > chiSquareBound(freedom) {
			t.Errorf("%s: %g digits in one frame, %g in two", row.split, once, twice)
		}
		if mixed < 0.9*float64(videos.Len()) {
			t.Errorf("%s: the classes are not mixed, only %g videos are off their place", row.split, mixed)
		}
	}
}

// TestVideoFrames: a digit's frame is nowhere below an image of that digit, of the right split, and all images of a digit
// and all places get their turn. Digits are told by a pixel pattern that noise (nearly always 0 here) does not hide.
func TestVideoFrames(t *testing.T) {
	made := func(split Split) *mnist.Set {
		set := &mnist.Set{Images: make([]uint8, 30*Pixels), Labels: make([]uint8, 30)}
		for i := range set.Labels {
			set.Labels[i] = uint8(i / 3) // images 3d, 3d+1, 3d+2 show digit d
			set.Image(i)[i] = 250 + uint8(split)
		}
		return set
	}
	s, err := NewSource(made(Train), made(Test), 5)
	if err != nil {
		t.Fatal(err)
	}
	for _, split := range []Split{Train, Test} {
		videos, err := s.Videos(split, 1)
		if err != nil {
			t.Fatal(err)
		}
		images := make([]uint8, Frames*Pixels)
		var places [Frames]float64
		var shown [30]float64
		for i := range videos.Len() {
			truth := videos.Make(i, images)
			if diff := cmp.Diff(videos.Truth(i), truth); diff != "" {
				t.Fatalf("%s: Truth differs from what Make says:\n%s", videos.ID(i), diff)
			}
			for frame, digit := range truth {
				if digit == NoDigit {
					continue
				}
				places[frame]++
				image := images[frame*Pixels : (frame+1)*Pixels]
				found := slices.IndexFunc(image[3*digit:3*digit+3], func(p uint8) bool { return p == 250+uint8(split) })
				if found < 0 {
					t.Fatalf("%s frame %d: no image of digit %d of %s shows", videos.ID(i), frame, digit, split)
				}
				shown[3*digit+found]++
			}
		}
		even := func(n int) []float64 { return slices.Repeat([]float64{1 / float64(n)}, n) }
		if square, freedom := chiSquare(places[:], even(Frames)); square > chiSquareBound(freedom) {
			t.Errorf("%s: digits per place %v: chi-square %.1f", split, places, square)
		}
		// One pixel in 784 of noise may show as an image that is not there: far below what this bound sees.
		if square, freedom := chiSquare(shown[:], even(30)); square > chiSquareBound(freedom) {
			t.Errorf("%s: frames per image %v: chi-square %.1f", split, shown, square)
		}
	}
}

// TestBlocks: the videos come out in their order and the same whatever the size of a block and the number of workers.
func TestBlocks(t *testing.T) {
	const count = 37
	videos, err := madeSource(t, 9).Videos(Train, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]uint8, count*Frames*Pixels)
	for i := count - 1; i >= 0; i-- {
		videos.Make(i, want[i*Frames*Pixels:(i+1)*Frames*Pixels])
	}
	for _, row := range []struct{ size, workers int }{{1, 1}, {8, 3}, {37, 2}, {64, 16}} {
		var got []uint8
		err := videos.blocks(context.Background(), count, row.size, row.workers, func(b *block) error {
			if b.first*Frames*Pixels != len(got) {
				t.Errorf("block of video %d comes after %d", b.first, len(got)/Frames/Pixels)
			}
			got = append(got, b.images...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%d videos a block, %d workers: pixels differ", row.size, row.workers)
		}
	}

	broken := errors.New("broken")
	calls := 0
	many, err := madeSource(t, 9).Videos(Train, 1000)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	err = many.blocks(context.Background(), many.Len(), 2, 2, func(*block) error { calls++; return broken })
	if err != broken || calls != 1 {
		t.Errorf("error %v after %d calls, want the one of the only call", err, calls)
	}
	if took := time.Since(begin); took > 5*time.Second { // the other million videos would take far longer
		t.Errorf("ended %v after the error", took)
	}
	ctx, cancel := context.WithCancel(context.Background())
	err = videos.blocks(ctx, count, 2, 2, func(*block) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v after the context ended", err)
	}
}

// TestSeeds: another seed, split or video is another video, the same again the same.
func TestSeeds(t *testing.T) {
	make1 := func(seed uint64, split Split, i int) []uint8 {
		videos, err := madeSource(t, seed).Videos(split, 1)
		if err != nil {
			t.Fatal(err)
		}
		images := make([]uint8, Frames*Pixels)
		videos.Make(i, images)
		return images
	}
	if !bytes.Equal(make1(1, Train, 4), make1(1, Train, 4)) {
		t.Error("the same video differs")
	}
	base := make1(1, Train, 4)
	for name, other := range map[string][]uint8{"seed": make1(2, Train, 4), "split": make1(1, Test, 4), "number": make1(1, Train, 5)} {
		same := 0
		for i := range base {
			if base[i] == other[i] {
				same++
			}
		}
		if share := float64(same) / float64(len(base)); share > 0.8 { // of unrelated frames 0.64 + a little agree
			t.Errorf("another %s: %.0f %% of the pixels are the same", name, 100*share)
		}
	}
}

func TestClassName(t *testing.T) {
	for class, want := range map[int]string{0: "none", 1: "0", 5: "0 2", 512: "9", 1023: "0 1 2 3 4 5 6 7 8 9"} {
		if got := ClassName(class); got != want {
			t.Errorf("class %d is %q, want %q", class, got, want)
		}
	}
}

func TestNewSourceBad(t *testing.T) {
	good := madeSet(20, 1)
	noNine := madeSet(9, 1)
	wild := madeSet(20, 1)
	wild.Labels[3] = 10
	short := &mnist.Set{Images: good.Images[1:], Labels: good.Labels}
	for _, row := range []struct {
		name        string
		train, test *mnist.Set
		want        string
	}{
		{"nothing", &mnist.Set{}, good, "no pixels"},
		{"digit missing", good, noNine, "test set: no image of digit 9"},
		{"label", wild, good, "train set: label 10 of image 3"},
		{"sizes", good, short, "test set: 15679 bytes"},
	} {
		if _, err := NewSource(row.train, row.test, 1); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: error %v, want %q", row.name, err, row.want)
		}
	}
	s := madeSource(t, 1)
	for _, perClass := range []int{-1, 0, 1 << 40} {
		if _, err := s.Videos(Train, perClass); err == nil {
			t.Errorf("no error for %d videos a class", perClass)
		}
	}
}

func BenchmarkVideo(b *testing.B) {
	videos, err := madeSource(b, 1).Videos(Train, 1)
	if err != nil {
		b.Fatal(err)
	}
	images := make([]uint8, Frames*Pixels)
	b.SetBytes(int64(len(images)))
	for i := 0; b.Loop(); i++ {
		videos.Make(i%videos.Len(), images)
	}
}
