package bench

import (
	"errors"
	"math"
	"math/rand/v2"

	"avcu/engine"
)

// room is memory of a device, laid out as a model's is, for the arguments of one call. They are planned first, and made and
// filled by ready.
type room struct {
	*engine.Arena
	fills []func() error
}

func newRoom(d engine.Device) *room { return &room{Arena: engine.NewArena(d)} }

// ready makes the memory and fills it.
func (r *room) ready() error {
	err := r.Commit()
	for _, fill := range r.fills {
		if err == nil {
			err = fill()
		}
	}
	r.fills = nil
	return err
}

// empty is room for float32 results.
func (r *room) empty(dims ...int) engine.Tensor { return r.Tensor(engine.Float32, dims...) }

// normal is float32 arguments of this standard deviation.
func (r *room) normal(std float64, dims ...int) engine.Tensor { return r.padded(0, std, dims...) }

// padded is normal with rows ld elements apart.
func (r *room) padded(ld int, std float64, dims ...int) engine.Tensor {
	return write(r, r.Padded(engine.Float32, ld, dims...), func(draw *rand.Rand) float32 { return float32(draw.NormFloat64() * std) })
}

// positive is the sizes of normal numbers, in rows ld elements apart.
func (r *room) positive(ld int, std float64, dims ...int) engine.Tensor {
	return write(r, r.Padded(engine.Float32, ld, dims...), func(draw *rand.Rand) float32 { return float32(math.Abs(draw.NormFloat64() * std)) })
}

// bytes is uniform bytes.
func (r *room) bytes(dims ...int) engine.Tensor {
	return write(r, r.Tensor(engine.Uint8, dims...), func(draw *rand.Rand) uint8 { return uint8(draw.Uint32()) })
}

// labels is so many labels in each of so many rows, as losses want them.
func (r *room) labels(rows, each, classes int) (offsets, labels engine.Tensor) {
	offsets, labels = r.Tensor(engine.Int32, rows+1), r.Tensor(engine.Int32, rows*each)
	r.fills = append(r.fills, func() error {
		o, l := make([]int32, rows+1), make([]int32, rows*each)
		for i := range o {
			o[i] = int32(i * each)
		}
		for i := range l {
			l[i] = int32(i * 997 % classes)
		}
		return errors.Join(engine.Write(r.Device(), offsets, o), engine.Write(r.Device(), labels, l))
	})
	return offsets, labels
}

// drawn is how many elements differ: large arguments repeat them.
const drawn = 65521

// write plans to fill t with drawn elements.
func write[T engine.Element](r *room, t engine.Tensor, draw func(*rand.Rand) T) engine.Tensor {
	r.fills = append(r.fills, func() error {
		random := rand.New(rand.NewPCG(1, uint64(t.Len())))
		data := make([]T, t.Len())
		for i := range min(len(data), drawn) {
			data[i] = draw(random)
		}
		for done := drawn; done < len(data); done *= 2 {
			copy(data[done:], data[:done])
		}
		return engine.Write(r.Device(), t, data)
	})
	return t
}
