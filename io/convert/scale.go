package convert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"avcu/io/npy/quantise"
	"avcu/io/replace"
)

// block is how many videos are read by one worker for statistics that are then joined in the order of blocks: it is fixed, so
// that the last bits of a scale do not depend on the number of workers.
const block = 16

// findScales sets the scale of each feature of floating point.
func (c *converter) findScales(ctx context.Context, videos []labelled) error {
	c.scales = make([]*quantise.Scale, len(c.features))
	switch c.Scale {
	case "":
		return c.measure(ctx, videos)
	case Identity:
		for m, f := range c.features {
			if f.Float {
				c.scales[m] = quantise.Identity(f.Dim)
			}
		}
		return nil
	}
	text, err := os.ReadFile(c.Scale)
	if err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	var scales map[string]*quantise.Scale
	if err := json.Unmarshal(text, &scales); err != nil {
		return fmt.Errorf("convert: %s: %w: name the .scale.json file that converting the training data wrote", c.Scale, err)
	}
	for m, f := range c.features {
		s := scales[f.Name]
		switch {
		case f.Float && s == nil:
			return fmt.Errorf("convert: %s: no scale for the feature %q, which is floating point: name the scale that was made of the same features", c.Scale, f.Name)
		case !f.Float && s != nil:
			return fmt.Errorf("convert: %s: a scale for the feature %q, which is uint8 in %s: all data of a model must be of one type", c.Scale, f.Name, c.Folder)
		case s == nil:
			continue
		}
		if err := s.Check(f.Dim); err != nil {
			return fmt.Errorf("convert: %s: feature %q: %w", c.Scale, f.Name, err)
		}
		c.scales[m] = s
	}
	return nil
}

// measure finds the scales in the data, all of which is read.
func (c *converter) measure(ctx context.Context, videos []labelled) error {
	float := false
	for _, f := range c.features {
		float = float || f.Float
	}
	if !float {
		return nil
	}
	total := make([]quantise.Statistics, len(c.features))
	round := block * c.workers()
	for from := 0; from < len(videos); from += round {
		part := videos[from:min(from+round, len(videos))]
		found := make([][]quantise.Statistics, (len(part)+block-1)/block)
		err := parallel(ctx, len(found), c.workers(), func(ctx context.Context, i int) (err error) {
			found[i], err = c.statistics(ctx, part[i*block:min((i+1)*block, len(part))])
			return err
		})
		if err != nil {
			return err
		}
		for _, one := range found {
			for m := range total {
				if err := total[m].Merge(&one[m]); err != nil {
					return fmt.Errorf("convert: feature %q: %w", c.features[m].Name, err)
				}
			}
		}
		if c.Progress != nil {
			c.Progress("measuring", int64(from+len(part)), int64(len(videos)))
		}
	}
	for m, f := range c.features {
		if !f.Float {
			continue
		}
		var err error
		if c.scales[m], err = total[m].Scale(); err != nil {
			return fmt.Errorf("convert: feature %q: %w", f.Name, err)
		}
	}
	return nil
}

// statistics looks at the features of floating point of some videos.
func (c *converter) statistics(ctx context.Context, videos []labelled) ([]quantise.Statistics, error) {
	found := make([]quantise.Statistics, len(c.features))
	for _, v := range videos {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		arrays, err := c.read(v.id)
		if err != nil {
			return nil, err
		}
		for m, a := range arrays {
			if err := found[m].Add(a.Floats, a.Shape[1]); err != nil {
				return nil, fmt.Errorf("convert: %s: feature %q: %w", c.layout.path(v.id, a.Name), a.Name, err)
			}
		}
	}
	return found, nil
}

// writeScales writes the scales beside the output, and returns where.
func (c *converter) writeScales() (string, error) {
	scales := map[string]*quantise.Scale{}
	for m, s := range c.scales {
		if s != nil {
			scales[c.features[m].Name] = s
		}
	}
	if len(scales) == 0 {
		return "", nil
	}
	path := filepath.Clean(c.To)
	if _, ending, ok := formOf(path); ok {
		path = strings.TrimSuffix(path, ending)
	}
	path += ".scale.json"
	text, err := json.Marshal(scales)
	if err != nil {
		return "", fmt.Errorf("convert: %w", err)
	}
	text = append(text, '\n')
	there, err := os.ReadFile(path)
	switch {
	case err == nil && bytes.Equal(there, text):
		return path, nil
	case err == nil:
		return "", fmt.Errorf("convert: %s is there already and is the scale of other data: give it as the scale if these videos are for the same model; else remove it and what was written with it, or name another place", path)
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("convert: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return "", fmt.Errorf("convert: %w", err)
	}
	if err := sweep([]string{path}); err != nil {
		return "", err
	}
	return path, replace.With(path, func(w io.Writer) error { _, err := w.Write(text); return err })
}
