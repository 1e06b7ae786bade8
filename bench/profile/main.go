// Profile shows where the time of a training step, or of inference, goes, kernel by kernel, on the CPU device: medians over
// the steps, in the order in which they run, and their sum beside the step's own time.
//
//	go run ./bench/profile [-shape published|flash-mnist] [-steps 10] [-batch 256] [-threads 0] [-bf16] [-infer]
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"avcu/bench"
	"avcu/engine"
	"avcu/engine/host"
	"avcu/model/train"
)

func main() {
	shape := flag.String("shape", "published", "published or flash-mnist")
	steps := flag.Int("steps", 10, "training steps measured, after two that are not")
	batch := flag.Int("batch", 256, "videos a step")
	threads := flag.Int("threads", 0, "threads, 0 for all cores")
	bf16 := flag.Bool("bf16", false, "bfloat16 products")
	infer := flag.Bool("infer", false, "inference in place of training")
	flag.Parse()
	if err := run(os.Stdout, *shape, *steps, *batch, *infer, host.Options{Threads: *threads, BF16: *bf16}); err != nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
		os.Exit(1)
	}
}

// lap is one kernel of the step and its time in every step.
type lap struct {
	op, part string
	took     []time.Duration
}

func run(w io.Writer, shape string, steps, batch int, infer bool, o host.Options) (err error) {
	spec, err := bench.Shape(shape)
	if err != nil {
		return err
	}
	dev, err := host.NewCPU(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dev.Close()) }()
	var laps []lap
	at, last := 0, time.Time{}
	trace := func(op, part string) {
		now := time.Now()
		if at == len(laps) {
			laps = append(laps, lap{op: op, part: part})
		}
		laps[at].took = append(laps[at].took, now.Sub(last))
		at, last = at+1, now
	}
	r, err := train.NewRunner(dev, spec, train.Options{Batch: batch, Learn: !infer, Infer: infer, TopK: 20, Seed: 1, Trace: trace})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := r.Params.Initialise(1); err != nil {
		return err
	}
	b := bench.Batch(spec, batch, 1)
	var whole []time.Duration
	for step := range steps + 2 {
		at, last = 0, time.Now()
		begin := last
		if infer {
			err = r.Forward(b)
		} else {
			_, err = r.Step(b, int64(step), 1e-3, engine.Tensor{})
		}
		if err != nil {
			return err
		}
		whole = append(whole, time.Since(begin))
	}
	fmt.Fprintf(w, "%s, %s shape, batch %d, median of %d steps\n\n", dev.Describe(), shape, batch, steps)
	total := median(whole[2:])
	fmt.Fprintf(w, "| op | part | ms | share |\n| --- | --- | ---: | ---: |\n")
	sum := time.Duration(0)
	for _, l := range laps {
		t := median(l.took[2:])
		sum += t
		fmt.Fprintf(w, "| %s | %s | %.2f | %.1f %% |\n", l.op, l.part, 1e3*t.Seconds(), 100*t.Seconds()/total.Seconds())
	}
	fmt.Fprintf(w, "| sum | | %.2f | %.1f %% |\n| step | | %.2f | |\n", 1e3*sum.Seconds(), 100*sum.Seconds()/total.Seconds(), 1e3*total.Seconds())
	return nil
}

func median(d []time.Duration) time.Duration {
	s := slices.Clone(d)
	slices.Sort(s)
	return s[len(s)/2]
}
