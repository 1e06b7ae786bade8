package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
)

// row is one kind of launch: an entry on one grid. It is also what the committed table holds.
type row struct {
	Part, Entry                  string
	Grid                         [3]int
	Launches                     int
	Registers, Spills, Shared    int
	Sectors, Wavefronts          float64 // over the ideal ones
	Milliseconds, GFLOP, MB      float64
	share, loop, waves, occupied float64
	bound                        string
}

type table struct {
	static map[string]limits
	shares map[string]float64
	rows   []row
}

func newTable(static map[string]limits, shares map[string]float64) *table {
	return &table{static: static, shares: shares}
}

// add makes the rows of one part; launches of one entry on one grid share one.
func (t *table) add(part string, launches []launch) {
	first := len(t.rows)
	for _, l := range launches {
		s := t.static[l.entry]
		e := estimate(l, s)
		at := -1
		for i := first; i < len(t.rows); i++ {
			if t.rows[i].Entry == l.entry && t.rows[i].Grid == l.grid {
				at = i
			}
		}
		if at < 0 {
			t.rows = append(t.rows, row{Part: part, Entry: l.entry, Grid: l.grid, Registers: s.registers, Spills: s.spills, Shared: s.shared + l.shared,
				Sectors: ratio(l.global.load+l.global.store, l.global.ideal), Wavefronts: ratio(l.conflicts.got, l.conflicts.ideal),
				share: e.share, loop: t.shares[l.entry], waves: e.quantisation, bound: "issue",
				occupied: float64(e.resident*l.threads) / maxThreads})
			at = len(t.rows) - 1
		}
		r := &t.rows[at]
		r.Launches++
		r.Milliseconds += 1e3 * e.seconds
		r.GFLOP += e.flop / 1e9
		r.MB += (l.global.load + l.global.store) * 32 / 1e6
		if e.memory > e.issue {
			r.bound = "memory"
		}
	}
}

func ratio(got, ideal float64) float64 {
	if ideal == 0 {
		return 1
	}
	return got / ideal
}

func (t *table) print(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', tabwriter.AlignRight)
	part, sum, n := "", 0.0, 0
	end := func() {
		if part != "" {
			fmt.Fprintf(w, "sum\t\t%d\t\t\t\t\t\t\t\t\t\t\t\t%.2f\t\t\n", n, sum)
		}
	}
	for _, r := range t.rows {
		if r.Part != part {
			end()
			part, sum, n = r.Part, 0, 0
			fmt.Fprintf(w, "%s\n", part)
			fmt.Fprintln(w, "kernel\tgrid\tlaunches\tregisters\tspills\tshared B\toccupancy\tGFLOP\tMB\tsectors/ideal\twavefronts/ideal\tFMA of slots\tFFMA of SASS loop\twaves\tms\tbound\t")
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%.0f %%\t%.2f\t%.1f\t%.2f\t%.2f\t%.0f %%\t%.0f %%\t%.0f %%\t%.3f\t%s\t\n", r.Entry, grid(r.Grid), r.Launches, r.Registers,
			r.Spills, r.Shared, 100*r.occupied, r.GFLOP, r.MB, r.Sectors, r.Wavefronts, 100*r.share, 100*r.loop, 100*r.waves, r.Milliseconds, r.bound)
		sum += r.Milliseconds
		n += r.Launches
	}
	end()
	w.Flush()
}

func grid(g [3]int) string {
	return strings.TrimSuffix(strings.TrimSuffix(fmt.Sprintf("%d×%d×%d", g[0], g[1], g[2]), "×1"), "×1")
}

func (t *table) save(path string) error {
	b, err := json.MarshalIndent(t.rows, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o666)
}

// compare fails where a kernel takes more registers, spills, or has more sectors or wavefronts over
// the ideal than in the table at path; half a percent is rounding of the slice.
func (t *table) compare(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var old []row
	if err := json.Unmarshal(b, &old); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	var worse []error
	for _, r := range t.rows {
		for _, o := range old {
			if o.Part != r.Part || o.Entry != r.Entry || o.Grid != r.Grid {
				continue
			}
			if r.Registers > o.Registers || r.Spills > o.Spills || r.Sectors > o.Sectors*1.005 || r.Wavefronts > o.Wavefronts*1.005 {
				worse = append(worse, fmt.Errorf("%s on %s: registers %d (were %d), spills %d (%d), sectors %.3f of the ideal (%.3f), wavefronts %.3f (%.3f)",
					r.Entry, grid(r.Grid), r.Registers, o.Registers, r.Spills, o.Spills, r.Sectors, o.Sectors, r.Wavefronts, o.Wavefronts))
			}
		}
	}
	return errors.Join(worse...)
}
