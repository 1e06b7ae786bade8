package main

import (
	"fmt"
	"maps"
	"math"
	"os"
)

// checked is how far a contestant's losses are from avcu's.
type checked struct {
	Shape, Name          string
	Eval, First, Last    float64 // its losses: evaluation mode, first and last step
	EvalOff, Off         float64 // largest relative differences: evaluation mode and first step; all steps
	AllowedAtOnce, After float64
	Failed               string // why it does not run here
}

func (c checked) agrees() bool { return c.EvalOff <= c.AllowedAtOnce && c.Off <= c.After }

// Allowed relative differences. Of the initial weights float32 sides differ by the order of their sums alone:
// 1e-5. Each of Adam's first steps moves every weight by the learning rate towards its gradient's sign, and
// where that gradient is as small as its rounding error the sides move apart: 1e-3 after a few steps. A
// bfloat16 has 8 bits: terms of products are good to 2^-8, most of which averages out in the loss: 2e-3, and 2e-2
// after steps.
func (k contestant) tolerances() (atOnce, after float64) {
	if k.bf16 {
		return 2e-3, 2e-2
	}
	return 1e-5, 1e-3
}

// checkAll has every contestant compute the same losses, drops those that do not run here, and reports
// whether the others agree.
func (c *contest) checkAll() (bool, error) {
	agreed := true
	reference := contestants[0]
	for _, shape := range c.o.shapes {
		if _, err := c.turn(reference, "inputs", shape); err != nil {
			return false, fmt.Errorf("inputs: %w", err)
		}
		want, err := c.turn(reference, "check", shape)
		if err != nil {
			return false, fmt.Errorf("avcu: %w", err)
		}
		for _, k := range c.rows {
			got := want
			if k.name != reference.name {
				got, err = c.turn(k, "check", shape)
			}
			row := compare(want, got)
			row.Shape, row.Name = shape, k.title
			row.AllowedAtOnce, row.After = k.tolerances()
			switch {
			case c.ctx.Err() != nil:
				return false, c.ctx.Err()
			case err != nil:
				row.Failed = err.Error()
				c.dropped[shape+k.name] = row.Failed
				err = nil
			default:
				agreed = agreed && row.agrees()
				maps.Copy(c.report.Machine.Versions, got.Versions)
			}
			c.report.Checks = append(c.report.Checks, row)
		}
	}
	return agreed, nil
}

// apart is a difference that nothing allows.
const apart = math.MaxFloat64

// compare measures how far got is from want.
func compare(want, got turn) checked {
	if len(got.Losses) != len(want.Losses) || len(got.Losses) == 0 {
		return checked{EvalOff: apart, Off: apart}
	}
	off := func(a, b float64) float64 {
		if d := math.Abs(a-b) / math.Abs(b); d >= 0 {
			return d
		}
		return apart // not a number
	}
	c := checked{Eval: got.Eval, First: got.Losses[0], Last: got.Losses[len(got.Losses)-1]}
	c.EvalOff = max(off(got.Eval, want.Eval), off(got.Losses[0], want.Losses[0]))
	for i := range got.Losses {
		c.Off = max(c.Off, off(got.Losses[i], want.Losses[i]))
	}
	return c
}

// timing is one contestant at one job on one shape, or the limit of it.
type timing struct {
	Shape, Job, Name string
	Videos           int
	Turns            []turn
}

// timeAll runs the jobs, turn by turn.
func (c *contest) timeAll() error {
	for _, shape := range c.o.shapes {
		for _, job := range c.o.jobs {
			if err := c.timeJob(shape, job); err != nil {
				return err
			}
		}
	}
	if c.o.read {
		return c.reading()
	}
	return nil
}

func (c *contest) timeJob(shape, job string) error {
	_, n, err := specOf(shape)
	if err != nil {
		return err
	}
	rows := make([]timing, len(c.rows))
	for range c.o.reps {
		for i, k := range c.rows {
			if c.dropped[shape+k.name] != "" {
				continue
			}
			t, err := c.turn(k, job, shape)
			if c.ctx.Err() != nil {
				return c.ctx.Err()
			}
			if err != nil {
				c.dropped[shape+k.name] = err.Error()
				fmt.Fprintf(c.log, "%s, %s, %s: %v\n", shape, job, k.title, err)
				continue
			}
			rows[i].Turns = append(rows[i].Turns, t)
		}
		if c.o.products && shape == c.o.shapes[0] && job == c.o.jobs[0] {
			if err := c.limitTurn(); err != nil {
				return err
			}
		}
	}
	for i, k := range c.rows {
		if len(rows[i].Turns) > 0 {
			rows[i].Shape, rows[i].Job, rows[i].Name, rows[i].Videos = shape, job, k.name, n
			c.report.Timings = append(c.report.Timings, rows[i])
		}
	}
	return nil
}

// readers read shards; all but the first are Python packages.
var readers = []contestant{
	{name: "avcu", title: "avcu io/yt8m, checksums verified"},
	{name: "tfrecord", title: "tfrecord (PyPI) and NumPy, checksums not verified"},
	{name: "tensorflow", title: "tf.data, checksums verified"},
}

// reading times the readers on the shards of the first shape.
func (c *contest) reading() error {
	shape := c.o.shapes[0]
	if _, err := c.turn(readers[0], "shards", shape); err != nil {
		return fmt.Errorf("shards: %w", err)
	}
	defer os.RemoveAll(shardsDir(c.dir, shape))
	rows := make([]timing, len(readers))
	for range c.o.reps {
		for i, k := range readers {
			if c.dropped[shape+k.title] != "" || c.python == "" && !k.ours() {
				continue
			}
			t, err := c.turn(k, "read", shape)
			if c.ctx.Err() != nil {
				return c.ctx.Err()
			}
			if err != nil {
				c.dropped[shape+k.title] = err.Error()
				fmt.Fprintln(c.log, k.title, err)
				continue
			}
			rows[i].Turns = append(rows[i].Turns, t)
			maps.Copy(c.report.Machine.Versions, t.Versions)
		}
	}
	for i, k := range readers {
		if len(rows[i].Turns) == 0 {
			continue
		}
		if got, want := rows[i].Turns[0].Checksum, rows[0].Turns[0].Checksum; got != want {
			return fmt.Errorf("%s read something else: checksum %d, avcu's is %d", k.title, got, want)
		}
		rows[i].Shape, rows[i].Job, rows[i].Name = shape, "read", k.name
		c.report.Reading = append(c.report.Reading, rows[i])
	}
	return nil
}
