//go:build !cuda

package nvidia

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The tests of this package with its tag, on the test driver.
func TestOnTestDriver(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the binding of the driver")
	}
	out, err := exec.Command("./env.sh").Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) && failed.ExitCode() == 3 {
		t.Skipf("not run without cuda.h: %s", failed.Stderr)
	} else if err != nil {
		t.Fatalf("env.sh: %v", err)
	}
	vm := filepath.Join(t.TempDir(), "vm")
	if text, err := exec.Command("go", "build", "-o", vm, "./testdriver/vm").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	script := string(out) + `
		LD_LIBRARY_PATH=$AVCU_TESTDRIVER exec go test -count=1 -tags cuda -v .`
	c := exec.Command("bash", "-c", script)
	c.Env = append(os.Environ(), "AVCU_TESTDRIVER_VM="+vm)
	text, err := c.CombinedOutput()
	if err != nil || strings.Count(string(text), "--- PASS") < 4 {
		t.Errorf("%v\n%s", err, text)
	}
}
