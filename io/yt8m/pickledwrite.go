package yt8m

import (
	"fmt"
	"io"
	"slices"

	"avcu/io/pickle"
)

// A PickleEncoder writes videos as Paddle's converter does, each a dict in a list, keys in the order feature, further
// features, label, nframes, video. Ids are bytes in Python 3 and str in Python 2, keys str in both.
type PickleEncoder struct {
	out  *pickle.Encoder
	keys []string // of the features
}

// NewPickleEncoder makes an encoder of videos whose Rows[m] are the frames of names[m]; rgb is written as feature. The caller
// makes the list around them, as out.List does, and closes out.
func NewPickleEncoder(out *pickle.Encoder, names []string) (*PickleEncoder, error) {
	keys := slices.Clone(names)
	for m, name := range names {
		if name == "rgb" {
			keys[m] = keyRGB
		}
		if keys[m] == keyID || keys[m] == keyLabels || keys[m] == keyFrames || slices.Contains(keys[:m], keys[m]) {
			return nil, fmt.Errorf("yt8m: a feature cannot be named %q in a pickle, where that key is taken: choose another name", name)
		}
	}
	return &PickleEncoder{out: out, keys: keys}, nil
}

// Encode writes v with all its rows; nframes is v.Frames. Errors are those of closing the encoder below.
func (e *PickleEncoder) Encode(v *Video) {
	e.out.Dict(func() {
		for m, key := range e.keys {
			rows := v.Rows[m]
			width := 0
			if len(rows) > 0 {
				width = len(rows[0])
			}
			e.out.Str(key)
			e.out.Array(pickle.Uint8, []int{len(rows), width}, func(w io.Writer) error {
				for _, row := range rows {
					if _, err := w.Write(row); err != nil {
						return err
					}
				}
				return nil
			})
		}
		e.out.Str(keyLabels)
		e.out.List(func() {
			for _, label := range v.Labels {
				e.out.Int(int64(label))
			}
		})
		e.out.Str(keyFrames)
		e.out.Int(int64(v.Frames))
		e.out.Str(keyID)
		e.out.Bytes(v.ID)
	})
}
