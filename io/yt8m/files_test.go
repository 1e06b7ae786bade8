package yt8m

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree makes files and, where a name ends with a slash, folders, in a new current folder.
func tree(t *testing.T, names ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, name := range names {
		name, content, _ := strings.Cut(name, "=")
		if err := os.MkdirAll(filepath.Dir(name+"x"), 0o777); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "/") {
			if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestFiles(t *testing.T) {
	tree(t, "b.tf", "a.tf", "[odd].tf", "dir/2", "dir/10", "dir/.hidden", "dir/sub/x", "empty/", "folders/one/", "folders/two/",
		"list=\n b.tf \r\n\n\tdir/2\nb.tf", "blank=\n  \n", "with-folder=a.tf\ndir\n", "with-missing=a.tf\n\nno.tf\n", "binary=a\x00b")
	if err := os.Symlink("../a.tf", "dir/link"); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		patterns, lists []string
		want            string // names, or
		err             string
	}{
		{[]string{"b.tf"}, nil, "b.tf", ""},
		{[]string{"*.tf", "b.tf"}, nil, "[odd].tf a.tf b.tf b.tf", ""},
		{[]string{"[odd].tf"}, nil, "[odd].tf", ""},
		{[]string{"dir"}, nil, "dir/10 dir/2 dir/link", ""},
		{[]string{"dir/*"}, nil, "dir/10 dir/2 dir/link", ""},
		{[]string{"dir/.h*"}, nil, "dir/.hidden", ""},
		{nil, []string{"list"}, "b.tf dir/2 b.tf", ""},
		{[]string{"a.tf"}, []string{"list"}, "a.tf b.tf dir/2 b.tf", ""},

		{nil, nil, "", "yt8m: no input: name a file"},
		{[]string{""}, nil, "", `yt8m: data "": empty`},
		{[]string{"a.tf", "no.tf"}, nil, "", `yt8m: data "no.tf": file does not exist: check the path, relative to /`},
		{[]string{"no*.tf"}, nil, "", `yt8m: data "no*.tf": the glob matches nothing: check the path, relative to /`},
		{[]string{"[no"}, nil, "", `yt8m: data "[no": syntax error in pattern: close its [ ]`},
		{[]string{"folders/*"}, nil, "", `yt8m: data "folders/*": the glob matches no file, only folders or hidden files such as "folders/one"`},
		{[]string{"empty"}, nil, "", `yt8m: data "empty": the folder holds no file`},
		{[]string{"folders"}, nil, "", `yt8m: data "folders": the folder holds no file`},
		{[]string{os.DevNull}, nil, "", "neither a regular file nor a folder"},
		{nil, []string{"nolist"}, "", `yt8m: file list "nolist": file does not exist: check the path`},
		{nil, []string{"dir"}, "", `yt8m: file list "dir": a folder, where a file is needed`},
		{nil, []string{"blank"}, "", `yt8m: file list "blank": it names no file`},
		{nil, []string{"binary"}, "", `yt8m: file list "binary": not a text file`},
		{nil, []string{"with-folder"}, "", `yt8m: file list "with-folder": line 2: "dir": a folder, where a file is needed`},
		{nil, []string{"with-missing"}, "", `yt8m: file list "with-missing": line 3: "no.tf": file does not exist`},
	}
	for _, c := range cases {
		got, err := Files(c.patterns, c.lists)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q %q: error %v, want %q", c.patterns, c.lists, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q %q: %v", c.patterns, c.lists, err)
		}
		if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%q %q (-want +got):\n%s", c.patterns, c.lists, diff)
		}
	}
}
