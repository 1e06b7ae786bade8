package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"avcu/io/safetensors"
	"avcu/model/config"
)

func modelCommand() *cli.Command {
	about := []cli.Flag{
		textFlag("config", "what model it is: a YAML file, Paddle's .txt, or youtube8m or flash-mnist; names the tensors of files without names", ""),
		&cli.StringSliceFlag{Name: "set", Usage: "SECTION.key=value, value in YAML (repeatable)"},
		&cli.BoolFlag{Name: "offline", Usage: "never use the network (it is used for the published weights alone)", EnvVars: env("offline")},
	}
	return &cli.Command{Name: "model", Usage: "show and convert weights", Subcommands: []*cli.Command{
		{
			Name: "info", Usage: "names, types, shapes and norms of weights in any form", ArgsUsage: "PATH",
			Flags: append([]cli.Flag{textFlag("format", "text or json", "text")}, about...), Action: runModelInfo,
		},
		{
			Name: "convert", Usage: "write weights in another form", ArgsUsage: "SRC DST",
			Flags:  append([]cli.Flag{textFlag("to", "safetensors, pdparams (with .pdopt), paddle-dir, paddle-combined or npz", "")}, about...),
			Action: runModelConvert,
		},
	}}
}

// numpyTypes are NumPy's names of types.
var numpyTypes = map[safetensors.DType]string{
	safetensors.Bool: "bool", safetensors.U8: "uint8", safetensors.I8: "int8", safetensors.U16: "uint16", safetensors.I16: "int16",
	safetensors.U32: "uint32", safetensors.I32: "int32", safetensors.U64: "uint64", safetensors.I64: "int64",
	safetensors.F16: "float16", safetensors.BF16: "bfloat16", safetensors.F32: "float32", safetensors.F64: "float64",
}

// openModel opens the weights at path. The configuration is nil where none is stored and none is given; one
// that is given must fit.
func openModel(c *cli.Context, path string) (*weights, *config.Config, error) {
	w, cfg, err := openWeights(c, path, func(stored string) (*config.Config, error) {
		if stored == "" && c.String("config") == "" && !c.IsSet("set") {
			return nil, nil
		}
		return resolve(c, stored, nil)
	})
	if err == nil && cfg != nil {
		err = w.check(cfg)
	}
	if err != nil && w != nil {
		err = errors.Join(err, w.Close())
	}
	return w, cfg, err
}

// check compares what parameters there are with those of the configured model.
func (w *weights) check(cfg *config.Config) error {
	var wrong []string
	for _, d := range specOf(cfg.Model).Decls() {
		wrong = append(wrong, w.misfit(d.Name, d.Shape)...)
	}
	return w.fits(wrong)
}

// elements are how many numbers a tensor has.
func (t tensorInfo) elements() int {
	n := 1
	for _, size := range t.Shape {
		n *= size
	}
	return n
}

// norm is the root of the sum of squares, NaN for what is no floating-point tensor.
func (w *weights) norm(name string) (float64, error) {
	p := w.place[name]
	if !strings.Contains(p.Type, "float") {
		return math.NaN(), nil
	}
	part, sum := make([]float32, 1<<16), 0.0
	for first, n := 0, p.elements(); first < n; first += len(part) {
		part = part[:min(len(part), n-first)]
		if err := p.file.ReadFloat32At(p.stored, first, part); err != nil {
			return 0, err
		}
		for _, x := range part {
			sum += float64(x) * float64(x)
		}
	}
	return math.Sqrt(sum), nil
}

func runModelInfo(c *cli.Context) (err error) {
	if c.NArg() != 1 {
		return usagef("which weights? avcu model info PATH")
	}
	format := c.String("format")
	if format != "text" && format != "json" {
		return usagef("--format %s: text or json", format)
	}
	w, _, err := openModel(c, c.Args().First())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	type line struct {
		Name  string   `json:"name"`
		Type  string   `json:"type"`
		Shape []int    `json:"shape"`
		Norm  *float64 `json:"norm"`
	}
	all := struct {
		Path       string `json:"path"`
		Form       string `json:"form"`
		Step       int64  `json:"step"`
		Parameters int    `json:"parameters"`
		Bytes      int64  `json:"bytes"`
		Tensors    []line `json:"tensors"`
	}{Path: w.path, Form: w.form, Step: w.at.Step}
	for _, t := range w.list {
		norm, err := w.norm(t.Name)
		if err != nil {
			return err
		}
		l := line{t.Name, t.Type, append([]int{}, t.Shape...), &norm}
		if math.IsNaN(norm) || math.IsInf(norm, 0) {
			l.Norm = nil
		}
		raw, err := w.place[t.Name].file.Raw(w.place[t.Name].stored)
		if err != nil {
			return err
		}
		all.Bytes += raw.Size()
		if w.parameter(t) {
			all.Parameters += t.elements()
		}
		all.Tensors = append(all.Tensors, l)
	}
	if format == "json" {
		return json.NewEncoder(c.App.Writer).Encode(all)
	}
	table := tabwriter.NewWriter(c.App.Writer, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "name\ttype\tshape\tnorm")
	for _, l := range all.Tensors {
		norm := "-"
		if l.Norm != nil {
			norm = fmt.Sprintf("%.6g", *l.Norm)
		}
		fmt.Fprintf(table, "%s\t%s\t%v\t%s\n", l.Name, l.Type, l.Shape, norm)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	after := ""
	if w.own || w.moments() {
		after = fmt.Sprintf(", after step %d", w.at.Step)
	}
	_, err = fmt.Fprintf(c.App.Writer, "%s (%s%s): %d tensors, %d parameters, %.1f MB\n", w.path, w.form, after, len(w.list), all.Parameters, float64(all.Bytes)/1e6)
	return err
}

// raw writes the bytes of a tensor.
func (w *weights) raw(name string) func(io.Writer) error {
	p := w.place[name]
	return func(to io.Writer) error {
		r, err := p.file.Raw(p.stored)
		if err != nil {
			return err
		}
		_, err = io.Copy(to, r)
		return err
	}
}
