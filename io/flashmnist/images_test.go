package flashmnist

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestImages: an image is nowhere below its digit and has its label; it does not depend on those beside it.
func TestImages(t *testing.T) {
	const copies, noise = 3, 17
	s := madeSource(t, 4)
	set, err := s.Images(Test, copies, noise)
	if err != nil {
		t.Fatal(err)
	}
	n := copies*30 + noise
	if set.Len() != n {
		t.Fatalf("%d images, want %d", set.Len(), n)
	}
	order := set.Order(0)
	images, labels := make([]uint8, n*Pixels), make([]int32, n)
	if err := set.Fill(images, labels, order); err != nil {
		t.Fatal(err)
	}
	for row, number := range order {
		image := images[row*Pixels : (row+1)*Pixels]
		want := int32(NoiseLabel)
		if number < copies*30 {
			want = int32(s.digits[Test].Labels[number%30])
			for p, least := range s.digits[Test].Image(int(number % 30)) {
				if image[p] < least {
					t.Fatalf("image %d: pixel %d is %d, its digit's is %d", number, p, image[p], least)
				}
			}
		}
		if labels[row] != want {
			t.Errorf("image %d has label %d, want %d", number, labels[row], want)
		}
		alone, label := make([]uint8, Pixels), make([]int32, 1)
		if err := set.Fill(alone, label, []int32{number}); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(alone, image) || label[0] != labels[row] {
			t.Fatalf("image %d differs when made alone", number)
		}
		if earlier := slices.Index(order[:row], number); earlier >= 0 {
			t.Fatalf("image %d comes twice", number)
		}
	}
	for a := range n { // copies of a digit, and noise, are drawn anew
		for b := range a {
			if bytes.Equal(images[a*Pixels:(a+1)*Pixels], images[b*Pixels:(b+1)*Pixels]) {
				t.Fatalf("images %d and %d are the same", order[a], order[b])
			}
		}
	}

	if diff := cmp.Diff(order, set.Order(0)); diff != "" {
		t.Errorf("the same epoch has another order:\n%s", diff)
	}
	if slices.Equal(order, set.Order(1)) || slices.IsSorted(order) {
		t.Error("the order is not shuffled, or not anew in another epoch")
	}
}

func TestImagesBad(t *testing.T) {
	s := madeSource(t, 4)
	for _, row := range []struct{ copies, noise int }{{-1, 0}, {0, -1}, {1 << 60, 0}, {0, 1 << 60}, {maxImages / 60, 100}} {
		if _, err := s.Images(Train, row.copies, row.noise); err == nil {
			t.Errorf("no error for %d copies and %d of noise", row.copies, row.noise)
		}
	}
	set, err := s.Images(Train, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name           string
		pixels, labels int
		number         int32
	}{
		{"too far", Pixels, 1, 61}, {"negative", Pixels, 1, -1}, {"pixels", Pixels - 1, 1, 0}, {"labels", Pixels, 2, 0},
	} {
		if err := set.Fill(make([]uint8, row.pixels), make([]int32, row.labels), []int32{row.number}); err == nil {
			t.Errorf("%s: no error", row.name)
		}
	}
	if err := set.Fill(make([]uint8, Pixels), make([]int32, 1), []int32{60}); err != nil {
		t.Errorf("the last image: %v", err)
	}
}

// TestMovedImages: a digit is moved by at most reach pixels, by every distance, and not cut otherwise.
func TestMovedImages(t *testing.T) {
	const copies, reach = 40, 1
	s := madeSource(t, 4)
	set, err := s.Images(Test, copies, 0)
	if err != nil {
		t.Fatal(err)
	}
	set = set.Moved(reach)
	images, labels := make([]uint8, set.Len()*Pixels), make([]int32, set.Len())
	numbers := make([]int32, set.Len())
	for i := range numbers {
		numbers[i] = int32(i)
	}
	if err := set.Fill(images, labels, numbers); err != nil {
		t.Fatal(err)
	}
	seen := map[[2]int]bool{}
	for i := range numbers {
		image, digit := images[i*Pixels:(i+1)*Pixels], s.digits[Test].Image(i%30)
		var fits [][2]int
		for y := -reach; y <= reach; y++ {
			for x := -reach; x <= reach; x++ {
				if covers(image, digit, x, y) {
					fits = append(fits, [2]int{x, y})
				}
			}
		}
		if len(fits) == 0 {
			t.Fatalf("image %d holds its digit at no distance up to %d", i, reach)
		}
		if len(fits) == 1 {
			seen[fits[0]] = true
		}
	}
	if len(seen) != 9 {
		t.Errorf("only %d of 9 distances were seen: %v", len(seen), seen)
	}
}

// covers reports that no pixel of the image is below that of the digit, moved by x and y.
func covers(image, digit []uint8, x, y int) bool {
	for row := range edge {
		for col := range edge {
			r, c := row-y, col-x
			if r >= 0 && r < edge && c >= 0 && c < edge && image[row*edge+col] < digit[r*edge+c] {
				return false
			}
		}
	}
	return true
}
