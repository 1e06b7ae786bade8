package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"avcu/io/pickle"
)

// rowWriter writes the most probable classes of one video, most probable first.
type rowWriter func(id string, classes []int32, probs []float32) error

// resultWriter writes the result of an inference: each calls what it is given for every video. Names are of
// classes, or nil.
type resultWriter func(names []string, w *bufio.Writer, each func(rowWriter) error) error

// number is the shortest text that reads back as the same float32.
func number(p float32) string { return strconv.FormatFloat(float64(p), 'g', -1, 32) }

func nameOf(names []string, class int32) string {
	if names == nil {
		return ""
	}
	return names[class]
}

func textResults(names []string, w *bufio.Writer, each func(rowWriter) error) error {
	return each(func(id string, classes []int32, probs []float32) error {
		_, err := fmt.Fprintf(w, "%s\n", id)
		for i, k := range classes {
			_, err = fmt.Fprintf(w, "  %6.2f %%  %d  %s\n", 100*probs[i], k, nameOf(names, k))
		}
		return err
	})
}

func jsonlResults(names []string, w *bufio.Writer, each func(rowWriter) error) error {
	type entry struct {
		Class int32       `json:"class"`
		Prob  json.Number `json:"prob"`
		Name  string      `json:"name,omitempty"`
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return each(func(id string, classes []int32, probs []float32) error {
		row := struct {
			ID   string  `json:"id"`
			TopK []entry `json:"topk"`
		}{ID: id}
		for i, k := range classes {
			row.TopK = append(row.TopK, entry{k, json.Number(number(probs[i])), nameOf(names, k)})
		}
		return enc.Encode(row)
	})
}

// kaggleResults writes the submissions of the YouTube-8M challenges.
func kaggleResults(_ []string, w *bufio.Writer, each func(rowWriter) error) error {
	if _, err := w.WriteString("VideoId,LabelConfidencePairs\n"); err != nil {
		return err
	}
	return each(func(id string, classes []int32, probs []float32) error {
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
	})
}

func tsvResults(names []string, w *bufio.Writer, each func(rowWriter) error) error {
	if _, err := w.WriteString("id\trank\tclass\tprob\tname\n"); err != nil {
		return err
	}
	clean := strings.NewReplacer("\t", " ", "\n", " ", "\r", " ")
	return each(func(id string, classes []int32, probs []float32) error {
		var err error
		for i, k := range classes {
			_, err = fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%s\n", clean.Replace(id), i+1, k, number(probs[i]), clean.Replace(nameOf(names, k)))
		}
		return err
	})
}

// pickleResults writes what Paddle's infer.py does: a list of tuples of a video's id, the probabilities and
// their classes, in plain Python types.
func pickleResults(_ []string, w *bufio.Writer, each func(rowWriter) error) error {
	e := pickle.NewEncoder(w)
	var err error
	e.List(func() {
		err = each(func(id string, classes []int32, probs []float32) error {
			e.Tuple(func() {
				e.Bytes([]byte(id))
				e.List(func() {
					for _, p := range probs {
						e.Float(float64(p))
					}
				})
				e.List(func() {
					for _, k := range classes {
						e.Int(int64(k))
					}
				})
			})
			return nil
		})
	})
	return errors.Join(err, e.Close())
}
