package convert

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"avcu/io/npy"
	"avcu/io/npy/quantise"
	"avcu/io/yt8m"
)

// A converter reads one's own features.
type converter struct {
	FeatureOptions
	layout   *layout
	features []Feature         // what they are; the counts are in tallies
	scales   []*quantise.Scale // of each feature; nil for bytes

	mu      sync.Mutex
	tallies []tally // of each feature
}

// A tally counts what was written of a feature.
type tally struct{ values, clipped int64 }

func (c *converter) names() (names []string) {
	for _, f := range c.features {
		names = append(names, f.Name)
	}
	return names
}

func (c *converter) dims() (dims []int) {
	for _, f := range c.features {
		dims = append(dims, f.Dim)
	}
	return dims
}

// unnamed is the name of an array that numpy.savez was given without one.
var unnamed = regexp.MustCompile(`^arr_\d+$`)

// look takes the features to be those of a video; the others must be alike.
func (c *converter) look(id string) error {
	names := c.layout.names
	var arrays []npy.Array
	var err error
	switch {
	case len(names) > 0:
		arrays, err = c.arrays(id, names)
	case c.layout.kind == archives:
		arrays, err = npy.Read(c.layout.path(id, ""))
	default: // byVideo
		if _, names, _, err = contents(filepath.Join(c.Folder, id)); err == nil {
			arrays, err = c.arrays(id, names)
		}
	}
	if err != nil {
		return err
	}
	if len(arrays) == 0 {
		return fmt.Errorf("convert: video %q in %s has no array: save one for each feature", id, c.Folder)
	}
	for m, a := range arrays {
		if unnamed.MatchString(a.Name) && len(names) == 0 {
			return fmt.Errorf("convert: %s: array %q has no name of a feature: save it as numpy.savez(file, rgb=…, audio=…)", c.layout.path(id, a.Name), a.Name)
		}
		f := Feature{Name: a.Name, Float: a.Floats != nil}
		if len(a.Shape) == 2 {
			f.Dim = a.Shape[1]
		}
		if len(c.Dims) > m {
			f.Dim = c.Dims[m]
		}
		c.features = append(c.features, f)
		if err := c.check(id, m, a); err != nil {
			return err
		}
	}
	return nil
}

// arrays reads the arrays of a video.
func (c *converter) arrays(id string, names []string) ([]npy.Array, error) {
	if c.layout.kind == archives {
		return npy.Read(c.layout.path(id, ""), names...)
	}
	var arrays []npy.Array
	for _, name := range names {
		list, err := npy.Read(c.layout.path(id, name), name)
		if err != nil {
			return nil, err
		}
		arrays = append(arrays, list...)
	}
	return arrays, nil
}

// read reads the arrays of a video, which must be like those of all others.
func (c *converter) read(id string) ([]npy.Array, error) {
	arrays, err := c.arrays(id, c.names())
	if err != nil {
		return nil, err
	}
	for m, a := range arrays {
		if err := c.check(id, m, a); err != nil {
			return nil, err
		}
	}
	return arrays, nil
}

// check says what is wrong with the array of feature m.
func (c *converter) check(id string, m int, a npy.Array) error {
	f := c.features[m]
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("convert: %s: feature %q: %s", c.layout.path(id, f.Name), f.Name, fmt.Sprintf(format, args...))
	}
	switch {
	case len(a.Shape) != 2 || a.Shape[0] == 0 || a.Shape[1] == 0:
		shape := strings.ReplaceAll(strings.Trim(fmt.Sprint(a.Shape), "[]"), " ", ", ")
		return wrong("an array of shape (%s), expected (frames, width), a row for each frame: save it so, or leave the video out of %s", shape, c.Truth)
	case a.Shape[1] != f.Dim:
		return wrong("frames are %d wide, expected %d: all videos must have the same width, which is that of feature_dims where a configuration is given", a.Shape[1], f.Dim)
	case (a.Floats != nil) != f.Float:
		kinds := map[bool]string{false: "uint8", true: "floating point"}
		return wrong("elements are %s, and %s in other videos: save all in one type", kinds[!f.Float], kinds[f.Float])
	}
	return nil
}

// each hands over videos in their order, all features as bytes.
func (c *converter) each(videos []labelled, emit func(*yt8m.Video) error) error {
	v := &yt8m.Video{Rows: make([][][]byte, len(c.features))}
	for _, video := range videos {
		arrays, err := c.read(video.id)
		if err != nil {
			return err
		}
		v.ID, v.Labels, v.Frames = []byte(video.id), video.labels, 0
		clipped := make([]int, len(arrays))
		for m, a := range arrays {
			data := a.Bytes
			if scale := c.scales[m]; scale != nil {
				data = make([]byte, len(a.Floats))
				if clipped[m], err = scale.Quantise(data, a.Floats); err != nil {
					return fmt.Errorf("convert: %s: feature %q: %w", c.layout.path(video.id, a.Name), a.Name, err)
				}
			}
			v.Rows[m] = slices.Collect(slices.Chunk(data, a.Shape[1]))
			if m == 0 || a.Shape[0] < v.Frames {
				v.Frames = a.Shape[0]
			}
		}
		if err := emit(v); err != nil {
			return err
		}
		c.mu.Lock()
		for m, a := range arrays {
			c.tallies[m].values += int64(a.Shape[0] * a.Shape[1])
			c.tallies[m].clipped += int64(clipped[m])
		}
		c.mu.Unlock()
	}
	return nil
}
