package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The program runs itself as a child: the test's binary is then the program.
func TestMain(m *testing.M) {
	if slices.Contains(os.Args, "-child") {
		main()
		return
	}
	os.Exit(m.Run())
}

// compared runs the program in the repository's root.
func compared(t *testing.T, args ...string) (string, error) {
	t.Helper()
	t.Chdir("../..")
	o, err := parse(append([]string{"-quick", "-products=false"}, args...))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = run(context.Background(), &out, io.Discard, o)
	return out.String(), err
}

// peer writes a program that stands for a peer's python and prints avcu's own losses times factor.
func peer(t *testing.T, losses []float64, eval, factor float64) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("#!/bin/sh\ncat <<'END'\nsome chatter\n{\"versions\": {\"Peer\": \"1.0\"}}\n")
	fmt.Fprintf(&b, "{\"eval\": %v}\n", eval*factor)
	for _, l := range losses {
		fmt.Fprintf(&b, "{\"loss\": %v}\n", l*factor)
	}
	b.WriteString("{\"seconds\": 2}\n{\"seconds\": 4}\n{\"seconds\": 3}\nEND\n")
	name := filepath.Join(t.TempDir(), "peer")
	if err := os.WriteFile(name, []byte(b.String()), 0o777); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestQuick(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out.json")
	out, err := compared(t, "-rows", "avcu", "-json", file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| quick | avcu float32 |", "training step of 32 videos", "inference of 32 videos", "| avcu io/yt8m, checksums verified |"} {
		if !strings.Contains(out, want) {
			t.Errorf("there is no %q in:\n%s", want, out)
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	step, ok := r.find("quick", "train", "avcu")
	if !ok || len(step.all()) < 3 || median(step.all()) <= 0 || step.peak() == 0 {
		t.Errorf("training steps: %+v", step)
	}
	if c := r.Checks[0]; c.Last >= c.First || c.Eval == 0 {
		t.Errorf("the losses do not fall: %+v", c)
	}
}

// A peer that computes something else is no peer: there is an error, and there are no times.
func TestDisagreement(t *testing.T) {
	dir := t.TempDir()
	var losses bytes.Buffer
	if err := runChild(&losses, options{child: "avcu", job: "inputs", shape: "quick", dir: dir}); err != nil {
		t.Fatal(err)
	}
	if err := runChild(&losses, options{child: "avcu", job: "check", shape: "quick", dir: dir}); err != nil {
		t.Fatal(err)
	}
	var list []float64
	eval := 0.0
	for d := json.NewDecoder(&losses); d.More(); {
		var l line
		if err := d.Decode(&l); err != nil {
			t.Fatal(err)
		}
		if l.Eval != nil {
			eval = *l.Eval
		} else {
			list = append(list, *l.Loss)
		}
	}
	for _, c := range []struct {
		row    string
		factor float64
		agrees bool
	}{
		{"torch", 1 + 1e-6, true},
		{"torch", 1 + 1e-4, false},
		{"torch", math.NaN(), false},
		{"torch-bf16", 1 + 1e-3, true},
		{"torch-bf16", 1.1, false},
	} {
		t.Run(fmt.Sprint(c.row, c.factor), func(t *testing.T) {
			out, err := compared(t, "-rows", "avcu,"+c.row, "-read=false", "-python", peer(t, list, eval, c.factor))
			if (err == nil) != c.agrees || strings.Contains(out, "training step of") != c.agrees || strings.Contains(out, "**differs**") == c.agrees {
				t.Errorf("error %v, output:\n%s", err, out)
			}
		})
	}
}

// A peer that does not run is left out, with the reason.
func TestMissingPeer(t *testing.T) {
	out, err := compared(t, "-rows", "avcu,paddle", "-read=false", "-python", "/bin/false")
	if err != nil || !strings.Contains(out, "does not run here: exit status 1") || !strings.Contains(out, "training step of") {
		t.Errorf("error %v, output:\n%s", err, out)
	}
}

func TestStatistics(t *testing.T) {
	x := []float64{4, 1, 3, 2}
	for q, want := range map[float64]float64{0: 1, 0.25: 1.75, 0.5: 2.5, 1: 4} {
		if got := quantile(x, q); got != want {
			t.Errorf("quantile %v of %v is %v, want %v", q, x, got, want)
		}
	}
	slow := timing{Turns: []turn{{Seconds: []float64{2, 2}}, {Seconds: []float64{20}}, {Seconds: []float64{3}}}}
	fast := timing{Turns: []turn{{Seconds: []float64{1, 1}}, {Seconds: []float64{10}}, {Seconds: []float64{1}}}}
	if got := ratio(fast, slow); got != 0.5 {
		t.Errorf("ratio %v, want 0.5", got)
	}
}

// The limit is what the job needs: inference has no gradients and no Adam.
func TestLimit(t *testing.T) {
	l := limits{Products: []product{
		{Model: "published", OneDNN: []float64{1, 2, 3}}, {Model: "published", Backward: true, OneDNN: []float64{4}}, {OneDNN: []float64{100}},
	}, Adam: map[string][]float64{"published": {10}}}
	if p, a := l.of("published", "train"); p != 6 || a != 10 {
		t.Errorf("training: %v and %v", p, a)
	}
	if p, a := l.of("published", "infer"); p != 2 || a != 0 {
		t.Errorf("inference: %v and %v", p, a)
	}
}
