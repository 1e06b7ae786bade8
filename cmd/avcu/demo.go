package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"avcu/io/flashmnist"
	"avcu/io/mnist"
)

// recipe is how one model of the demonstration is trained.
type recipe struct {
	units, epochs, batch int
	rate                 float64
}

// publishedTop1 is the top-1 accuracy of MindSpore's implementation, attention scored by one linear layer,
// 200 epochs, in percent.
var publishedTop1 = map[int]string{1: "31.8 – 34.5", 8: "65.0 – 80.5", 32: "84.7 – 85.3", 128: "85.2 – 86.1"}

func demoCommand() *cli.Command {
	return &cli.Command{
		Name: "demo", Usage: "the paper's experiment on MNIST digits, from the images to a table and a picture", ArgsUsage: " ",
		Flags: []cli.Flag{
			textFlag("mnist", "the folder of MNIST's four files", ""),
			textFlag("out", "the folder to write", "build/demo"),
			&cli.BoolFlag{Name: "full", Usage: "1, 8, 32 and 128 units on features of the large network, with more epochs"},
		},
		Action: runDemo,
	}
}

// step runs one of the program's own commands and returns what it prints.
func step(c *cli.Context, args ...string) (string, error) {
	fmt.Fprintf(c.App.ErrWriter, "\n$ avcu %s\n", strings.Join(args, " "))
	var out bytes.Buffer
	if code := run(append([]string{"avcu"}, args...), &out, c.App.ErrWriter); code != 0 {
		return "", fmt.Errorf("demo: avcu %s ended with exit code %d", args[0], code)
	}
	return out.String(), nil
}

func runDemo(c *cli.Context) error {
	dir, err := needText(c, "mnist")
	if err != nil {
		return err
	}
	features, recipes := "small", []recipe{{32, 5, 256, 1.5e-2}}
	if c.Bool("full") {
		features = "large"
		recipes = []recipe{{1, 40, 128, 1e-2}, {8, 30, 128, 5e-3}, {32, 10, 128, 5e-3}, {128, 5, 256, 1e-2}}
	}
	out := c.String("out")
	data := filepath.Join(out, "data-"+features)
	if _, err := flashmnist.ReadDescription(data); err != nil {
		if err := os.RemoveAll(data); err != nil { // an unfinished one
			return err
		}
		if _, err := step(c, "data", "flash-mnist", "--mnist", dir, "--out", data, "--features", features); err != nil {
			return err
		}
	}
	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 8, 3, ' ', 0)
	fmt.Fprintln(w, "units\ttop-1 here\ttop-5 here\tepochs\tseconds\ttop-1 of MindSpore's implementation (200 epochs)")
	for _, r := range recipes {
		row, err := r.run(c, out, data)
		if err != nil {
			return err
		}
		fmt.Fprintln(w, row)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	units := 32
	labels := filepath.Join(data, flashmnist.LabelsFile)
	predicted, err := step(c, "infer", "--weights", runOf(out, units), "--data", filepath.Join(data, "test-*"), "--labels", labels, "--format", "jsonl", "--topk", "3")
	if err != nil {
		return err
	}
	picture := filepath.Join(out, "attention.png")
	shown, err := drawAttention(c, dir, data, runOf(out, units), predicted, picture)
	if err != nil {
		return err
	}
	text := table.String() + "\n" + shown
	if err := os.WriteFile(filepath.Join(out, "results.txt"), []byte(text), 0o666); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.App.Writer, "\n%s\nThe table is in %s, a picture of where the units look in %s.\n", text, filepath.Join(out, "results.txt"), picture)
	return err
}

func runOf(out string, units int) string { return filepath.Join(out, fmt.Sprintf("units-%d", units)) }

// run trains and evaluates one model and returns its row of the table.
func (r recipe) run(c *cli.Context, out, data string) (string, error) {
	dir := runOf(out, r.units)
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	start := time.Now()
	if _, err := step(c, "train", "--config", "flash-mnist", "--data", filepath.Join(data, "train-*"), "--save-dir", dir,
		"--set", fmt.Sprintf("MODEL.cluster_nums=[%d]", r.units), "--epochs", strconv.Itoa(r.epochs), "--batch-size", strconv.Itoa(r.batch),
		"--learning-rate", strconv.FormatFloat(r.rate, 'g', -1, 64), "--log-interval", "200"); err != nil {
		return "", err
	}
	seconds := time.Since(start).Seconds()
	text, err := step(c, "eval", "--weights", dir, "--data", filepath.Join(data, "test-*"), "--format", "json")
	if err != nil {
		return "", err
	}
	var result struct{ Top1, Top5 float64 }
	if err := json.Unmarshal([]byte(text), &result); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d\t%.1f %%\t%.1f %%\t%d\t%.0f\t%s %%", r.units, 100*result.Top1, 100*result.Top5, r.epochs, seconds, publishedTop1[r.units]), nil
}

// inferred is one line of avcu infer.
type inferred struct {
	ID   string
	TopK []struct {
		Class int
		Prob  float64
		Name  string
	}
}

const panels = 4 // videos in the picture

// drawAttention draws a few test videos with the weights that every unit gives their frames, and
// returns lines about them.
func drawAttention(c *cli.Context, mnistDir, data, weights, predicted, picture string) (string, error) {
	d, err := flashmnist.ReadDescription(data)
	if err != nil {
		return "", err
	}
	train, test, err := mnist.Read(mnistDir)
	if err != nil {
		return "", err
	}
	source, err := flashmnist.NewSource(train, test, d.Seed)
	if err != nil {
		return "", err
	}
	videos, err := source.Videos(flashmnist.Test, d.TestPerClass)
	if err != nil {
		return "", err
	}
	var list []flashmnist.Panel
	var lines strings.Builder
	lines.WriteString("A few test videos, the digits they show, and the three most probable answers:\n")
	decoder := json.NewDecoder(strings.NewReader(predicted))
	want := map[string]int{}
	for i, digits := 0, 2; i < videos.Len() && len(want) < panels; i++ {
		if n := len(strings.Fields(flashmnist.ClassName(videos.Class(i)))); n == digits && videos.Class(i) != 0 {
			want[videos.ID(i)] = i
			digits++
		}
	}
	for {
		var row inferred
		if err := decoder.Decode(&row); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return "", err
		}
		i, ok := want[row.ID]
		if !ok {
			continue
		}
		p := flashmnist.Panel{ID: row.ID, Shown: flashmnist.ClassName(videos.Class(i)), Predicted: row.TopK[0].Name, Images: make([]uint8, flashmnist.Frames*784)}
		truth := videos.Make(i, p.Images)
		p.Truth = truth[:]
		list = append(list, p)
		fmt.Fprintf(&lines, "  %s  shows %-12s", row.ID, p.Shown)
		for _, k := range row.TopK {
			fmt.Fprintf(&lines, "  %s (%.1f %%)", k.Name, 100*k.Prob)
		}
		lines.WriteByte('\n')
	}
	if err := attentionWeights(c, weights, data, list); err != nil {
		return "", err
	}
	return lines.String(), writeFile(picture, func(w io.Writer) error { return flashmnist.DrawAttention(w, list) })
}
