package convert

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"avcu/io/pickle"
	"avcu/io/replace"
	"avcu/io/tfrecord"
	"avcu/io/yt8m"
)

// write writes what each hands over to the file path, which takes its name at the end. A video is written as it is: see
// settle.
func write(path string, form Form, names []string, each func(emit func(*yt8m.Video) error) error) error {
	if form == Pickle {
		return replace.With(path, func(w io.Writer) error { return writePickle(w, names, each) })
	}
	w, err := tfrecord.Create(path, form == Gzip)
	if err != nil {
		return err
	}
	defer w.Abort()
	encoder := yt8m.NewEncoder(names)
	var record []byte
	err = each(func(v *yt8m.Video) error {
		record = encoder.Append(record[:0], v)
		return w.Write(record)
	})
	if err != nil {
		return err
	}
	return w.Close()
}

func writePickle(w io.Writer, names []string, each func(emit func(*yt8m.Video) error) error) error {
	out := &watched{w: w}
	list := pickle.NewEncoder(out)
	encoder, err := yt8m.NewPickleEncoder(list, names)
	if err != nil {
		return err
	}
	list.List(func() {
		err = each(func(v *yt8m.Video) error {
			encoder.Encode(v)
			return out.err
		})
	})
	if closed := list.Close(); err == nil {
		err = closed
	}
	return err
}

// watched remembers the first error, so that a full disk ends a long conversion.
type watched struct {
	w   io.Writer
	err error
}

func (w *watched) Write(b []byte) (int, error) {
	n, err := w.w.Write(b)
	if w.err == nil {
		w.err = err
	}
	return n, err
}

// settle makes v what is written, and tells whether it has more frames than will count. In a pickle nframes says how many
// count. In a TFRecord all that are there do, up to a limit, so that what does not count must go.
func settle(v *yt8m.Video, form Form) (long bool) {
	if form == Pickle {
		return false
	}
	there := len(v.Rows[0])
	for _, rows := range v.Rows {
		there = min(there, len(rows))
	}
	if min(there, yt8m.DefaultMaxFrames) != v.Frames {
		for m := range v.Rows {
			v.Rows[m] = v.Rows[m][:v.Frames]
		}
		there = v.Frames
	}
	long = v.Frames > yt8m.DefaultMaxFrames
	v.Frames = there
	return long
}

// sweep removes what a run that was killed left unfinished of these files.
func sweep(paths []string) error {
	bases := map[string]map[string]bool{} // by folder
	for _, path := range paths {
		folder := filepath.Dir(path)
		if bases[folder] == nil {
			bases[folder] = map[string]bool{}
		}
		bases[folder][filepath.Base(path)] = true
	}
	for folder, names := range bases {
		entries, err := os.ReadDir(folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("convert: %w", err)
		}
		for _, e := range entries {
			name, isAside := strings.CutSuffix(strings.TrimPrefix(e.Name(), "."), ".tmp")
			dot := strings.LastIndexByte(name, '.')
			if !isAside || dot < 0 || strings.Trim(name[dot+1:], "0123456789") != "" || !names[name[:dot]] {
				continue
			}
			if err := os.Remove(filepath.Join(folder, e.Name())); err != nil {
				return fmt.Errorf("convert: %w", err)
			}
		}
	}
	return nil
}
