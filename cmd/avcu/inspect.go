package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"avcu/io/yt8m"
)

// sight is what one file holds.
type sight struct {
	File      string `json:"file"`
	Videos    int    `json:"videos"`
	MinFrames int    `json:"min_frames"`
	MaxFrames int    `json:"max_frames"`
	MaxLabel  int64  `json:"max_label"`
	FirstID   string `json:"first_id"`
	Error     string `json:"error,omitempty"`
}

// lookAt reads files whole; verifying, it goes on after a bad one and fails at the end.
func lookAt(c *cli.Context, verify bool) error {
	if !c.Args().Present() {
		return usagef("which files?")
	}
	format := c.String("format")
	if format != "text" && format != "json" {
		return usagef("--format %s: text or json", format)
	}
	cfg, err := resolve(c, "", nil)
	if err != nil {
		return err
	}
	files, err := yt8m.Files(c.Args().Slice(), nil)
	if err != nil {
		return err
	}
	bad := 0
	for _, name := range files {
		s := look(name, yt8m.Spec{Names: cfg.Model.FeatureNames, Dims: cfg.Model.FeatureDims})
		if s.Error != "" {
			bad++
		}
		if format == "json" {
			text, err := json.Marshal(s)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.App.Writer, "%s\n", text)
			continue
		}
		switch {
		case s.Error != "":
			fmt.Fprintf(c.App.Writer, "%s: BAD after %d videos: %s\n", name, s.Videos, s.Error)
		case verify:
			fmt.Fprintf(c.App.Writer, "%s: good, %d videos\n", name, s.Videos)
		default:
			fmt.Fprintf(c.App.Writer, "%s: %d videos of %d to %d frames, first id %s, highest label %d\n", name, s.Videos, s.MinFrames, s.MaxFrames, s.FirstID, s.MaxLabel)
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d files are bad", bad, len(files))
	}
	return nil
}

func look(name string, spec yt8m.Spec) (s sight) {
	s.File, s.MaxLabel = name, -1
	r, err := yt8m.Open(name, spec)
	if err != nil {
		s.Error = err.Error()
		return s
	}
	defer r.Close()
	for {
		v, err := r.Next()
		if v == nil || err != nil {
			if err != nil && !errors.Is(err, io.EOF) {
				s.Error = err.Error()
			}
			return s
		}
		if s.Videos == 0 {
			s.FirstID, s.MinFrames = string(v.ID), v.Frames
		}
		s.Videos++
		s.MinFrames, s.MaxFrames = min(s.MinFrames, v.Frames), max(s.MaxFrames, v.Frames)
		for _, l := range v.Labels {
			s.MaxLabel = max(s.MaxLabel, int64(l))
		}
	}
}
