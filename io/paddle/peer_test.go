package paddle

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"avcu/io/replace"
)

// TestPaddleReads has Paddle read what is written here. AVCU_PADDLE_PYTHON names a Python that has paddlepaddle.
func TestPaddleReads(t *testing.T) {
	python := os.Getenv("AVCU_PADDLE_PYTHON")
	if python == "" {
		t.Skip("AVCU_PADDLE_PYTHON does not name a Python with paddlepaddle")
	}
	const expected = "testdata/paddle262/expected.npz"
	var tensors, params, state []Tensor
	all := arrays(t, strings.TrimPrefix(expected, "testdata/"))
	for _, name := range sortedKeys(all) {
		a := all[name]
		tensor := Tensor{name, a.DType, a.Shape, raw(a.data)}
		tensors = append(tensors, tensor)
		if _, kind := Split(name); kind == Parameter {
			params = append(params, tensor)
		} else {
			state = append(state, tensor)
		}
	}
	folder := t.TempDir()
	for name, write := range map[string]func(path string) error{
		"all.pdparams": func(path string) error { return WritePickle(path, tensors) },
		"split.pdparams": func(path string) error {
			return replace.With(path, replace.Buffered(func(w io.Writer) error { return writePickle(w, tensors, 255) }))
		},
		"two.pdparams": func(path string) error {
			return errors.Join(WritePickle(path, params), WritePickle(strings.TrimSuffix(path, "params")+"opt", state))
		},
		"folder":   func(path string) error { return WriteFolder(path, tensors) },
		"combined": func(path string) error { return WriteCombined(path, tensors) },
	} {
		path := filepath.Join(folder, name)
		if err := write(path); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(python, "../../bench/peers/read_back.py", path, expected).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "equal") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		t.Logf("%s", out)
	}
}
