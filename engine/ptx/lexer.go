package ptx

import (
	"fmt"
	"strings"
)

// token is a word ("fma.rn.f32", "%r1", "0x10"), one character of punctuation, or a string.
type token struct {
	text string
	line int
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c == '%' || c == '.'
}

// lex splits PTX into tokens, without comments.
func lex(text string) ([]token, error) {
	var tokens []token
	line := 1
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '\n':
			line++
			i++
		case c == ' ' || c == '\t' || c == '\r':
			i++
		case strings.HasPrefix(text[i:], "//"):
			for i < len(text) && text[i] != '\n' {
				i++
			}
		case strings.HasPrefix(text[i:], "/*"):
			end := strings.Index(text[i+2:], "*/")
			if end < 0 {
				return nil, fmt.Errorf("%d: a comment has no end", line)
			}
			line += strings.Count(text[i:i+2+end], "\n")
			i += end + 4
		case c == '"':
			end := strings.IndexAny(text[i+1:], "\"\n")
			if end < 0 || text[i+1+end] == '\n' {
				return nil, fmt.Errorf("%d: a string has no end", line)
			}
			tokens = append(tokens, token{text[i : i+end+2], line})
			i += end + 2
		case wordByte(c):
			from := i
			for i < len(text) && wordByte(text[i]) {
				i++
			}
			// C++ names of properties, as in ".L1::evict_last".
			for strings.HasPrefix(text[i:], "::") {
				for i += 2; i < len(text) && wordByte(text[i]); {
					i++
				}
			}
			tokens = append(tokens, token{text[from:i], line})
		case strings.IndexByte("{}()[]<>,;:@!+-|=", c) >= 0:
			tokens = append(tokens, token{text[i : i+1], line})
			i++
		default:
			return nil, fmt.Errorf("%d: the character %q", line, c)
		}
	}
	return tokens, nil
}
