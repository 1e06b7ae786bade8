package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"avcu/engine"
	"avcu/engine/host"
	"avcu/kernels/activation"
	"avcu/kernels/adam"
	"avcu/kernels/attention"
	"avcu/kernels/colsum"
	"avcu/kernels/dequantise"
	"avcu/kernels/dropout"
	"avcu/kernels/gather"
	"avcu/kernels/kerneltest"
	"avcu/kernels/norm"
	"avcu/kernels/product"
	"avcu/kernels/shift"
	"avcu/kernels/sigmoidce"
	"avcu/kernels/softmaxce"
	"avcu/kernels/topk"
)

// kernelRows are the tables of cases of all kernels.
func kernelRows(long bool) []kerneltest.Row {
	var rows []kerneltest.Row
	for _, table := range []func(bool) []kerneltest.Row{
		product.Rows, attention.Rows, shift.Rows, dropout.Rows, activation.Rows, dequantise.Rows, gather.Rows,
		sigmoidce.Rows, softmaxce.Rows, colsum.Rows, norm.Rows, adam.Rows, topk.Rows,
	} {
		rows = append(rows, table(long)...)
	}
	return rows
}

func checkCommand() *cli.Command {
	return &cli.Command{
		Name: "check", Usage: "compare every kernel on a device with the reference; exit 1 if any differs too much", ArgsUsage: " ",
		Flags: append(deviceFlags(),
			&cli.BoolFlag{Name: "all", Usage: "a line for every case, not only the worst of each kernel"},
			&cli.BoolFlag{Name: "long", Usage: "every combination of edge cases (hours on emu)"},
		),
		Action: func(c *cli.Context) (err error) {
			d, err := deviceOf(c)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, d.Close()) }()
			return check(c, d, kernelRows(c.Bool("long")))
		},
	}
}

// checked is one written argument of one case, or the worst of several cases.
type checked struct {
	kernel, name string
	cases        int
	diff         kerneltest.Diff
	failed       bool
}

// check compares rows on d with the reference and prints what it found.
func check(c *cli.Context, d engine.Device, rows []kerneltest.Row) error {
	ref, bar := newRef(host.Options{BF16: c.String("precision") == "bf16"}), newProgress(c.App.ErrWriter, "cases", int64(len(rows)))
	var worst []*checked
	find := func(kernel, arg string) *checked {
		for _, w := range worst {
			if w.kernel == kernel && w.diff.Arg == arg {
				return w
			}
		}
		w := &checked{kernel: kernel, diff: kerneltest.Diff{Arg: arg}}
		worst = append(worst, w)
		return w
	}
	table := newCheckTable(c.App.Writer)
	failed := 0
	for i, row := range rows {
		diffs, err := kerneltest.Compare(ref, d, row)
		if err != nil {
			bar.finish()
			return errors.Join(table.Flush(), fmt.Errorf("check: %s: %w", row.Kernel, err))
		}
		for _, diff := range diffs {
			one := &checked{row.Kernel, row.Name, 1, diff, !diff.OK}
			if one.failed {
				failed++
			}
			if one.failed || c.Bool("all") {
				table.line(one)
			}
			w := find(row.Kernel, diff.Arg)
			cases := w.cases + 1
			if w.name == "" || one.failed && !w.failed || one.failed == w.failed && diff.Share() > w.diff.Share() {
				*w = *one
			}
			w.cases = cases
		}
		bar.set(int64(i + 1))
	}
	bar.finish()
	if !c.Bool("all") {
		for _, w := range worst {
			if !w.failed { // those have their own lines
				table.line(w)
			}
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("check: %d of %d cases of %s are further from the reference than they may be", failed, len(rows), d.Name())
	}
	_, err := fmt.Fprintf(c.App.ErrWriter, "%s (%s): all %d cases agree with the reference\n", d.Name(), d.Describe(), len(rows))
	return err
}

type checkTable struct{ *tabwriter.Writer }

func newCheckTable(w io.Writer) checkTable {
	t := checkTable{tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)}
	fmt.Fprintln(t, "kernel\toutput\tcases\tworst shape\tlargest error\ttolerance\tverdict")
	return t
}

func (t checkTable) line(c *checked) {
	verdict := "ok"
	if c.failed {
		verdict = fmt.Sprintf("FAILED: [%d] is %v, want %v", c.diff.At, c.diff.Got, c.diff.Want)
	}
	tolerance := "exact"
	if c.diff.Tol.Abs > 0 || c.diff.Tol.Rel > 0 {
		tolerance = fmt.Sprintf("%.2g + %.2g·|want|", c.diff.Tol.Abs, c.diff.Tol.Rel)
	}
	fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%.2g\t%s\t%s\n", c.kernel, c.diff.Arg, c.cases, c.name, c.diff.Max, tolerance, verdict)
}
