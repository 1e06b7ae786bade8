package yt8m

import (
	"strings"

	"avcu/io/tfrecord"
)

// IsPickle tells whether the file name is a Python pickle, by its first bytes.
func IsPickle(name string) (bool, error) {
	head, err := readHead(name)
	return err == nil && isPickle(name, head), err
}

// isPickle tells whether the file name, which begins with head, is a Python pickle. What is a TFRecord by its first checksum
// is none, whatever its bytes look like; of an empty file, which is a TFRecord without records, only the name can tell that
// a pickle was meant.
func isPickle(name string, head []byte) bool {
	if len(head) == 0 {
		return strings.HasSuffix(name, ".pkl") || strings.HasSuffix(name, ".pickle")
	}
	if tfrecord.Detect(head) == tfrecord.Plain {
		return false
	}
	if len(head) >= 2 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5 {
		return len(head) == 2 || head[2] != 0 // no opcode is 0, but a TFRecord with a damaged checksum goes on so
	}
	return isOldPickle(head)
}

// isOldPickle tells whether head begins a pickle of protocol 0 or 1, which has no mark of its own, of a list or a dict: what
// begins one, an opcode to remember it or none, and what begins its first element or ends it. The first bytes of a damaged
// TFRecord are never such: they are a length, of which the upper four bytes are 0.
func isOldPickle(head []byte) bool {
	s := string(head)
	switch {
	case len(s) >= 8 && s[4:8] == "\x00\x00\x00\x00":
		return false
	case strings.HasPrefix(s, "(l"), strings.HasPrefix(s, "(d"): // protocol 0
		s = s[2:]
		if strings.HasPrefix(s, "p") {
			number, rest, whole := strings.Cut(s[1:], "\n")
			if !whole || number == "" || strings.Trim(number, "0123456789") != "" {
				return false
			}
			s = rest
		}
	case strings.HasPrefix(s, "]"), strings.HasPrefix(s, "}"): // protocol 1
		s = s[1:]
		switch {
		case strings.HasPrefix(s, "q") && len(s) >= 2:
			s = s[2:]
		case strings.HasPrefix(s, "r") && len(s) >= 5:
			s = s[5:]
		}
	default:
		return false
	}
	if s == "." {
		return true // nothing is in it
	}
	// An element that is itself a list or a dict, or, in a dict, a key.
	switch {
	case strings.HasPrefix(s, "(") && len(s) >= 2:
		return strings.IndexByte("dl(}]VSUXTcI", s[1]) >= 0
	case strings.HasPrefix(s, "}"), strings.HasPrefix(s, "]"):
		return len(s) >= 2 && strings.IndexByte("qr(", s[1]) >= 0
	case head[0] == '(':
		return len(s) >= 2 && strings.IndexByte("VScI", s[0]) >= 0
	}
	return false
}
