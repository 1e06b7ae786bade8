// Package yt8m reads frame-level YouTube-8M files: TFRecord files whose records are tf.train.SequenceExample protobufs with
// the context features id (video_id in the first release) and labels, and one feature list a modality, such as rgb and
// audio, with one string of uint8 a frame. Paddle's feature files, pickles of a list of dicts with the keys video, feature (that
// is rgb), audio, label and nframes, are read wherever TFRecords are. It turns a list of files into batches of sampled frames (Source), and single
// files into videos (Reader).
//
// Source: the YouTube-8M starter code, github.com/google/youtube-8m, and tensorflow/core/example/example.proto.
package yt8m

import (
	"fmt"
	"strings"
)

// DefaultMaxFrames is the most frames that a video of a TFRecord counts for: the published pipeline cuts there.
const DefaultMaxFrames = 300

// A Spec says what videos must hold.
type Spec struct {
	Names     []string // names of the feature lists, in the order in which features are delivered
	Dims      []int    // bytes of one frame of each
	Classes   int      // labels lie in [0, Classes); 0: any label that is not negative
	MaxFrames int      // frames after these are left out of a TFRecord; 0: DefaultMaxFrames, negative: all frames count. In a pickle nframes counts
}

// check returns s with its defaults set, or what is wrong with it.
func (s Spec) check() (Spec, error) {
	if len(s.Names) == 0 {
		return s, fmt.Errorf("yt8m: no feature names: set feature_names, for example [rgb, audio]")
	}
	if len(s.Names) != len(s.Dims) {
		return s, fmt.Errorf("yt8m: %d feature names (%s) but %d feature dims: give one width for each name", len(s.Names), strings.Join(s.Names, ", "), len(s.Dims))
	}
	for i, name := range s.Names {
		if name == "" {
			return s, fmt.Errorf("yt8m: feature name %d is empty", i)
		}
		for _, other := range s.Names[:i] {
			if name == other {
				return s, fmt.Errorf("yt8m: feature name %q is there twice", name)
			}
		}
		if s.Dims[i] < 1 || s.Dims[i] > 1<<20 {
			return s, fmt.Errorf("yt8m: feature %q has width %d: give a width from 1 to %d", name, s.Dims[i], 1<<20)
		}
	}
	if s.Classes < 0 {
		return s, fmt.Errorf("yt8m: %d classes: give their number, or 0 to leave labels unchecked", s.Classes)
	}
	if s.MaxFrames == 0 {
		s.MaxFrames = DefaultMaxFrames
	}
	return s, nil
}

// A Video is one decoded video. Its slices belong to whoever decoded it and are reused for the next one; the bytes lie in the
// record it was decoded from.
type Video struct {
	ID     []byte
	Labels []int32    // as the file has them: in any order, perhaps repeated
	Frames int        // n, the frames that every feature has: the smallest of their counts, at most MaxFrames
	Rows   [][][]byte // Rows[m][i] is frame i of feature m, dims[m] bytes; len(Rows[m]) ≥ Frames
}
