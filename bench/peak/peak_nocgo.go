//go:build !cgo

package peak

import "errors"

var errNoCgo = errors.New("peak: this program was built without cgo and cannot measure the processor; build it with CGO_ENABLED=1 and a C compiler")

func fma(int, int) (float64, error)     { return 0, errNoCgo }
func triad(int, int64) (float64, error) { return 0, errNoCgo }
