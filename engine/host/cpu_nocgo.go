//go:build !cgo

package host

import "errors"

// NewCPU fails: the C kernels are not in this program.
func NewCPU(Options) (*CPU, error) {
	return nil, errors.New("host: this program was built without cgo and has no cpu device; build it with CGO_ENABLED=1 and a C compiler, or use --device ref")
}

// HasAMX is false: nothing here would use it.
func HasAMX() bool { return false }

// Close has nothing to free.
func (c *CPU) Close() error { return nil }
