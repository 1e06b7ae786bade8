package convert

import (
	"path/filepath"
	"strings"
)

// A Form is how a file of videos is written.
type Form int

const (
	TFRecord Form = iota
	Gzip          // TFRecord in a gzip stream
	Pickle        // Paddle's
)

// endings are the ends of names that tell a form, the first of each form those that are given; longer ones come first.
var endings = []struct {
	text string
	form Form
}{
	{".tfrecord.gz", Gzip}, {".tfrecords.gz", Gzip}, {".tfrecord", TFRecord}, {".tfrecords", TFRecord}, {".pkl", Pickle}, {".pickle", Pickle},
}

// formOf tells a form by a path's ending, which it returns as well.
func formOf(path string) (form Form, ending string, ok bool) {
	path = filepath.Clean(path)
	for _, e := range endings {
		if strings.HasSuffix(path, e.text) {
			return e.form, e.text, true
		}
	}
	return 0, "", false
}

// ending is how names of files in this form end.
func (f Form) ending() string {
	for _, e := range endings {
		if e.form == f {
			return e.text
		}
	}
	return ""
}

// baseOf is the name of a file without folder and ending.
func baseOf(path string) string {
	_, ending, _ := formOf(path)
	if base := strings.TrimSuffix(filepath.Base(path), ending); base != "" {
		return base
	}
	return filepath.Base(path)
}
