package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"runtime"
	"slices"
)

// product is a matrix product, or those of an attention kernel, by avcu and by oneDNN.
type product struct {
	Name     string
	Model    string // the shape whose step has it; empty: none
	Backward bool
	M, N, K  int
	Op       string    // N and T, of A and B
	Flop     float64   // of a call
	Ours     []float64 // seconds of a call, one a turn
	OneDNN   []float64
	Distance float64 // largest difference of an element
	Version  string  `json:",omitempty"` // of oneDNN
}

// limits is what bounds a step from below, measured between the contestants' turns.
type limits struct {
	Products []product
	Adam     map[string][]float64 // seconds for Adam's bytes at the machine's bandwidth, by shape
	Triad    map[string][]float64 // that bandwidth, bytes a second
	Missing  string               // why there is no oneDNN
}

// limitTurn times products and memory once.
func (c *contest) limitTurn() error {
	l := &c.report.Limits
	if l.Adam == nil {
		l.Adam, l.Triad = map[string][]float64{}, map[string][]float64{}
	}
	for _, shape := range c.o.shapes {
		t, err := c.turn(contestants[0], "triad", shape)
		if err != nil {
			return fmt.Errorf("triad: %w", err)
		}
		l.Adam[shape], l.Triad[shape] = append(l.Adam[shape], t.Seconds...), append(l.Triad[shape], t.Bytes)
	}
	if l.Missing != "" {
		return nil
	}
	args := []string{"-j", "-r", "3", "-t", fmt.Sprint(runtime.NumCPU())}
	if c.o.quick {
		args = append(args, "-r", "1", "-s", "0", "tiny")
	}
	cmd := exec.CommandContext(c.ctx, "bench/dnnl/run.sh", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	if err != nil {
		l.Missing = "bench/dnnl does not build or run here (Debian: libdnnl-dev): " + lastLine(stderr.String())
		fmt.Fprintln(c.log, l.Missing)
		return nil
	}
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		var p product
		if err := json.Unmarshal(s.Bytes(), &p); err != nil {
			return fmt.Errorf("bench/dnnl: %q: %w", s.Text(), err)
		}
		c.report.Machine.Versions["oneDNN of the limit"] = p.Version
		i := slices.IndexFunc(l.Products, func(q product) bool { return q.Name == p.Name })
		if i < 0 {
			l.Products = append(l.Products, p)
			continue
		}
		q := &l.Products[i]
		q.Ours, q.OneDNN = append(q.Ours, p.Ours...), append(q.OneDNN, p.OneDNN...)
	}
	return nil
}

// of is the limit of a job: oneDNN's time for its bare products, and the time for Adam's bytes.
func (l limits) of(shape, job string) (products, adam float64) {
	for _, p := range l.Products {
		if p.Model == shape && (job == "train" || !p.Backward) {
			products += median(p.OneDNN)
		}
	}
	if job == "train" {
		adam = median(l.Adam[shape])
	}
	return products, adam
}
