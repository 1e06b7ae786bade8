package adam

import (
	"bytes"
	"testing"

	"avcu/engine"
	"avcu/engine/host"
	"avcu/kernels/kerneltest"
)

func TestRows(t *testing.T) { kerneltest.Run(t, Rows(*kerneltest.Long)) }

func TestGolden(t *testing.T) {
	settings := map[string]struct {
		lr, beta1, beta2, eps float64
		t0                    int
	}{
		"adam_n1":              {1e-3, 0.9, 0.999, 1e-8, 0},
		"adam_n13":             {1e-3, 0.9, 0.999, 1e-8, 0},
		"adam_n101":            {1e-3, 0.9, 0.999, 1e-8, 0},
		"adam_gradient_scales": {1e-3, 0.9, 0.999, 1e-8, 0},
		"adam_other_settings":  {1e-2, 0.8, 0.99, 1e-6, 0},
		"adam_resume":          {1e-3, 0.9, 0.999, 1e-8, 7},
	}
	kerneltest.Golden(t, "adam_*.npz", func(t *testing.T, name string, a map[string]kerneltest.Array) {
		p, ok := settings[name]
		if !ok {
			t.Fatal("no settings")
		}
		n := len(a["w0"].Data)
		w, m, v := a["w0"].Clone(), make([]float64, n), make([]float64, n)
		if m0, ok := a["m0"]; ok {
			m, v = m0.Clone(), a["v0"].Clone()
		}
		for step := range a["g"].Shape[0] {
			s := &engine.Step{Rate: Rate(p.lr, p.beta1, p.beta2, p.t0+step+1), Beta1: p.beta1, Beta2: p.beta2, Epsilon: p.eps}
			update(w, a["g"].Data[step*n:(step+1)*n], m, v, 1, s)
			for i := range n {
				for _, c := range []struct {
					name      string
					got, want float64
				}{{"w", w[i], a["w"].Data[step*n+i]}, {"m", m[i], a["m"].Data[step*n+i]}, {"v", v[i], a["v"].Data[step*n+i]}} {
					// Both sides compute in float64; they round in another order.
					if tol := (kerneltest.Tolerance{Abs: 1e-14, Rel: 1e-12}); !tol.Within(c.got, c.want) {
						t.Errorf("step %d: %s[%d] = %v, want %v", step+1, c.name, i, c.got, c.want)
					}
				}
			}
		}
	})
}

// TestTwins: the rule in CUDA, adam_rule.cuh, has the bits of the rule in C, adam_step.h, on every
// instruction set that fuses multiply and add, which plain C does not.
func TestTwins(t *testing.T) {
	devices := kerneltest.Devices(t)
	delete(devices, "cpu/"+host.Plain.String())
	for _, row := range Rows(false) {
		var first [][]byte
		var of string
		for name, d := range devices {
			got, err := kerneltest.Execute(d, row)
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first, of = got, name
			}
			for i, a := range row.Args {
				if a.Write && !bytes.Equal(got[i], first[i]) {
					t.Errorf("%s: %s has other bits on %s than on %s", row.Name, a.Name, name, of)
				}
			}
		}
	}
}
