package convert

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"avcu/io/yt8m"
)

// FeatureOptions say what features to write, where to and how. Names and Dims are optional: without them, the features are all
// that there are, as wide as those of the first video.
type FeatureOptions struct {
	Options
	Folder string // of the features: NAME/ID.npy, ID.npz with arrays NAME, ID/NAME.npy, or ID.npy of one feature
	Truth  string // a CSV file of ids and labels
	Scale  string // a scale file of another run, Identity, or empty for a scale that is found in the data

	PerFile int // videos in each file, where o.To is a folder; 0: 1,000
}

// Identity in the place of a scale file is for features of floating point that lie in [−2, 2] as they are.
const Identity = "identity"

// A FeatureReport says what was done.
type FeatureReport struct {
	Report
	Features  []Feature
	ScaleFile string // empty where there are bytes alone
	Unlabeled int    // videos left out, which have no line in the truth file
	Absent    int    // lines of the truth file left out, whose videos have no features
}

// A Feature is what was written of one feature.
type Feature struct {
	Name    string
	Dim     int
	Float   bool  // scaled and quantised; else bytes, taken as they were
	Values  int64 // in all outputs
	Clipped int64 // those among them that lay outside the range
}

// Features writes arrays of NumPy, [frames, width] for each video and feature, with the labels of a truth file, as TFRecords
// (or pickles, if o.To says so). Videos have the order of the truth file. If o.To is a folder, it gets files of o.PerFile
// videos.
//
// Bytes are taken as they are. Floats are scaled and quantised: first all are read to find their mean and spread, unless a
// scale is given; the scale is written beside the output as JSON.
func Features(ctx context.Context, o FeatureOptions) (*FeatureReport, error) {
	truth, err := readTruth(o.Truth)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, v := range truth {
		known[v.id] = true
	}
	l, err := findLayout(o.Folder, o.Names, known)
	if err != nil {
		return nil, err
	}
	report := &FeatureReport{}
	var videos []labelled
	for _, v := range truth {
		if l.ids[v.id] {
			videos = append(videos, v)
		}
	}
	report.Unlabeled, report.Absent = len(l.ids)-len(videos), len(truth)-len(videos)
	if len(videos) == 0 {
		return nil, fmt.Errorf("convert: none of the %d videos in %s is among the %d lines of %s, which begin with the id %q: name files by the ids", len(l.ids), o.Folder, len(truth), o.Truth, truth[0].id)
	}
	c := &converter{FeatureOptions: o, layout: l}
	if err := c.look(videos[0].id); err != nil {
		return nil, err
	}
	spec := yt8m.Spec{Names: c.names(), Dims: c.dims(), MaxFrames: -1}
	if _, err := yt8m.NewDecoder(spec); err != nil {
		return nil, err
	}
	c.tallies = make([]tally, len(c.features))
	form, tasks := c.tasks(videos)
	if err := c.findScales(ctx, videos); err != nil {
		return nil, err
	}
	if report.ScaleFile, err = c.writeScales(); err != nil {
		return nil, err
	}
	done, err := run(ctx, "writing", tasks, form, spec, o.Options)
	if err != nil {
		return nil, err
	}
	report.Report, report.Features = *done, c.features
	for m, n := range c.tallies {
		report.Features[m].Values, report.Features[m].Clipped = n.values, n.clipped
	}
	return report, nil
}

// tasks cuts the videos into files.
func (c *converter) tasks(videos []labelled) (Form, []task) {
	form, ending, told := formOf(c.To)
	of := func(to string, videos []labelled) task {
		return task{
			from: c.Folder, to: to, whole: true,
			count: func() (int64, error) { return int64(len(videos)), nil },
			each:  func(emit func(*yt8m.Video) error) error { return c.each(videos, emit) },
		}
	}
	if told && !isFolder(c.To) {
		return form, []task{of(c.To, videos)}
	}
	if !told {
		form, ending = TFRecord, TFRecord.ending()
	}
	base := filepath.Base(filepath.Clean(c.Folder))
	if strings.Trim(base, "./\\") == "" {
		base = "videos"
	}
	perFile, tasks := cmp.Or(max(c.PerFile, 0), 1000), []task(nil)
	for i := 0; i < len(videos); i += perFile {
		name := fmt.Sprintf("%s%04d%s", base, i/perFile, ending)
		tasks = append(tasks, of(filepath.Join(c.To, name), videos[i:min(i+perFile, len(videos))]))
	}
	return form, tasks
}
