package convert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"avcu/io/tfrecord"
	"avcu/io/yt8m"
)

// count returns the number of videos of a file, by going through its framing.
func count(name string, spec yt8m.Spec) (int64, error) {
	s, err := yt8m.NewSource(yt8m.Config{Files: []string{name}, FeatureNames: spec.Names, FeatureDims: spec.Dims, Frames: 1, BatchSize: 1, Readers: 1})
	if err != nil {
		return 0, err
	}
	n, err := s.Count()
	if errors.Is(err, yt8m.ErrNoVideo) {
		err = nil
	}
	return n, errors.Join(err, s.Close())
}

var errEnough = errors.New("enough was compared")

// compare says how the videos of the file that is there, which has as many, differ from those that the task would write: the
// first, or all if whole.
func (t *task) compare(ctx context.Context, form Form, spec yt8m.Spec) (why string, err error) {
	r, err := yt8m.Open(t.to, spec)
	if err != nil {
		return err.Error(), nil
	}
	defer r.Close()
	if r.Pickled() != (form == Pickle) || (r.Form() == tfrecord.Gzip) != (form == Gzip) {
		return "another form", nil
	}
	number := 0
	err = t.each(func(want *yt8m.Video) error {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		settle(want, form)
		got, err := r.Next()
		if err != nil {
			why = err.Error()
			return errEnough
		}
		if what := difference(got, want); what != "" {
			why = fmt.Sprintf("video %d has %s", number, what)
			return errEnough
		}
		if number++; !t.whole {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return why, err
}

// difference says in what two videos differ; empty: in nothing.
func difference(got, want *yt8m.Video) string {
	switch {
	case !bytes.Equal(got.ID, want.ID):
		return fmt.Sprintf("the id %q, not %q", got.ID, want.ID)
	case !slices.Equal(got.Labels, want.Labels):
		return fmt.Sprintf("the labels %v, not %v", got.Labels, want.Labels)
	case got.Frames != want.Frames:
		return fmt.Sprintf("%d frames, not %d", got.Frames, want.Frames)
	}
	for m := range want.Rows {
		if !slices.EqualFunc(got.Rows[m], want.Rows[m], bytes.Equal) {
			return fmt.Sprintf("other frames of its feature %d", m)
		}
	}
	return ""
}
