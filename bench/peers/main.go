// Peers runs the same work in avcu and in other people's programs, turn by turn in one run, and prints
// tables of medians, spreads and ratios as Markdown. It measures nothing before all sides have computed
// the same losses from the same weights and inputs.
//
//	go run ./bench/peers [-shapes published,flash-mnist] [-jobs train,infer] [-rows avcu,torch,…] [-reps 5] [-seconds 3]
//	                     [-check] [-read=false] [-products=false] [-quick] [-tensorflow] [-md FILE] [-json FILE]
//
// Every contestant's turn is a process of its own with as many threads as there are processors (but for Paddle as it comes): the
// program itself as a child for avcu, peer.py for the others, in the environment that env.sh makes.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
)

// options are the command line.
type options struct {
	shapes, jobs, rows    []string
	reps                  int
	seconds               float64 // timed, a turn
	check, read, products bool    // only the check; with the part on reading; with the part on products
	quick                 bool
	tensorflow            bool
	markdown, json        string
	python                string // of the peers; empty: env.sh says

	child, job, shape, dir string // what a child does
}

func main() {
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		os.Exit(2)
	}
	if o.child != "" {
		err = runChild(os.Stdout, o)
	} else {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		err = run(ctx, os.Stdout, os.Stderr, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("peers", flag.ContinueOnError)
	list := func(p *[]string, name, value, usage string) {
		*p = strings.Split(value, ",")
		f.Func(name, usage+" (default "+value+")", func(s string) error {
			*p = strings.Split(s, ",")
			return nil
		})
	}
	list(&o.shapes, "shapes", "published,flash-mnist", "models")
	list(&o.jobs, "jobs", "train,infer", "what is timed")
	list(&o.rows, "rows", strings.Join(names(), ","), "contestants")
	f.IntVar(&o.reps, "reps", 5, "repetitions, each contestant once in each")
	f.Float64Var(&o.seconds, "seconds", 3, "of timed steps in a turn, at least three steps")
	f.BoolVar(&o.check, "check", false, "only check that all compute the same losses")
	f.BoolVar(&o.read, "read", true, "time reading too")
	f.BoolVar(&o.products, "products", true, "time the bare products too: the limit")
	f.BoolVar(&o.quick, "quick", false, "a smoke run: a tiny shape, one short repetition")
	f.BoolVar(&o.tensorflow, "tensorflow", false, "install tensorflow-cpu for the reading of tf.data")
	f.StringVar(&o.markdown, "md", "", "write the tables to this file as well")
	f.StringVar(&o.json, "json", "", "write every time measured to this file")
	f.StringVar(&o.python, "python", "", "python of the peers (default: the one that env.sh makes)")
	f.StringVar(&o.child, "child", "", "internal: the contestant that this process is")
	f.StringVar(&o.job, "job", "", "internal: what the child does")
	f.StringVar(&o.shape, "shape", "", "internal: the child's model")
	f.StringVar(&o.dir, "dir", "", "internal: the folder of inputs and weights")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if o.quick {
		o.shapes, o.reps, o.seconds = []string{"quick"}, 1, 0
	}
	return o, nil
}

// run is the whole comparison.
func run(ctx context.Context, out, log io.Writer, o options) (err error) {
	c, err := newContest(ctx, log, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	agreed, err := c.checkAll()
	if err != nil {
		return err
	}
	if agreed && !o.check {
		if err := c.timeAll(); err != nil {
			return err
		}
	}
	c.report.Machine.finish()
	text := c.report.markdown()
	if _, err := io.WriteString(out, text); err != nil {
		return err
	}
	if o.markdown != "" {
		if err := os.WriteFile(o.markdown, []byte(text), 0o666); err != nil {
			return err
		}
	}
	if o.json != "" {
		data, err := json.MarshalIndent(c.report, "", "\t")
		if err != nil {
			return err
		}
		if err := os.WriteFile(o.json, append(data, '\n'), 0o666); err != nil {
			return err
		}
	}
	if !agreed {
		return errors.New("the sides do not compute the same: there is nothing to compare")
	}
	return nil
}
