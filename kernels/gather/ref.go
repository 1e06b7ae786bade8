package gather

// shape is a call's numbers: x [batch, height, width, channels] with pixels ld apart, and cols with
// windows ldCols apart.
type shape struct {
	Window
	batch, height, width, channels int
	ld, ldCols                     int
}

// each calls f with the index in cols and that in x of the first channel of every pixel that a window
// has, window by window, row by row; the latter is -1 outside of x.
func (s shape) each(f func(col, pixel int)) {
	for b := range s.batch {
		for oy := range s.Out(s.height, s.Height) {
			for ox := range s.Out(s.width, s.Width) {
				window := (b*s.Out(s.height, s.Height)+oy)*s.Out(s.width, s.Width) + ox
				for i := range s.Height {
					for j := range s.Width {
						y, x, pixel := oy*s.Stride-s.Pad+i, ox*s.Stride-s.Pad+j, -1
						if y >= 0 && y < s.height && x >= 0 && x < s.width {
							pixel = ((b*s.height+y)*s.width + x) * s.ld
						}
						f(window*s.ldCols+(i*s.Width+j)*s.channels, pixel)
					}
				}
			}
		}
	}
}

// columns is the definition of Columns.
func columns[T float32 | float64](s shape, cols, x []T) {
	s.each(func(col, pixel int) {
		for c := range s.channels {
			cols[col+c] = 0
			if pixel >= 0 {
				cols[col+c] = x[pixel+c]
			}
		}
	})
}

// back is the definition of Back, summed in float64 and rounded once.
func back[T float32 | float64](s shape, gx, gcols []T, add bool) {
	sums := make([]float64, len(gx))
	s.each(func(col, pixel int) {
		for c := 0; pixel >= 0 && c < s.channels; c++ {
			sums[pixel+c] += float64(gcols[col+c])
		}
	})
	for pixel := range s.batch * s.height * s.width {
		for c := range s.channels {
			i := pixel*s.ld + c
			if add {
				sums[i] += float64(gx[i])
			}
			gx[i] = T(sums[i])
		}
	}
}
