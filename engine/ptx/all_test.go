package ptx

import (
	"os"
	"path/filepath"
	"testing"
)

func TestParseAll(t *testing.T) {
	files, _ := filepath.Glob("../../kernels/*/*.ptx")
	for _, f := range files {
		text, _ := os.ReadFile(f)
		m, err := Parse(f, string(text))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, k := range m.kernels {
			t.Log(f, k.name, len(k.code), k.fixedAt/128, k.undefined)
		}
	}
}
