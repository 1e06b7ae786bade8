package safetensors

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// metadataKey is the name in the header that holds the map of strings instead of a tensor.
const metadataKey = "__metadata__"

// header is what the JSON of a file says, checked.
type header struct {
	tensors  []Info         // in the order of their data
	byName   map[string]int // indices of tensors
	metadata map[string]string
}

// parseHeader reads the JSON text of a header in front of dataBytes bytes of data.
func parseHeader(text []byte, dataBytes int64) (*header, error) {
	if len(text) == 0 || text[0] != '{' {
		return nil, fmt.Errorf("the header does not begin with {: not a safetensors file")
	}
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("the header is not UTF-8: the file is damaged, fetch or write it again")
	}
	var whole json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		at := int64(0)
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			at = syntax.Offset
		}
		return nil, fmt.Errorf("header: byte %d: %w: the file is damaged, fetch or write it again", at, err)
	}
	j := &jsonText{text: string(text)}
	n := j.members()
	h := &header{tensors: make([]Info, 0, n), byName: make(map[string]int, n)}
	err := j.object(func(name string) (err error) {
		if _, twice := h.byName[name]; twice || name == metadataKey && h.metadata != nil {
			return fmt.Errorf("header: the name %.200q comes twice: the file was written wrongly", name)
		}
		if name == metadataKey {
			h.metadata, err = stringMap(j)
		} else {
			var info Info
			info, err = tensor(j, name)
			h.byName[name] = 0 // not known before the tensors are sorted
			h.tensors = append(h.tensors, info)
		}
		if err != nil {
			return fmt.Errorf("tensor %.200q: %w", name, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if h.metadata == nil {
		h.metadata = map[string]string{}
	}
	slices.SortStableFunc(h.tensors, func(a, b Info) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.bytes, b.bytes))
	})
	for i, t := range h.tensors {
		h.byName[t.Name] = i
	}
	return h, h.checkTiling(dataBytes)
}

// checkTiling verifies that the tensors cover the data without holes and overlaps.
func (h *header) checkTiling(dataBytes int64) error {
	var end int64
	for _, t := range h.tensors {
		if t.begin > end {
			return fmt.Errorf("tensor %.200q: begins at byte %d of the data, but the one before ends at %d: a hole; write the file again", t.Name, t.begin, end)
		}
		if t.begin < end {
			return fmt.Errorf("tensor %.200q: begins at byte %d of the data, but the one before ends at %d: they overlap; write the file again", t.Name, t.begin, end)
		}
		if t.bytes > dataBytes-end {
			return fmt.Errorf("tensor %.200q: ends at byte %d of the data, but the file holds %d: it was cut off; fetch or write it again", t.Name, t.begin+t.bytes, dataBytes)
		}
		end += t.bytes
	}
	if end != dataBytes {
		return fmt.Errorf("%d bytes follow the last tensor: the file is damaged; fetch or write it again", dataBytes-end)
	}
	return nil
}

// stringMap reads an object of strings.
func stringMap(j *jsonText) (map[string]string, error) {
	m := make(map[string]string, j.members())
	return m, j.object(func(key string) error {
		if _, twice := m[key]; twice {
			return fmt.Errorf("header: the name %.200q comes twice: the file was written wrongly", key)
		}
		value, ok := j.string()
		if !ok {
			return fmt.Errorf("%.200s: must be a string", key)
		}
		m[key] = value
		return nil
	})
}

// tensor reads the description of a tensor. Keys that the format does not know are skipped; keys in another case are such.
func tensor(j *jsonText, name string) (Info, error) {
	info := Info{Name: name}
	var offsets []int
	err := j.object(func(key string) (err error) {
		twice := false
		switch key {
		case "dtype":
			twice = info.DType != ""
			dtype, ok := j.string()
			if !ok {
				return fmt.Errorf("dtype: must be a string")
			}
			info.DType = DType(dtype)
		case "shape":
			twice = info.Shape != nil
			info.Shape, err = j.sizes(maxDims)
		case "data_offsets":
			twice = offsets != nil
			offsets, err = j.sizes(2)
		default:
			j.value()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if twice {
			return fmt.Errorf("header: the name %q comes twice: the file was written wrongly", key)
		}
		return nil
	})
	if err != nil {
		return info, err
	}
	if info.DType == "" || info.Shape == nil || len(offsets) != 2 {
		return info, fmt.Errorf("must have a dtype, a shape and two data_offsets: the file was written wrongly")
	}
	info.begin, info.bytes = int64(offsets[0]), int64(offsets[1])-int64(offsets[0])
	want, err := byteSize(info.DType, info.Shape)
	if err != nil {
		return info, err
	}
	if info.bytes != want {
		return info, fmt.Errorf("data_offsets %v hold %d bytes, but shape %v of %s takes %d: the file was written wrongly", offsets, info.bytes, info.Shape, info.DType, want)
	}
	return info, nil
}
