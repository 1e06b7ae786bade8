package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// driver is the binding of the CUDA driver, which one room alone imports: its init ends the program where there is none.
const driver = "gorgonia.org/cu"

// rules is the table of what may import what: the first rule whose folder holds a package counts.
// Dependencies go downwards only.
var rules = []struct {
	folder string
	may    []string // folders of ours
	others []string // libraries; nil: any
}{
	{"engine/cuda/nvidia", []string{"engine"}, []string{driver}},
	{"engine", []string{"engine"}, []string{}},
	{"kernels/kerneltest", []string{"engine"}, nil},
	{"kernels", []string{"engine", "kernels/kerneltest"}, []string{}},
	{"ops", []string{"kernels", "engine"}, []string{}},
	{"model", []string{"model", "ops", "engine"}, nil},
	{"io", []string{"io"}, nil},
	{"bench", []string{"engine", "kernels", "ops", "model", "io", "bench"}, nil},
	{"cmd/avcu", []string{"engine", "kernels", "ops", "model", "io"}, nil},
	{"avcu", []string{}, []string{}}, // the module's own folder
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

// mayUse reports that a library is among those of a rule.
func mayUse(others []string, imported string) bool {
	if others == nil {
		return imported != driver
	}
	return slices.Contains(others, imported)
}

func within(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-tags", "cuda", "-json=ImportPath,Imports", "avcu/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		path := strings.TrimPrefix(p.ImportPath, "avcu/")
		i := slices.IndexFunc(rules, func(r struct {
			folder string
			may    []string
			others []string
		}) bool {
			return within(path, r.folder)
		})
		if i < 0 {
			t.Errorf("%s has no place in the table", path)
			continue
		}
		for _, imported := range p.Imports {
			mine, ours := strings.CutPrefix(imported, "avcu/")
			switch {
			case ours && !slices.ContainsFunc(rules[i].may, func(f string) bool { return within(mine, f) }):
				t.Errorf("%s imports %s", path, mine)
			case !ours && strings.Contains(strings.Split(imported, "/")[0], ".") && !mayUse(rules[i].others, imported):
				t.Errorf("%s imports %s, which is not among the libraries of its place in the table", path, imported)
			}
		}
	}
	if seen < 20 {
		t.Fatalf("only %d packages were looked at", seen)
	}
}
