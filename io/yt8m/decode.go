package yt8m

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Numbers of fields in tensorflow/core/example/example.proto and feature.proto.
const (
	exampleContext  = 1 // SequenceExample.context, a Features
	exampleLists    = 2 // SequenceExample.feature_lists, a FeatureLists
	mapEntry        = 1 // Features.feature, FeatureLists.feature_list
	entryKey        = 1
	entryValue      = 2
	listFeature     = 1 // FeatureList.feature
	featureBytes    = 1 // Feature.bytes_list, float_list, int64_list
	featureFloat    = 2
	featureInt64    = 3
	valueOfAnything = 1 // BytesList.value, Int64List.value
)

var kindNames = [4]string{"nothing", "a bytes_list", "a float_list", "an int64_list"}

// A Decoder decodes records one after another. It is for one goroutine, and in steady state allocates nothing.
type Decoder struct {
	spec  Spec
	data  []byte // the record under way
	video *Video
	ids   [2]feature // context features id and video_id
	label feature
	count []int // frames of each feature list, those after MaxFrames too; -1: no such list
}

// A feature is what a tf.train.Feature message holds.
type feature struct {
	found    bool
	kind     int // featureBytes, featureFloat, featureInt64, or 0 for nothing
	at       int // byte of the data where it begins
	values   int // number of values (of bytes and labels)
	from, to int // the last bytes value
}

// NewDecoder makes a Decoder of records that must fit spec.
func NewDecoder(spec Spec) (*Decoder, error) {
	spec, err := spec.check()
	if err != nil {
		return nil, err
	}
	return &Decoder{spec: spec, count: make([]int, len(spec.Names))}, nil
}

// Decode decodes the data of one record, a serialised tf.train.SequenceExample, into v, whose slices it reuses and whose
// bytes lie in data. It accepts what protobuf parsers accept: fields in any order, repeated (messages are merged, the last
// entry of a map key and the last kind of a feature count), labels packed or not, unknown fields. The context may have
// further features, such as those of the third release's segments, and the record further feature lists. A missing labels
// feature is a video without labels. Errors are *DecodeError; v is then of no use.
func (d *Decoder) Decode(data []byte, v *Video) error {
	d.data, d.video = data, v
	d.ids, d.label = [2]feature{}, feature{}
	v.ID, v.Labels, v.Frames = nil, v.Labels[:0], 0
	if len(v.Rows) != len(d.count) {
		v.Rows = make([][][]byte, len(d.count))
	}
	for m := range d.count {
		d.count[m], v.Rows[m] = -1, v.Rows[m][:0]
	}
	var f field
	for pos := 0; pos < len(data); {
		after, err := nextField(data, pos, len(data), &f)
		if err != nil {
			return err
		}
		switch {
		case f.is(exampleContext):
			err = d.features(f.from, f.to)
		case f.is(exampleLists):
			err = d.featureLists(f.from, f.to)
		}
		if err != nil {
			return err
		}
		pos = after
	}
	if err := d.checkContext(); err != nil {
		return err
	}
	return d.checkLists()
}

// features reads a Features message: the context.
func (d *Decoder) features(pos, end int) error {
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
			switch string(key) {
			case "id":
				err = d.entry(f.from, f.to, &d.ids[0])
			case "video_id":
				err = d.entry(f.from, f.to, &d.ids[1])
			case "labels":
				err = d.entry(f.from, f.to, &d.label)
			}
			if err != nil {
				return err
			}
		}
		pos = after
	}
	return nil
}

// key returns the key of a map entry. It may stand after the value, and be missing: then it is empty.
func (d *Decoder) key(pos, end int) (key []byte, err error) {
	var f field
	for pos < end {
		if pos, err = nextField(d.data, pos, end, &f); err != nil {
			return nil, err
		}
		if f.is(entryKey) {
			key = d.data[f.from:f.to]
		}
	}
	return key, nil
}

// entry reads the value of a map entry of the context into to.
func (d *Decoder) entry(pos, end int, to *feature) (err error) {
	*to = feature{found: true, at: pos}
	if to == &d.label {
		d.video.Labels = d.video.Labels[:0]
	}
	var f field
	for pos < end {
		if pos, err = nextField(d.data, pos, end, &f); err != nil {
			return err
		}
		if f.is(entryValue) {
			if err := d.feature(f.from, f.to, to); err != nil {
				return err
			}
		}
	}
	return nil
}

// feature reads a Feature message and merges it into to. Labels go to the video.
func (d *Decoder) feature(pos, end int, to *feature) (err error) {
	var f field
	for pos < end {
		if pos, err = nextField(d.data, pos, end, &f); err != nil {
			return err
		}
		if f.typ != protowire.BytesType || f.num > featureInt64 {
			continue
		}
		if kind := int(f.num); kind != to.kind { // the fields are a oneof: the last one counts
			to.kind, to.values = kind, 0
			if to == &d.label {
				d.video.Labels = d.video.Labels[:0]
			}
		}
		switch {
		case to.kind == featureBytes:
			err = d.bytesList(f.from, f.to, to)
		case to.kind == featureInt64 && to == &d.label:
			err = d.labels(f.from, f.to)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bytesList reads a BytesList message: it counts the values and keeps the place of the last.
func (d *Decoder) bytesList(pos, end int, to *feature) (err error) {
	var f field
	for pos < end {
		if pos, err = nextField(d.data, pos, end, &f); err != nil {
			return err
		}
		if f.is(valueOfAnything) {
			to.values++
			to.from, to.to = f.from, f.to
		}
	}
	return nil
}

// labels reads an Int64List message, packed or not, and appends to the video's labels.
func (d *Decoder) labels(pos, end int) (err error) {
	var f field
	for pos < end {
		if pos, err = nextField(d.data, pos, end, &f); err != nil {
			return err
		}
		if f.num != valueOfAnything || f.typ != protowire.BytesType && f.typ != protowire.VarintType {
			continue
		}
		for at := f.from; at < f.to; {
			label, n := protowire.ConsumeVarint(d.data[at:f.to])
			if n < 0 {
				return malformed(n, at, f.to)
			}
			if what := wrongLabel(int64(label), d.spec.Classes); what != "" {
				return &DecodeError{Feature: "labels", At: at, What: what}
			}
			d.video.Labels = append(withRoom(d.video.Labels), int32(label))
			at += n
		}
	}
	return nil
}

// withRoom returns list with room for one more. It doubles a list that is full: what append allocates on the way to a long one is
// five times its size.
func withRoom[T any](list []T) []T {
	if len(list) < cap(list) {
		return list
	}
	return append(make([]T, 0, max(8, 2*len(list))), list...)
}

// checkContext sets the video's id, and looks at what the context turned out to be.
func (d *Decoder) checkContext() error {
	id, name := &d.ids[0], "id"
	if !id.found {
		id, name = &d.ids[1], "video_id"
	}
	switch {
	case !id.found:
		return &DecodeError{At: -1, What: "no context feature id or video_id: the record is no frame-level YouTube-8M video: name files of frame-level data, or write the record again"}
	case id.kind != featureBytes || id.values != 1 || id.from == id.to:
		return &DecodeError{Feature: name, At: id.at, What: fmt.Sprintf("holds %s, expected a bytes_list with one value that is not empty: write the record again", describe(id))}
	case d.label.kind == featureBytes || d.label.kind == featureFloat:
		return &DecodeError{Feature: "labels", At: d.label.at, What: fmt.Sprintf("holds %s, expected an int64_list of class numbers: write the record again", kindNames[d.label.kind])}
	}
	d.video.ID = d.data[id.from:id.to]
	return nil
}

// describe says what a feature holds.
func describe(f *feature) string {
	if f.kind != featureBytes {
		return kindNames[f.kind]
	}
	if f.values == 1 {
		return fmt.Sprintf("a bytes_list with one value of %d bytes", f.to-f.from)
	}
	return fmt.Sprintf("a bytes_list with %d values", f.values)
}
