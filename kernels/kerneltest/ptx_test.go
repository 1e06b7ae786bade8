package kerneltest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// head is what the first lines of a PTX file say under a name.
func head(text []byte, name string) string {
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "// "+name+": "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// Every .cu has its PTX, and every PTX is that of its sources.
func TestPTXIsNotStale(t *testing.T) {
	sources, err := filepath.Glob("../*/*.cu")
	if err != nil || len(sources) == 0 {
		t.Fatalf("%d sources, %v", len(sources), err)
	}
	for _, cu := range sources {
		ptx := strings.TrimSuffix(cu, ".cu") + ".ptx"
		text, err := os.ReadFile(ptx)
		if err != nil {
			t.Errorf("%v: run make kernels", err)
			continue
		}
		hash, found := sha256.New(), false
		for _, name := range strings.Fields(head(text, "sources")) {
			source, err := os.ReadFile(filepath.Join("..", name))
			if err != nil {
				t.Error(err)
			}
			hash.Write(source)
			found = found || filepath.Join("..", name) == cu
		}
		if !found || hex.EncodeToString(hash.Sum(nil)) != head(text, "sha256") {
			t.Errorf("%s is not of the present sources: run make kernels", ptx)
		}
	}
	all, err := filepath.Glob("../*/*.ptx")
	if err != nil || len(all) != len(sources) {
		t.Errorf("%d .ptx of %d .cu, %v", len(all), len(sources), err)
	}
}

// The compiler that a PTX file names makes it again, byte for byte.
func TestPTXIsReproduced(t *testing.T) {
	compiler, err := exec.LookPath("clang++-19")
	if err != nil {
		t.Skip("there is no clang++-19 to compile the kernels again")
	}
	version, err := exec.Command(compiler, "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	here, _, _ := strings.Cut(string(version), "\n")
	all, err := filepath.Glob("../*/*.ptx")
	if err != nil || len(all) == 0 {
		t.Fatalf("%d PTX files, %v", len(all), err)
	}
	committed, names := map[string][]byte{}, []string{}
	for _, path := range all {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if by := head(text, "compiler"); by != here {
			t.Logf("%s is not compiled again: it was made by %q, and here is %q", path, by, here)
			continue
		}
		committed[path] = text
		names = append(names, filepath.Base(filepath.Dir(path)))
	}
	if len(names) == 0 {
		t.Skipf("no PTX was made by the compiler that is here, %q", here)
	}
	dir := t.TempDir()
	c := exec.Command("../compile.sh", names...)
	c.Env = append(os.Environ(), "OUT="+dir, "CLANG="+compiler, "NVCC=")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for path, want := range committed {
		got, err := os.ReadFile(filepath.Join(dir, filepath.Base(path)))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: compiled again it is something else (%v)", path, err)
		}
	}
}
