package pickle

import "testing"

// BenchmarkDecodeLatin decodes the text of random bytes, as in weights that Python 3 wrote in protocol 2.
func BenchmarkDecodeLatin(b *testing.B) {
	plain := everyByte(chunk)
	src := make([]byte, 2*chunk+1)
	src = src[:encodeLatin(src, plain)]
	dst := make([]byte, len(plain))
	b.SetBytes(int64(len(dst)))
	for b.Loop() {
		decodeLatin(dst, src)
	}
}

// BenchmarkEncodeLatin does the reverse.
func BenchmarkEncodeLatin(b *testing.B) {
	plain := everyByte(chunk)
	dst := make([]byte, 2*chunk+1)
	b.SetBytes(int64(len(plain)))
	for b.Loop() {
		encodeLatin(dst, plain)
	}
}
