package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

func inferCommand() *cli.Command {
	return &cli.Command{
		Name:      "infer",
		Usage:     "the most probable classes of each video",
		ArgsUsage: " ",
		Flags: append(commonFlags(), append(weightFlags(),
			textFlag("format", "text, jsonl, csv (Kaggle's) or tsv", "text"),
			&cli.StringFlag{Name: "topk", Usage: "classes of each video"})...),
		Action: runInfer,
	}
}

func runInfer(c *cli.Context) (err error) {
	write, head, err := inferFormat(c.String("format"))
	if err != nil {
		return err
	}
	s, err := serve(c, configFlags{"batch-size": "INFER.batch_size", "filelist": "INFER.filelist", "seed": "TRAIN.seed", "topk": "MODEL.topk"}, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	bar, tell, err := s.watch(c, "inferring")
	if err != nil {
		return err
	}
	err = output(c, func(w io.Writer) error {
		out := bufio.NewWriter(w)
		if _, err := out.WriteString(head); err != nil {
			return err
		}
		err := s.runner.Infer(s.src, func(id string, classes []int32, probs []float32) error {
			return write(s.names, out, id, classes, probs)
		}, tell)
		return errors.Join(err, out.Flush())
	})
	bar.finish()
	return err
}

type namedWriter func(names []string, w *bufio.Writer, id string, classes []int32, probs []float32) error

// inferFormat is how rows are written, and what stands above them.
func inferFormat(name string) (namedWriter, string, error) {
	switch name {
	case "text":
		return writeText, "", nil
	case "jsonl":
		return writeJSONL, "", nil
	case "csv":
		return writeKaggle, "VideoId,LabelConfidencePairs\n", nil
	case "tsv":
		return writeTSV, "id\trank\tclass\tprob\tname\n", nil
	}
	return nil, "", usagef("--format %s: text, jsonl, csv or tsv", name)
}

// number is the shortest text that reads back as the same float32.
func number(p float32) string { return strconv.FormatFloat(float64(p), 'g', -1, 32) }

func nameOf(names []string, class int32) string {
	if names == nil {
		return ""
	}
	return names[class]
}

func writeText(names []string, w *bufio.Writer, id string, classes []int32, probs []float32) error {
	fmt.Fprintf(w, "%s\n", id)
	for i, k := range classes {
		fmt.Fprintf(w, "  %6.2f %%  %d  %s\n", 100*probs[i], k, nameOf(names, k))
	}
	return nil
}

func writeJSONL(names []string, w *bufio.Writer, id string, classes []int32, probs []float32) error {
	type entry struct {
		Class int32       `json:"class"`
		Prob  json.Number `json:"prob"`
		Name  string      `json:"name,omitempty"`
	}
	row := struct {
		ID   string  `json:"id"`
		TopK []entry `json:"topk"`
	}{ID: id}
	for i, k := range classes {
		row.TopK = append(row.TopK, entry{k, json.Number(number(probs[i])), nameOf(names, k)})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(row)
}

func writeKaggle(_ []string, w *bufio.Writer, id string, classes []int32, probs []float32) error {
	if strings.ContainsAny(id, "\",\n\r") {
		id = `"` + strings.ReplaceAll(id, `"`, `""`) + `"`
	}
	fmt.Fprintf(w, "%s,", id)
	for i, k := range classes {
		if i > 0 {
			w.WriteByte(' ')
		}
		fmt.Fprintf(w, "%d %s", k, number(probs[i]))
	}
	return w.WriteByte('\n')
}

func writeTSV(names []string, w *bufio.Writer, id string, classes []int32, probs []float32) error {
	clean := strings.NewReplacer("\t", " ", "\n", " ", "\r", " ")
	for i, k := range classes {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%s\n", clean.Replace(id), i+1, k, number(probs[i]), clean.Replace(nameOf(names, k)))
	}
	return nil
}
