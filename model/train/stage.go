package train

import (
	"avcu/engine"
	"avcu/model"
)

// stage gives the training graph two places for the features of a batch, which take turns: while the
// kernels of a step still read one, the next batch travels to the other. A place is free again when its
// turn comes, since reading the loss of the step between has waited for all before it.
type stage struct {
	dev   engine.Stager
	other []engine.Tensor // the place whose turn is next, one tensor a modality
	dst   []engine.Buffer
	src   [][]byte
}

func newStage(d engine.Stager, a *engine.Arena, s model.Spec, batch int) *stage {
	st := &stage{dev: d}
	for _, m := range s.Modalities {
		st.other = append(st.other, a.Tensor(engine.Uint8, batch, s.Frames, m.Dim))
	}
	st.dst, st.src = make([]engine.Buffer, len(st.other)), make([][]byte, len(st.other))
	return st
}

// load sends n videos to the features' other place, which is theirs from then on. Part is the bytes of
// modality m, of so many a video.
func (s *stage) load(features []*engine.Var, n int, part func(m, size int) []byte) error {
	for m, f := range features {
		f.Value, s.other[m] = s.other[m], f.Value
		s.dst[m] = f.Value.Prefix(n).Buffer()
		s.src[m] = part(m, f.Value.Dim(1)*f.Value.Dim(2))
	}
	if err := s.dev.Stage(s.dst, s.src); err != nil {
		return err
	}
	return s.dev.Staged()
}
