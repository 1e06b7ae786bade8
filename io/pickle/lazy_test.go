package pickle

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

func TestDecodeLatin(t *testing.T) {
	plain := everyByte(1000)
	var text []byte
	for _, c := range plain {
		text = utf8.AppendRune(text, rune(c))
	}
	encoded := make([]byte, 2*len(plain)+1)
	if got := encoded[:encodeLatin(encoded, plain)]; !bytes.Equal(got, text) || encodedLatin(plain) != int64(len(text)) {
		t.Error("encoded otherwise than by utf8")
	}
	for n := range len(text) { // cut anywhere, also inside a character
		dst := bytes.Clone(text[:n])
		used, made, ok := decodeLatin(dst, dst)
		if want := utf8.RuneCount(text[:n]); !ok || used != n && !(used == n-1 && text[n-1] >= 0xC0) || used == n && made != want || !bytes.Equal(dst[:made], plain[:made]) {
			t.Fatalf("of %d bytes: %d used, %d made, %v", n, used, made, ok)
		}
	}
	for n := range len(plain) { // up to any length
		dst := make([]byte, n)
		if used, made, ok := decodeLatin(dst, text); !ok || made != n || utf8.RuneCount(text[:used]) != n || !bytes.Equal(dst, plain[:n]) {
			t.Fatalf("%d bytes wanted: %d used, %d made, %v", n, used, made, ok)
		}
	}
	for _, bad := range []string{"\x80", "a\xbf", "\xc2a", "\xc3\xc3", "\xc2\x80\x80", "\xc1\x80", "\xc4\x80", "\xe0\xa0\x80", "\xff", "\xc3\xff"} {
		dst := make([]byte, 4)
		if _, _, ok := decodeLatin(dst, []byte(bad+"  ")); ok {
			t.Errorf("%q is taken", bad)
		}
	}
}
