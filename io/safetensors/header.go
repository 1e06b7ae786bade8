package safetensors

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"
)

// metadataKey is the name in the header that holds the map of strings instead of a tensor.
const metadataKey = "__metadata__"

// header is what the JSON of a file says, checked.
type header struct {
	tensors  []Info // in the order of their data
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
	p := headerParser{json: json.NewDecoder(bytes.NewReader(text))}
	p.json.UseNumber()
	h := &header{metadata: map[string]string{}}
	err := p.object(func(name string) (err error) {
		if name == metadataKey {
			err = p.strings(h.metadata)
		} else {
			var info Info
			info, err = p.tensor(name)
			h.tensors = append(h.tensors, info)
		}
		if err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if _, err := p.json.Token(); err != io.EOF {
		return nil, fmt.Errorf("header: something follows the JSON object")
	}
	slices.SortStableFunc(h.tensors, func(a, b Info) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.bytes, b.bytes))
	})
	return h, h.checkTiling(dataBytes)
}

// checkTiling verifies that the tensors cover the data without holes and overlaps.
func (h *header) checkTiling(dataBytes int64) error {
	var end int64
	for _, t := range h.tensors {
		if t.begin > end {
			return fmt.Errorf("tensor %q: begins at byte %d of the data, but the one before ends at %d: a hole; write the file again", t.Name, t.begin, end)
		}
		if t.begin < end {
			return fmt.Errorf("tensor %q: begins at byte %d of the data, but the one before ends at %d: they overlap; write the file again", t.Name, t.begin, end)
		}
		if t.bytes > dataBytes-end {
			return fmt.Errorf("tensor %q: ends at byte %d of the data, but the file holds %d: it was cut off; fetch or write it again", t.Name, t.begin+t.bytes, dataBytes)
		}
		end += t.bytes
	}
	if end != dataBytes {
		return fmt.Errorf("%d bytes follow the last tensor: the file is damaged; fetch or write it again", dataBytes-end)
	}
	return nil
}

// headerParser reads the JSON token by token: Go's decoder into maps and structs would let duplicate names and names in
// another case pass.
type headerParser struct{ json *json.Decoder }

// object calls member for every name of the object that comes next, the decoder standing before the name's value. No name may
// come twice.
func (p headerParser) object(member func(name string) error) error {
	if err := p.delim('{', "an object"); err != nil {
		return err
	}
	seen := map[string]bool{}
	for p.json.More() {
		token, err := p.token()
		if err != nil {
			return err
		}
		name, ok := token.(string)
		if !ok {
			return fmt.Errorf("header: %v where a name should stand", token)
		}
		if seen[name] {
			return fmt.Errorf("header: the name %q comes twice: the file was written wrongly", name)
		}
		seen[name] = true
		if err := member(name); err != nil {
			return err
		}
	}
	return p.delim('}', "the end of an object")
}

// strings reads an object of strings into m.
func (p headerParser) strings(m map[string]string) error {
	return p.object(func(key string) error {
		token, err := p.token()
		if err != nil {
			return err
		}
		value, ok := token.(string)
		if !ok {
			return fmt.Errorf("%s: must be a string", key)
		}
		m[key] = value
		return nil
	})
}

// tensor reads the description of a tensor. Keys that the format does not know are skipped.
func (p headerParser) tensor(name string) (Info, error) {
	info := Info{Name: name, Shape: []int{}}
	var offsets []int
	var hasShape bool
	err := p.object(func(key string) (err error) {
		switch key {
		case "dtype":
			var token json.Token
			token, err = p.token()
			dtype, ok := token.(string)
			if err == nil && !ok {
				return fmt.Errorf("dtype: must be a string")
			}
			info.DType = DType(dtype)
		case "shape":
			hasShape = true
			info.Shape, err = p.sizes(key, maxDims)
		case "data_offsets":
			offsets, err = p.sizes(key, 2)
		default:
			var skipped json.RawMessage
			err = p.json.Decode(&skipped)
		}
		return err
	})
	if err != nil {
		return info, err
	}
	if info.DType == "" || !hasShape || len(offsets) != 2 {
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

// sizes reads an array of at most limit whole numbers that are not negative.
func (p headerParser) sizes(key string, limit int) ([]int, error) {
	if err := p.delim('[', "an array"); err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	list := []int{}
	for p.json.More() {
		token, err := p.token()
		if err != nil {
			return nil, err
		}
		number, ok := token.(json.Number)
		if !ok {
			return nil, fmt.Errorf("%s: %v is not a number", key, token)
		}
		n, err := strconv.ParseUint(number.String(), 10, strconv.IntSize-1)
		if err != nil {
			return nil, fmt.Errorf("%s: %s is not a whole number from 0 to 2^63-1", key, number)
		}
		if len(list) == limit {
			return nil, fmt.Errorf("%s: more than %d numbers", key, limit)
		}
		list = append(list, int(n))
	}
	return list, p.delim(']', "the end of an array")
}

func (p headerParser) delim(want json.Delim, words string) error {
	token, err := p.token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("header: %v where %s should stand", token, words)
	}
	return nil
}

func (p headerParser) token() (json.Token, error) {
	token, err := p.json.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("header: byte %d: %w: the file is damaged, fetch or write it again", p.json.InputOffset(), err)
	}
	return token, nil
}
