package train

import (
	"avcu/engine"
	"avcu/model"
)

// borrow gives graphs the features of a batch where they lie, on a device that can read them there.
type borrow struct {
	dev engine.Borrower
	mem []engine.Memory // one a modality
}

func newBorrow(d engine.Borrower, s model.Spec) *borrow {
	return &borrow{dev: d, mem: make([]engine.Memory, len(s.Modalities))}
}

// load makes the features of n videos what part returns: the bytes of modality m, of so many a video.
func (b *borrow) load(features []*engine.Var, n int, part func(m, size int) []byte) {
	for m, f := range features {
		frames, width := f.Value.Dim(1), f.Value.Dim(2)
		b.dev.Borrow(&b.mem[m], part(m, frames*width))
		f.Value = engine.NewTensor(&b.mem[m], 0, engine.Uint8, 0, n, frames, width)
	}
}
