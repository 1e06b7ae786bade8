package yt8m

import (
	"fmt"
	"strings"
)

// featureLists reads a FeatureLists message: the frames of all modalities.
func (d *Decoder) featureLists(pos, end int) error {
	var f field
	for pos < end {
		after, err := nextField(d.data, pos, end, &f)
		if err != nil {
			return err
		}
		if f.is(mapEntry) {
			key, err := d.key(f.from, f.to)
			if err != nil {
				return err
			}
			for m, name := range d.spec.Names {
				if string(key) == name {
					d.count[m], d.video.Rows[m] = 0, d.video.Rows[m][:0]
					if err := d.frameLists(f.from, f.to, m); err != nil {
						return err
					}
				}
			}
		}
		pos = after
	}
	return nil
}

// frameLists reads the values of a map entry, FeatureList messages that make one list, as the frames of feature m.
func (d *Decoder) frameLists(pos, end, m int) (err error) {
	var f field
	for pos < end {
		if pos, err = nextField(d.data, pos, end, &f); err != nil {
			return err
		}
		if f.is(entryValue) {
			if err := d.frames(f.from, f.to, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// frames reads one FeatureList message.
func (d *Decoder) frames(pos, end, m int) (err error) {
	dim := d.spec.Dims[m]
	rows := d.video.Rows[m]
	var f field
	for pos < end {
		if pos, err = nextField(d.data, pos, end, &f); err != nil {
			return err
		}
		if !f.is(listFeature) {
			continue
		}
		frame := feature{at: f.from}
		if err := d.feature(f.from, f.to, &frame); err != nil {
			return err
		}
		if frame.kind != featureBytes || frame.values != 1 || frame.to-frame.from != dim {
			return d.badFrame(m, &frame)
		}
		if d.count[m]++; d.spec.MaxFrames < 0 || d.count[m] <= d.spec.MaxFrames {
			rows = append(withRoom(rows), d.data[frame.from:frame.to])
		}
	}
	d.video.Rows[m] = rows
	return nil
}

// badFrame is the error of a frame that is not one bytes value of the feature's width.
func (d *Decoder) badFrame(m int, frame *feature) error {
	e := &DecodeError{Feature: d.spec.Names[m], At: frame.at}
	if frame.kind == featureBytes && frame.values == 1 {
		e.At = frame.from
		e.What = fmt.Sprintf("frame %d is %d bytes wide, expected %d: set feature_dims to the widths of these files, or remove the video",
			d.count[m], frame.to-frame.from, d.spec.Dims[m])
	} else {
		e.What = fmt.Sprintf("frame %d holds %s, expected a bytes_list with one value of %d bytes (quantised uint8): write the record again",
			d.count[m], describe(frame), d.spec.Dims[m])
	}
	return e
}

// checkLists sets the video's number of frames, and looks at what lists were found.
func (d *Decoder) checkLists() error {
	n := d.spec.MaxFrames
	for m, count := range d.count {
		if count < 0 {
			return &DecodeError{Feature: d.spec.Names[m], At: -1, What: fmt.Sprintf("missing; the record has %s: set feature_names to the names in these files", d.listNames())}
		}
		if count == 0 {
			return &DecodeError{Feature: d.spec.Names[m], At: -1, What: "zero frames, expected one or more: remove the video"}
		}
		if n < 0 || count < n {
			n = count
		}
	}
	d.video.Frames = n
	return nil
}

// listNames names the feature lists of a record that is well formed.
func (d *Decoder) listNames() string {
	const most = 8
	var names []string
	var outer, f field
	for pos := 0; pos < len(d.data) && len(names) <= most; {
		after, err := nextField(d.data, pos, len(d.data), &outer)
		if err != nil {
			break
		}
		if outer.is(exampleLists) {
			for at := outer.from; at < outer.to && len(names) <= most; {
				if at, err = nextField(d.data, at, outer.to, &f); err != nil {
					break
				}
				if key, err := d.key(f.from, f.to); f.is(mapEntry) && err == nil {
					names = append(names, fmt.Sprintf("%.40q", key))
				}
			}
		}
		pos = after
	}
	switch {
	case len(names) == 0:
		return "no feature list"
	case len(names) > most:
		return "the feature lists " + strings.Join(names[:most], ", ") + " and more"
	}
	return "the feature lists " + strings.Join(names, ", ")
}
