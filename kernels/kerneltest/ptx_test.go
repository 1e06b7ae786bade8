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
	dir := t.TempDir()
	c := exec.Command("../compile.sh")
	c.Env = append(os.Environ(), "OUT="+dir, "CLANG="+compiler)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	all, err := filepath.Glob("../*/*.ptx")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if by := head(want, "compiler"); !strings.HasPrefix(string(version), by) {
			t.Logf("%s was made by %s, and here is %s", path, by, version)
			continue
		}
		got, err := os.ReadFile(filepath.Join(dir, filepath.Base(path)))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: compiled again it is something else (%v)", path, err)
		}
	}
}
