// Package convert writes videos in another form: Paddle's pickles as TFRecords and back (Videos), and features of one's own
// in NumPy's files, with a table of labels, as either (Features).
//
// Every output is a function of its inputs alone, whatever the number of workers, and takes its name when it is complete. So a
// run that was killed is started again as it was: what is there already is compared with what would be written and kept, the
// rest is made. Nothing that was there is ever overwritten by something else.
package convert

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"avcu/io/yt8m"
)

// Options say where to and how.
type Options struct {
	To       string   // a file, by its ending (.tfrecord, .tfrecord.gz, .pkl), or a folder
	Names    []string // of the features
	Dims     []int    // width of each
	Workers  int      // files written at once; 0: the number of processors
	Progress func(stage string, done, total int64)
	// Progress is called with the number of videos done in a stage, by one goroutine at a time. It may be nil.
}

// A Report says what was done.
type Report struct {
	Files  []string // the outputs, in the order of the inputs
	Kept   int      // outputs among them that were there already
	Videos int64    // in all outputs
	Long   int64    // videos written as TFRecords with more frames than count there, yt8m.DefaultMaxFrames
}

// Videos writes each of files, TFRecords or pickles of videos, in another form. If o.To is a file, there must be one input. If
// it is a folder, each output has its input's name with another ending: that of o.To if it has one ("x.pkl/"), else that of
// the form that the inputs do not have.
//
// Ids, labels and frames stay as they are, and so does the number of frames that count: in a pickle made of a TFRecord,
// nframes is the smallest count of the features, at most yt8m.DefaultMaxFrames, and the arrays hold all frames. Frames of a
// pickle after its nframes are left out where a TFRecord would make them count.
func Videos(ctx context.Context, files []string, o Options) (*Report, error) {
	form, outputs, err := places(files, o.To)
	if err != nil {
		return nil, err
	}
	spec := yt8m.Spec{Names: o.Names, Dims: o.Dims, MaxFrames: -1}
	var tasks []task
	for i, from := range files {
		tasks = append(tasks, task{
			from: from, to: outputs[i],
			count: func() (int64, error) { return count(from, spec) },
			each:  func(emit func(*yt8m.Video) error) error { return each(from, spec, emit) },
		})
	}
	return run(ctx, "converting", tasks, form, spec, o)
}

// each hands over the videos of a file, whose Frames are those that count in it.
func each(from string, spec yt8m.Spec, emit func(*yt8m.Video) error) error {
	return yt8m.Each(from, spec, func(r *yt8m.Reader, v *yt8m.Video) error {
		if !r.Pickled() {
			v.Frames = min(v.Frames, yt8m.DefaultMaxFrames)
		}
		return emit(v)
	})
}

// places finds the form and the names of the outputs.
func places(files []string, to string) (Form, []string, error) {
	form, ending, told := formOf(to)
	if told && !isFolder(to) {
		if len(files) != 1 {
			return 0, nil, fmt.Errorf("convert: %d files are to become the one file %s: name a folder, for example %s%c, which gets one file for each", len(files), to, to, filepath.Separator)
		}
		return form, []string{to}, nil
	}
	if !told {
		var err error
		if form, err = otherForm(files); err != nil {
			return 0, nil, err
		}
		ending = form.ending()
	}
	outputs, origin := make([]string, len(files)), map[string]string{}
	for i, from := range files {
		outputs[i] = filepath.Join(to, baseOf(from)+ending)
		if other, taken := origin[outputs[i]]; taken {
			return 0, nil, fmt.Errorf("convert: %s and %s would both become %s: convert them into different folders", other, from, outputs[i])
		}
		origin[outputs[i]] = from
	}
	return form, outputs, nil
}

// otherForm is the form that none of files has.
func otherForm(files []string) (Form, error) {
	example := map[bool]string{}
	for _, name := range files {
		pickled, err := yt8m.IsPickle(name)
		if err != nil {
			return 0, err
		}
		example[pickled] = name
	}
	if len(example) == 2 {
		return 0, fmt.Errorf("convert: %s is a pickle and %s a TFRecord: say what to write by the folder's ending, .tfrecord%c or .pkl%[3]c, or convert one kind at a time", example[true], example[false], filepath.Separator)
	}
	if example[true] != "" {
		return TFRecord, nil
	}
	return Pickle, nil
}

// isFolder tells whether path is a folder, or is written like one.
func isFolder(path string) bool {
	if path != "" && os.IsPathSeparator(path[len(path)-1]) {
		return true
	}
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func (o Options) workers() int {
	if o.Workers > 0 {
		return o.Workers
	}
	return runtime.GOMAXPROCS(0)
}
