package yt8m

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// An Encoder encodes videos as TensorFlow does for the second release: context id and packed labels, feature lists in the
// order of their names. It is for one goroutine, and allocates nothing but the room of what it appends.
type Encoder struct {
	names []string
	order []int // features by name
	lists []int // bytes of each feature's FeatureList
}

// NewEncoder makes an Encoder of videos whose Rows[m] are the frames of names[m].
func NewEncoder(names []string) *Encoder {
	e := &Encoder{names: slices.Clone(names), order: make([]int, len(names)), lists: make([]int, len(names))}
	for m := range e.order {
		e.order[m] = m
	}
	slices.SortFunc(e.order, func(a, b int) int {
		if names[a] < names[b] {
			return -1
		}
		return 1
	})
	return e
}

// Append appends to dst the serialised tf.train.SequenceExample of v with all its rows (Frames is not looked at).
func (e *Encoder) Append(dst []byte, v *Video) []byte {
	packed := 0
	for _, label := range v.Labels {
		packed += protowire.SizeVarint(uint64(label))
	}
	ints := 0 // bytes of the Int64List: without labels it is empty
	if packed > 0 {
		ints = nested(packed)
	}
	id, labels := entrySize("id", nested(nested(len(v.ID)))), entrySize("labels", nested(ints))
	dst = appendHead(dst, exampleContext, nested(id)+nested(labels))
	dst = appendEntry(dst, id, "id", nested(nested(len(v.ID))))
	dst = appendHead(dst, featureBytes, nested(len(v.ID)))
	dst = appendHead(dst, valueOfAnything, len(v.ID))
	dst = append(dst, v.ID...)
	dst = appendEntry(dst, labels, "labels", nested(ints))
	dst = appendHead(dst, featureInt64, ints)
	if packed > 0 {
		dst = appendHead(dst, valueOfAnything, packed)
	}
	for _, label := range v.Labels {
		dst = protowire.AppendVarint(dst, uint64(label))
	}

	lists := 0
	for m, name := range e.names {
		e.lists[m] = 0
		for _, row := range v.Rows[m] {
			e.lists[m] += nested(nested(nested(len(row))))
		}
		lists += nested(entrySize(name, e.lists[m]))
	}
	dst = appendHead(dst, exampleLists, lists)
	for _, m := range e.order {
		dst = appendEntry(dst, entrySize(e.names[m], e.lists[m]), e.names[m], e.lists[m])
		for _, row := range v.Rows[m] {
			dst = appendHead(dst, listFeature, nested(nested(len(row))))
			dst = appendHead(dst, featureBytes, nested(len(row)))
			dst = appendHead(dst, valueOfAnything, len(row))
			dst = append(dst, row...)
		}
	}
	return dst
}

// nested is the bytes of a length-delimited field, of a number below 16, with n bytes in it.
func nested(n int) int { return 1 + protowire.SizeBytes(n) }

// entrySize is the bytes of a map entry with a value of n bytes.
func entrySize(key string, n int) int { return nested(len(key)) + nested(n) }

// appendHead appends the head of a length-delimited field with n bytes in it.
func appendHead(dst []byte, num protowire.Number, n int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(dst, num, protowire.BytesType), uint64(n))
}

// appendEntry appends a map entry of size bytes up to where its value of n bytes begins.
func appendEntry(dst []byte, size int, key string, n int) []byte {
	dst = appendHead(dst, mapEntry, size)
	dst = appendHead(dst, entryKey, len(key))
	return appendHead(append(dst, key...), entryValue, n)
}
