package main

import (
	"fmt"
	"io"
	"os"

	"github.com/cheggaaa/pb/v3"
	"golang.org/x/term"

	"avcu/model/train"
)

// progress is a bar on a terminal, and nothing elsewhere.
type progress struct {
	bar    *pb.ProgressBar
	videos int64 // an epoch has
}

const barTemplate = `{{string . "what"}} {{counters . }} {{bar . }} {{percent . }} {{speed . "%s videos/s" "" }} {{rtime . "ETA %s"}} {{string . "loss"}}`

// newProgress shows a bar for total videos (0: unknown) if w is a terminal.
func newProgress(w io.Writer, what string, total int64) *progress {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return &progress{}
	}
	bar := pb.New64(total).SetTemplateString(barTemplate).SetWriter(w).Set("what", what)
	return &progress{bar: bar.Start()}
}

func (p *progress) shown() bool { return p != nil && p.bar != nil }

// set says how many videos are done.
func (p *progress) set(videos int64) {
	if p.shown() {
		p.bar.SetCurrent(videos)
	}
}

// step says where a training stands.
func (p *progress) step(s train.State, loss float64) {
	if p.shown() {
		p.bar.Set("loss", fmt.Sprintf("loss %.4g", loss))
		p.bar.SetCurrent(int64(s.Epoch)*p.videos + s.Videos)
	}
}

// print writes a line above the bar.
func (p *progress) print(w io.Writer, line string) {
	if p.shown() {
		fmt.Fprint(w, "\r\033[K")
	}
	fmt.Fprintln(w, line)
}

func (p *progress) finish() {
	if p.shown() {
		p.bar.Finish()
	}
}
