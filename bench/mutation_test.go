package bench

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"avcu/engine"
	"avcu/engine/cuda"
	"avcu/engine/host"
	"avcu/engine/ptx"
	"avcu/kernels/attention"
	"avcu/kernels/colsum"
	"avcu/kernels/dequantise"
	"avcu/kernels/kerneltest"
	"avcu/kernels/norm"
	"avcu/kernels/product"
	"avcu/kernels/shift"
	"avcu/kernels/sigmoidce"
	"avcu/kernels/softmaxce"
	"avcu/kernels/topk"
)

// mutant is the virtual machine, which takes line `drop` (from 0; -1 for none) out of one module and notes
// which kernels are launched.
type mutant struct {
	*ptx.Driver
	text     string
	drop     int
	names    map[cuda.Function]string
	launched map[string]bool
}

func (m *mutant) Load(text string) (cuda.Module, error) {
	if text == m.text && m.drop >= 0 {
		lines := strings.SplitAfter(text, "\n")
		text = strings.Join(slices.Delete(lines, m.drop, m.drop+1), "")
	}
	return m.Driver.Load(text)
}

func (m *mutant) Function(module cuda.Module, name string) (cuda.Function, error) {
	f, err := m.Driver.Function(module, name)
	m.names[f] = name
	return f, err
}

func (m *mutant) Launch(f cuda.Function, grid, block [3]int, shared int, s cuda.Stream, args []uint64) error {
	m.launched[m.names[f]] = true
	return m.Driver.Launch(f, grid, block, shared, s, args)
}

func openMutant(t *testing.T, text string, drop int) (*mutant, engine.Device) {
	m := &mutant{Driver: ptx.NewDriver(ptx.Options{}), text: text, drop: drop, names: map[cuda.Function]string{}, launched: map[string]bool{}}
	d, err := cuda.Open(m, cuda.Options{Name: "emu", Checks: true})
	if err != nil {
		t.Fatal(err)
	}
	return m, d
}

// barrier is one bar.sync in a module's text.
type barrier struct {
	line  int
	entry string
}

func barriers(text string) (list []barrier) {
	entry := ""
	for i, line := range strings.Split(text, "\n") {
		if rest, ok := strings.CutPrefix(line, ".visible .entry "); ok {
			entry = strings.TrimRight(rest, "( ")
		}
		if strings.Contains(line, "bar.sync") {
			list = append(list, barrier{i, entry})
		}
	}
	return list
}

// Each barrier of each kernel is needed, and the virtual machine sees it: without it some case fails, by a
// race, a barrier that not all reach, memory that nobody has written, or a wrong result.
func TestEveryBarrierIsNeeded(t *testing.T) {
	tables := map[string]func(bool) []kerneltest.Row{
		"attention": attention.Rows, "colsum": colsum.Rows, "dequantise": dequantise.Rows, "norm": norm.Rows, "product": product.Rows, "shift": shift.Rows,
		"sigmoidce": sigmoidce.Rows, "softmaxce": softmaxce.Rows, "topk": topk.Rows,
	}
	files, err := filepath.Glob("../kernels/*/*.ptx")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		name := filepath.Base(filepath.Dir(path))
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		list := barriers(text)
		if len(list) == 0 {
			continue
		}
		if tables[name] == nil {
			t.Errorf("%s has %d barriers and no table of cases here", name, len(list))
			continue
		}
		t.Run(name, func(t *testing.T) { testBarriers(t, text, list, tables[name](false)) })
	}
}

func testBarriers(t *testing.T, text string, list []barrier, rows []kerneltest.Row) {
	reach := map[string][]kerneltest.Row{} // the cases that launch a kernel
	m, d := openMutant(t, text, -1)
	defer d.Close()
	for _, row := range rows {
		clear(m.launched)
		if _, err := kerneltest.Execute(d, row); err != nil {
			t.Fatalf("%s: %v", row.Name, err)
		}
		for entry := range m.launched {
			reach[entry] = append(reach[entry], row)
		}
	}
	for _, b := range list {
		if len(reach[b.entry]) == 0 {
			t.Errorf("no case launches %s", b.entry)
			continue
		}
		if !caught(t, text, b, reach[b.entry]) {
			t.Errorf("line %d: %s without this barrier passes %d cases", b.line+1, b.entry, len(reach[b.entry]))
		}
	}
	t.Logf("%d barriers", len(list))
}

// caught reports that some case shows that the barrier is missing; a fault ends a device, so each has one
// of its own.
func caught(t *testing.T, text string, b barrier, rows []kerneltest.Row) bool {
	ref := host.NewRef()
	for _, row := range rows {
		_, d := openMutant(t, text, b.line)
		diffs, err := kerneltest.Compare(ref, d, row)
		_ = d.Close()
		if err != nil || slices.ContainsFunc(diffs, func(d kerneltest.Diff) bool { return !d.OK }) {
			return true
		}
	}
	return false
}
