package paddle

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/bits"

	"google.golang.org/protobuf/encoding/protowire"
)

// A LoDTensor is stored as
//
//	uint32 0, the version of the LoDTensor
//	uint64 number of LoD levels; for each a uint64 size in bytes and that many bytes
//	uint32 0, the version of the tensor
//	int32  size of the description and the description, protobuf {1: type, 2: repeated dims}
//	       the elements, row-major
//
// with all numbers little-endian.

// Types in a description (VarType.Type of framework.proto).
var typeNumbers = map[uint64]DType{
	0: Bool, 1: Int16, 2: Int32, 3: Int64, 4: Float16, 5: Float32, 6: Float64, 20: Uint8, 21: Int8, 22: BFloat16,
}

const (
	maxDims        = 64
	maxDescription = 4 << 10 // bytes: a type and maxDims dims are shorter
)

// fetchAgain is the remedy for damage.
const fetchAgain = "copy or fetch the file again"

// parser reads LoDTensors one after another.
type parser struct {
	r    io.ReaderAt
	size int64
	at   int64
	buf  []byte
}

// take reads the next n bytes, at most maxDescription; valid until the next call.
func (p *parser) take(n int64, what string) ([]byte, error) {
	if n > p.size-p.at {
		return nil, fmt.Errorf("byte %d: the %s is cut, the file ends at byte %d: %s", p.at, what, p.size, fetchAgain)
	}
	if p.buf == nil {
		p.buf = make([]byte, maxDescription)
	}
	b := p.buf[:n]
	if _, err := p.r.ReadAt(b, p.at); err != nil && err != io.EOF {
		return nil, fmt.Errorf("byte %d: %w", p.at, err)
	}
	p.at += n
	return b, nil
}

// next reads the tensor that begins here, all but its elements.
func (p *parser) next() (tensor, error) {
	t := tensor{at: p.at}
	if err := p.version("LoDTensor"); err != nil {
		return t, err
	}
	if err := p.levels(); err != nil {
		return t, err
	}
	if err := p.version("tensor"); err != nil {
		return t, err
	}
	at := p.at
	b, err := p.take(4, "size of the description")
	if err != nil {
		return t, err
	}
	n := int32(binary.LittleEndian.Uint32(b))
	if n < 0 || n > maxDescription {
		return t, fmt.Errorf("byte %d: a description of %d bytes: the file is damaged; %s", at, n, fetchAgain)
	}
	at = p.at
	if b, err = p.take(int64(n), "description"); err != nil {
		return t, err
	}
	if t.DType, t.Shape, err = parseDescription(b); err != nil {
		return t, fmt.Errorf("byte %d: %w", at, err)
	}
	bytes, err := byteSize(t.Info)
	if err != nil {
		return t, fmt.Errorf("byte %d: %w", at, err)
	}
	if bytes > p.size-p.at {
		return t, fmt.Errorf("byte %d: %s of shape %v takes %d bytes from byte %d on, but the file ends at byte %d: it was cut off; %s", at, t.DType, t.Shape, bytes, p.at, p.size, fetchAgain)
	}
	t.data = section{p.r, p.at, bytes}
	p.at += bytes
	return t, nil
}

// version reads a version, which must be 0.
func (p *parser) version(what string) error {
	at := p.at
	b, err := p.take(4, "version")
	if err != nil {
		return err
	}
	if v := binary.LittleEndian.Uint32(b); v != 0 {
		return fmt.Errorf("byte %d: version %d of a %s, only 0 is known: not Paddle's, damaged or longer than it should be; %s", at, v, what, fetchAgain)
	}
	return nil
}

// levels steps over the LoD: a tensor of weights has none, and its lengths of sequences mean nothing here.
func (p *parser) levels() error {
	at := p.at
	b, err := p.take(8, "number of LoD levels")
	if err != nil {
		return err
	}
	levels := binary.LittleEndian.Uint64(b)
	if levels > uint64(p.size-p.at)/8 {
		return fmt.Errorf("byte %d: %d LoD levels, more than the file holds: it is damaged; %s", at, levels, fetchAgain)
	}
	for range levels {
		at := p.at
		if b, err = p.take(8, "size of a LoD level"); err != nil {
			return err
		}
		n := binary.LittleEndian.Uint64(b)
		if n > uint64(p.size-p.at) {
			return fmt.Errorf("byte %d: a LoD level of %d bytes, more than the file holds: it is damaged; %s", at, n, fetchAgain)
		}
		p.at += int64(n)
	}
	return nil
}

// parseDescription reads the protobuf message TensorDesc.
func parseDescription(b []byte) (DType, []int, error) {
	bad := func() (DType, []int, error) {
		return "", nil, fmt.Errorf("the description is not a TensorDesc: the file is damaged; %s", fetchAgain)
	}
	number, shape := uint64(math.MaxUint64), []int{}
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return bad()
		}
		b = b[n:]
		switch {
		case field == 1 && kind == protowire.VarintType:
			if number, n = protowire.ConsumeVarint(b); n < 0 {
				return bad()
			}
		case field == 2 && kind == protowire.VarintType:
			var dim uint64
			if dim, n = protowire.ConsumeVarint(b); n < 0 {
				return bad()
			}
			shape = append(shape, int(int64(dim)))
		case field == 2 && kind == protowire.BytesType:
			var packed []byte
			if packed, n = protowire.ConsumeBytes(b); n < 0 {
				return bad()
			}
			for len(packed) > 0 {
				dim, m := protowire.ConsumeVarint(packed)
				if m < 0 {
					return bad()
				}
				shape = append(shape, int(int64(dim)))
				packed = packed[m:]
			}
		default:
			if n = protowire.ConsumeFieldValue(field, kind, b); n < 0 {
				return bad()
			}
		}
		b = b[n:]
	}
	dtype, ok := typeNumbers[number]
	if !ok {
		if number == math.MaxUint64 {
			return bad()
		}
		return "", nil, fmt.Errorf("data type %d is not known: save the tensor as float32, or %s", number, fetchAgain)
	}
	return dtype, shape, nil
}

// byteSize returns the bytes that the elements of a tensor take.
func byteSize(t Info) (int64, error) {
	size := uint64(t.DType.Size())
	if size == 0 {
		return 0, fmt.Errorf("data type %q is not known", t.DType)
	}
	if len(t.Shape) > maxDims {
		return 0, fmt.Errorf("%d dimensions, at most %d are supported", len(t.Shape), maxDims)
	}
	empty := false
	for _, n := range t.Shape {
		if n < 0 {
			return 0, fmt.Errorf("shape %v has a negative size: the file is damaged; %s", t.Shape, fetchAgain)
		}
		empty = empty || n == 0
		high, low := bits.Mul64(size, uint64(max(n, 1)))
		if high != 0 || low > math.MaxInt64 {
			return 0, fmt.Errorf("shape %v of %s overflows the count of bytes: the file is damaged; %s", t.Shape, t.DType, fetchAgain)
		}
		size = low
	}
	if empty {
		return 0, nil
	}
	return int64(size), nil
}

// appendHeader appends what stands before the elements of a tensor without LoD.
func appendHeader(b []byte, t Info) ([]byte, error) {
	number := uint64(math.MaxUint64)
	for n, dtype := range typeNumbers {
		if dtype == t.DType {
			number = n
		}
	}
	if number == math.MaxUint64 {
		return nil, fmt.Errorf("%s is no type of Paddle's tensors: write a pickle, or another type", t.DType)
	}
	var description []byte
	description = protowire.AppendTag(description, 1, protowire.VarintType)
	description = protowire.AppendVarint(description, number)
	for _, n := range t.Shape {
		description = protowire.AppendTag(description, 2, protowire.VarintType)
		description = protowire.AppendVarint(description, uint64(n))
	}
	b = append(b, make([]byte, 4+8+4)...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(description)))
	return append(b, description...), nil
}
