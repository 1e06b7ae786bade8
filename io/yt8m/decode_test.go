package yt8m

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/encoding/protowire"
)

// A message is built from its fields.
func message(fields ...[]byte) (m []byte) {
	for _, f := range fields {
		m = append(m, f...)
	}
	return m
}

func nest(num protowire.Number, fields ...[]byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), message(fields...))
}

func text(num protowire.Number, s string) []byte { return nest(num, []byte(s)) }

func number(num protowire.Number, n uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.VarintType), n)
}

func entryOf(key string, value ...[]byte) []byte { return nest(1, text(1, key), nest(2, value...)) }

func idOf(id string) []byte { return entryOf("id", nest(1, text(1, id))) }

// row is a frame of feature f, three bytes wide, or g, two bytes wide.
func row(s string) []byte { return nest(1, nest(1, text(1, s))) }

var small = Spec{Names: []string{"f", "g"}, Dims: []int{3, 2}, Classes: 10, MaxFrames: 4}

var (
	goodContext = nest(1, idOf("abcd"), entryOf("labels", nest(3, text(1, "\x05\x02"))))
	goodLists   = nest(2, entryOf("f", row("aaa"), row("bbb")), entryOf("g", row("xx"), row("yy"), row("zz")))
)

func TestDecode(t *testing.T) {
	good := Video{ID: []byte("abcd"), Labels: []int32{5, 2}, Frames: 2, Rows: [][][]byte{{[]byte("aaa"), []byte("bbb")}, {[]byte("xx"), []byte("yy"), []byte("zz")}}}
	with := func(change func(*Video)) *Video {
		v := good
		v.Rows = append([][][]byte(nil), good.Rows...)
		change(&v)
		return &v
	}
	float := nest(2, text(1, "\x00\x00\x80\x3f"))
	cases := []struct {
		name string
		data []byte
		want *Video // or
		err  string // which the error holds
	}{
		{"plain", message(goodContext, goodLists), &good, ""},
		{"lists first", message(goodLists, goodContext), &good, ""},
		{"unknown fields of every type", message(number(9, 1), goodContext, protowire.AppendFixed32(protowire.AppendTag(nil, 17, protowire.Fixed32Type), 5), goodLists,
			protowire.AppendFixed64(protowire.AppendTag(nil, 900, protowire.Fixed64Type), 5), protowire.AppendGroup(protowire.AppendTag(nil, 6, protowire.StartGroupType), 6, number(1, 1)), text(12345, "?")), &good, ""},
		{"known numbers of other types", message(number(1, 7), goodContext, number(2, 7), goodLists), &good, ""},
		{"context in two parts", message(nest(1, idOf("abcd")), goodLists, nest(1, entryOf("labels", nest(3, text(1, "\x05\x02"))))), &good, ""},
		{"the last entry of a key counts", message(nest(1, idOf("zzzz"), entryOf("labels", nest(3, number(1, 9)))), nest(2, entryOf("f", row("old"))), goodContext, goodLists), &good, ""},
		{"an entry with two values", message(goodContext, nest(2, nest(1, text(1, "f"), nest(2, row("aaa")), nest(2, row("bbb"))), entryOf("g", row("xx"), row("yy"), row("zz")))), &good, ""},
		{"value before key", message(goodContext, nest(2, nest(1, nest(2, row("aaa"), row("bbb")), text(1, "f")), entryOf("g", row("xx"), row("yy"), row("zz")))), &good, ""},
		{"the last key of an entry counts", message(goodContext, nest(2, nest(1, text(1, "g"), nest(2, row("aaa"), row("bbb")), text(1, "f")), entryOf("g", row("xx"), row("yy"), row("zz")))), &good, ""},
		{"labels packed and not", message(nest(1, idOf("abcd"), entryOf("labels", nest(3, number(1, 5)), nest(3, text(1, "\x02")))), goodLists), &good, ""},
		{"the last kind counts", message(nest(1, idOf("abcd"), entryOf("labels", nest(3, number(1, 9)), float, nest(3, number(1, 5), number(1, 2)))), goodLists), &good, ""},
		{"padded lengths", message([]byte{0x0a, byte(len(goodContext)-2) | 0x80, 0x80, 0x00}, goodContext[2:], goodLists), &good, ""},
		{"no labels feature", message(nest(1, idOf("abcd")), goodLists), with(func(v *Video) { v.Labels = nil }), ""},
		{"labels of nothing", message(nest(1, idOf("abcd"), entryOf("labels")), goodLists), with(func(v *Video) { v.Labels = nil }), ""},
		{"id wins over video_id", message(nest(1, idOf("abcd"), entryOf("video_id", nest(1, text(1, "efgh"))), entryOf("labels", nest(3, text(1, "\x05\x02")))), goodLists), &good, ""},
		{"six frames, at most four", message(goodContext, nest(2, entryOf("f", row("aaa"), row("aaa"), row("aaa"), row("aaa"), row("aaa"), row("aaa")), entryOf("g", row("xx"), row("xx"), row("xx"), row("xx"), row("xx")))),
			with(func(v *Video) {
				v.Frames = 4
				a, x := []byte("aaa"), []byte("xx")
				v.Rows = [][][]byte{{a, a, a, a}, {x, x, x, x}}
			}), ""},

		{"empty", nil, nil, "no context feature id or video_id"},
		{"empty id", message(nest(1, idOf("")), goodLists), nil, `feature "id": holds a bytes_list with one value of 0 bytes`},
		{"two ids", message(nest(1, entryOf("id", nest(1, text(1, "a"), text(1, "b")))), goodLists), nil, `feature "id": holds a bytes_list with 2 values`},
		{"a number as id", message(nest(1, entryOf("video_id", nest(3, number(1, 5)))), goodLists), nil, `feature "video_id": holds an int64_list`},
		{"float labels", message(nest(1, idOf("abcd"), entryOf("labels", float)), goodLists), nil, `feature "labels": holds a float_list, expected an int64_list`},
		{"label 10", message(nest(1, idOf("abcd"), entryOf("labels", nest(3, number(1, 10)))), goodLists), nil, `feature "labels": label 10, expected 0 to 9`},
		{"label -5", message(nest(1, idOf("abcd"), entryOf("labels", nest(3, number(1, ^uint64(4))))), goodLists), nil, `label -5 is negative`},
		{"a cut label", message(nest(1, idOf("abcd"), entryOf("labels", nest(3, text(1, "\x85")))), goodLists), nil, "ends in the middle"},
		{"no lists", goodContext, nil, `feature "f": missing; the record has no feature list`},
		{"other lists", message(goodContext, nest(2, entryOf("h"), entryOf("g", row("xx")), text(7, "?"))), nil, `feature "f": missing; the record has the feature lists "h", "g"`},
		{"many lists", message(goodContext, nest(2, entryOf("1"), entryOf("2"), entryOf("3"), entryOf("4"), entryOf("5"), entryOf("6"), entryOf("7"), entryOf("8"), entryOf("9"))), nil, `"8" and more`},
		{"zero frames", message(goodContext, nest(2, entryOf("f", row("aaa")), entryOf("g"))), nil, `feature "g": zero frames`},
		{"a wide frame past the cut", message(goodContext, nest(2, entryOf("f", row("aaa"), row("aaa"), row("aaa"), row("aaa"), row("aaa"), row("aaaa")))), nil, `feature "f": frame 5 is 4 bytes wide, expected 3`},
		{"a float frame", message(goodContext, nest(2, entryOf("f", nest(1, float)))), nil, `feature "f": frame 0 holds a float_list, expected a bytes_list with one value of 3 bytes`},
		{"a frame of two values", message(goodContext, nest(2, entryOf("f", nest(1, nest(1, text(1, "aaa"), text(1, "bbb")))))), nil, `frame 0 holds a bytes_list with 2 values`},
		{"an empty frame", message(goodContext, nest(2, entryOf("f", nest(1)))), nil, `frame 0 holds nothing`},
		{"field number 0", message([]byte{0x02, 0}, goodContext, goodLists), nil, "malformed protobuf: invalid field number"},
		{"a group that does not end", message(goodContext, goodLists, []byte{0x33, 8, 1}), nil, "ends in the middle"},
		{"the end of no group", message(goodContext, goodLists, []byte{0x34}), nil, "malformed protobuf"},
		{"wire type 7", message(goodContext, goodLists, []byte{0x0f}), nil, "malformed protobuf"},
		{"a length past the message around it", message(goodContext, nest(2, []byte{0x0a, 0x7f, 0x0a}), make([]byte, 200)), nil, "ends in the middle"},
	}
	reference := newOracle(t)
	var v Video
	for _, classes := range []int{10, 0} {
		spec := small
		spec.Classes = classes
		d, err := NewDecoder(spec)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			if classes == 0 && c.name == "label 10" {
				continue
			}
			err := d.Decode(c.data, &v)
			if c.want == nil {
				var e *DecodeError
				if !errors.As(err, &e) || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%s: error %v, want %q", c.name, err, c.err)
				}
			} else if err != nil {
				t.Errorf("%s: %v", c.name, err)
			} else if diff := cmp.Diff(*c.want, v, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.name, diff)
			}
			if _, ok, _ := reference.decode(c.data, spec); ok != (c.want != nil) {
				t.Errorf("%s: the protobuf library accepts it: %v", c.name, ok)
			}
		}
	}
}

func TestHugeLabel(t *testing.T) {
	spec := small
	spec.Classes = 0
	d, _ := NewDecoder(spec)
	var v Video
	err := d.Decode(message(nest(1, idOf("abcd"), entryOf("labels", nest(3, number(1, 1<<31)))), goodLists), &v)
	if err == nil || !strings.Contains(err.Error(), "label 2147483648, expected 0 to 2147483647") {
		t.Errorf("error %v", err)
	}
}

func TestSpecErrors(t *testing.T) {
	for want, spec := range map[string]Spec{
		"no feature names":             {},
		"2 feature names (a, b) but 1": {Names: []string{"a", "b"}, Dims: []int{1}},
		"name 1 is empty":              {Names: []string{"a", ""}, Dims: []int{1, 1}},
		`"a" is there twice`:           {Names: []string{"a", "b", "a"}, Dims: []int{1, 1, 1}},
		`"a" has width 0`:              {Names: []string{"a"}, Dims: []int{0}},
		"-1 classes":                   {Names: []string{"a"}, Dims: []int{1}, Classes: -1},
	} {
		if _, err := NewDecoder(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// TestEncodeDecode encodes random videos; the protobuf library and the Decoder both read them back.
func TestEncodeDecode(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	reference := newOracle(t)
	for range 60 {
		spec := Spec{MaxFrames: 1 << 30}
		want := Video{ID: []byte{byte('a' + rnd.IntN(26))}, Frames: 1 << 30}
		for m := range 1 + rnd.IntN(4) {
			spec.Names = append(spec.Names, strings.Repeat(string(rune('z'-m)), 1+rnd.IntN(200)))
			spec.Dims = append(spec.Dims, 1+rnd.IntN([]int{1, 10, 140, 1100}[min(rnd.IntN(4), rnd.IntN(4))]))
			var rows [][]byte
			for range 1 + rnd.IntN(6) {
				row := make([]byte, spec.Dims[m])
				for i := range row {
					row[i] = byte(rnd.Uint32())
				}
				rows = append(rows, row)
			}
			want.Rows = append(want.Rows, rows)
			want.Frames = min(want.Frames, len(rows))
		}
		for range rnd.IntN(4) * rnd.IntN(60) {
			want.Labels = append(want.Labels, int32(rnd.Uint32()>>(1+rnd.IntN(31))))
		}
		data := NewEncoder(spec.Names).Append([]byte("before"), &want)[len("before"):]
		d, err := NewDecoder(spec)
		if err != nil {
			t.Fatal(err)
		}
		var got Video
		if err := d.Decode(data, &got); err != nil {
			t.Fatal(err)
		}
		theirs, ok, err := reference.decode(data, spec)
		if !ok {
			t.Fatalf("the protobuf library: %v", err)
		}
		for who, v := range map[string]Video{"Decoder": got, "library": theirs} {
			if diff := cmp.Diff(want, v, cmpopts.EquateEmpty(), cmp.Comparer(bytes.Equal)); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", who, diff)
			}
		}
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	v := Video{ID: []byte("abcd"), Labels: []int32{1, 2}}
	v.Rows = make([][][]byte, 2)
	for range 200 {
		v.Rows[0] = append(v.Rows[0], make([]byte, 1024))
		v.Rows[1] = append(v.Rows[1], make([]byte, 128))
	}
	encoder := NewEncoder([]string{"rgb", "audio"})
	data := encoder.Append(nil, &v)
	d, err := NewDecoder(Spec{Names: []string{"rgb", "audio"}, Dims: []int{1024, 128}})
	if err != nil {
		t.Fatal(err)
	}
	var got Video
	if n := testing.AllocsPerRun(20, func() {
		if err := d.Decode(data, &got); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("Decode: %v allocations", n)
	}
	again := make([]byte, 0, len(data))
	if n := testing.AllocsPerRun(20, func() { again = encoder.Append(again[:0], &got) }); n != 0 {
		t.Errorf("Append: %v allocations", n)
	}
}
