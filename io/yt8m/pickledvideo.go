package yt8m

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"avcu/io/pickle"
)

// Keys of a video's dict in Paddle's feature files.
const (
	keyID     = "video"
	keyLabels = "label"
	keyFrames = "nframes"
	keyRGB    = "feature" // Paddle's name of rgb; every other feature has its own
)

// unpickled makes item, an element of a pickle's list, the video v, whose frames are read into buffer; it returns buffer, or
// a larger one. v has as many frames as nframes says, and that many rows; with MaxFrames below 0 all rows of the arrays.
func (d *Decoder) unpickled(item any, v *Video, buffer []byte) ([]byte, error) {
	dict, ok := item.(*pickle.Dict)
	if !ok {
		return buffer, &DecodeError{At: -1, What: fmt.Sprintf("%s, expected a dict with the keys video, feature, audio, label and nframes: write the file again", pickle.Describe(item))}
	}
	if err := d.pickledID(dict, v); err != nil {
		return buffer, err
	}
	if err := d.pickledLabels(dict, v); err != nil {
		return buffer, err
	}
	if err := pickledFrames(dict, v); err != nil {
		return buffer, err
	}
	return d.pickledRows(dict, v, buffer)
}

func (d *Decoder) pickledID(dict *pickle.Dict, v *Video) error {
	value, found := dict.Get(keyID)
	if !found {
		return missingKey(dict, keyID)
	}
	id, ok := pickle.Text(value)
	if !ok || id == "" {
		what := pickle.Describe(value)
		if ok {
			what = "empty"
		}
		return &DecodeError{Feature: keyID, At: -1, What: what + ", expected the video's id as text or bytes: write the file again"}
	}
	v.ID = []byte(id)
	return nil
}

func (d *Decoder) pickledLabels(dict *pickle.Dict, v *Video) error {
	value, found := dict.Get(keyLabels)
	if !found {
		return missingKey(dict, keyLabels)
	}
	v.Labels = v.Labels[:0]
	add := func(label int64) error {
		if what := wrongLabel(label, d.spec.Classes); what != "" {
			return &DecodeError{Feature: keyLabels, At: -1, What: what}
		}
		v.Labels = append(v.Labels, int32(label))
		return nil
	}
	if items, ok := pickle.Items(value); ok {
		v.Labels = slices.Grow(v.Labels, len(items))
		for _, item := range items {
			label, ok := item.(int64)
			if !ok {
				return noLabels(pickle.Describe(value) + " with " + pickle.Describe(item) + " in it")
			}
			if err := add(label); err != nil {
				return err
			}
		}
		return nil
	}
	array, ok := value.(*pickle.NDArray)
	if !ok || array.DType == pickle.Bool || strings.HasPrefix(string(array.DType), "float") || len(array.Shape) > 1 {
		return noLabels(pickle.Describe(value))
	}
	labels, err := array.Ints()
	if err != nil {
		return fmt.Errorf("feature %q: %w", keyLabels, err)
	}
	v.Labels = slices.Grow(v.Labels, len(labels))
	for _, label := range labels {
		if err := add(label); err != nil {
			return err
		}
	}
	return nil
}

func noLabels(what string) error {
	return &DecodeError{Feature: keyLabels, At: -1, What: what + ", expected a list or an array of class numbers: write the file again"}
}

// wrongLabel says what is wrong with a label where there are so many classes, 0 for any number; empty for nothing.
func wrongLabel(label int64, classes int) string {
	limit := int64(math.MaxInt32) + 1
	if classes > 0 {
		limit = int64(classes)
	}
	switch {
	case label < 0:
		return fmt.Sprintf("label %d is negative: remove the label or the video", label)
	case label >= limit:
		return fmt.Sprintf("label %d, expected 0 to %d: set num_classes to the number of classes, or remove the video", label, limit-1)
	}
	return ""
}

func pickledFrames(dict *pickle.Dict, v *Video) error {
	value, found := dict.Get(keyFrames)
	if !found {
		return missingKey(dict, keyFrames)
	}
	n, ok := value.(int64)
	if !ok {
		return &DecodeError{Feature: keyFrames, At: -1, What: pickle.Describe(value) + ", expected a whole number: write the file again"}
	}
	if n < 1 || n > math.MaxInt32 {
		return &DecodeError{Feature: keyFrames, At: -1, What: fmt.Sprintf("%d frames, expected one or more: remove the video", n)}
	}
	v.Frames = int(n)
	return nil
}

// pickledRows reads the frames of all features, one array after the other, into buffer.
func (d *Decoder) pickledRows(dict *pickle.Dict, v *Video, buffer []byte) ([]byte, error) {
	if len(v.Rows) != len(d.spec.Names) {
		v.Rows = make([][][]byte, len(d.spec.Names))
	}
	arrays, size := make([]*pickle.NDArray, len(d.spec.Names)), 0
	for m := range arrays {
		var err error
		if arrays[m], err = d.array(dict, m, v.Frames); err != nil {
			return buffer, err
		}
		size += d.rows(arrays[m], v) * d.spec.Dims[m]
	}
	if cap(buffer) < size {
		buffer = make([]byte, size)
	}
	rest := buffer[:size]
	for m, array := range arrays {
		dim, n := d.spec.Dims[m], d.rows(array, v)
		data := rest[:n*dim]
		rest = rest[n*dim:]
		if err := array.Read(data); err != nil {
			return buffer, fmt.Errorf("feature %q: %w", d.spec.Names[m], err)
		}
		rows := v.Rows[m][:0]
		if cap(rows) < n {
			rows = make([][]byte, 0, n)
		}
		for i := range n {
			rows = append(rows, data[i*dim:(i+1)*dim])
		}
		v.Rows[m] = rows
	}
	return buffer, nil
}

// rows is how many rows of an array are read.
func (d *Decoder) rows(array *pickle.NDArray, v *Video) int {
	if d.spec.MaxFrames < 0 {
		return array.Shape[0]
	}
	return v.Frames
}

// array returns the array of feature m, which has n rows or more.
func (d *Decoder) array(dict *pickle.Dict, m, n int) (*pickle.NDArray, error) {
	name, dim := d.spec.Names[m], d.spec.Dims[m]
	value, found := dict.Get(name)
	if !found && name == "rgb" {
		value, found = dict.Get(keyRGB)
	}
	if !found {
		return nil, missingKey(dict, name)
	}
	array, ok := value.(*pickle.NDArray)
	wrong := func(format string, args ...any) error {
		return &DecodeError{Feature: name, At: -1, What: fmt.Sprintf(format, args...)}
	}
	switch {
	case !ok || array.DType != pickle.Uint8 || len(array.Shape) != 2:
		return nil, wrong("%s, expected an array of uint8 with a row of %d for each frame: quantise the features and write the file again", pickle.Describe(value), dim)
	case array.Shape[1] != dim:
		return nil, wrong("frames are %d wide, expected %d: set feature_dims to the widths of these files, or remove the video", array.Shape[1], dim)
	case array.Shape[0] < n:
		return nil, wrong("%d rows and nframes is %d, expected a row for each frame: write the video again, or remove it", array.Shape[0], n)
	}
	return array, nil
}

// missingKey is the error of a video without a key.
func missingKey(dict *pickle.Dict, key string) error {
	const most = 8
	var keys []string
	for i, e := range dict.Entries {
		if i == most {
			keys = append(keys, "…")
			break
		}
		name, ok := pickle.Text(e.Key)
		if !ok {
			keys = append(keys, pickle.Describe(e.Key))
			continue
		}
		keys = append(keys, fmt.Sprintf("%.40q", name))
	}
	has := "no key at all"
	if len(keys) > 0 {
		has = "the keys " + strings.Join(keys, ", ")
	}
	remedy := "write the file again"
	if key != keyID && key != keyLabels && key != keyFrames {
		remedy = "set feature_names to the names in these files (feature stands for rgb)"
	}
	return &DecodeError{Feature: key, At: -1, What: fmt.Sprintf("missing; the video has %s: %s", has, remedy)}
}
