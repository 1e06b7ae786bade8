package vocab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRead(t *testing.T) {
	const head = "Index,TrainVideoCount,KnowledgeGraphId,Name,WikiUrl\n"
	for _, c := range []struct {
		name, text string
		classes    int
		want       []string
		err        string
	}{
		{"lines", "none\r\n0\r\n0 1\r\n", 3, []string{"none", "0", "0 1"}, ""},
		{"no last newline", "a\nb", 2, []string{"a", "b"}, ""},
		{"byte order mark", "\ufeffa\nb", 2, []string{"a", "b"}, ""},
		{"lines with commas", "Name, first\nIndex\n", 2, []string{"Name, first", "Index"}, ""},
		{"lines with quotes", "5\" disk\n\"a\n", 2, []string{`5" disk`, `"a`}, ""},
		{"blank lines", "\nb\n\n\n\n", 3, []string{"", "b", ""}, ""},
		{"too few lines", "a\nb\n", 3, nil, "2 lines for 3 classes"},
		{"too many lines", "a\nb\n\nc\n", 2, nil, "line 4: more names than the model's 2 classes"},
		{"empty", "", 2, nil, "0 lines for 2 classes"},
		{"not UTF-8", "a\n\xff\n", 2, nil, "not text in UTF-8"},
		{"csv", head + "0,788288,/m/03bt1gh,Game,http\n2,5,/m/x,\"Art, \"\"fine\"\"\nand more\",http\n", 3, []string{"Game", "", "Art, \"fine\"\nand more"}, ""},
		{"csv of Windows", "\ufeff\"Name\",\"Index\"\r\nb,1\r\na,0\r\n", 2, []string{"a", "b"}, ""},
		{"csv without rows", head, 2, []string{"", ""}, ""},
		{"csv beyond", head + "3,1,x,y,z\n", 3, nil, "line 2: class 3, and the model has 3"},
		{"csv far beyond", head + "99999999999999999999,1,x,y,z\n", 3, nil, "is not a class number"},
		{"csv below", head + "-1,1,x,y,z\n", 3, nil, `line 2: index "-1" is not a class number`},
		{"csv twice", head + "1,1,x,\"y\ny\",z\n1,1,x,y,z\n", 3, nil, "line 4: class 1 is named twice, first on line 2"},
		{"csv named nothing twice", head + "1,1,x,,z\n1,1,x,y,z\n", 3, nil, "line 3: class 1 is named twice"},
		{"csv not a number", head + "one,1,x,y,z\n", 3, nil, "not a class number"},
		{"csv short row", head + "1,2\n", 3, nil, "record on line 2: wrong number of fields; a name with a comma"},
		{"csv open quote", head + "1,2,3,\"x,5\n", 3, nil, "extraneous or missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "labels")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := Read(path, c.classes)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%v (-want +got)\n%s", err, diff)
			}
			if (err == nil) != (c.err == "") || err != nil && (!strings.HasPrefix(err.Error(), "vocab: "+path+": ") || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("error %v, want one with %q and the path", err, c.err)
			}
		})
	}
}

// FuzzRead reads any text. Names that were read and fit on lines are read again from a file that has them line by line.
func FuzzRead(f *testing.F) {
	for _, text := range []string{"a\nb\n", "Index,Name\n1,b\n0,\"a\"\"\n\"\n", "\ufeffName,x,Index\r\n", "Index,Name\n0,a,b\n", "\"Index\n\",Name\n"} {
		f.Add([]byte(text), uint8(2))
	}
	f.Fuzz(func(t *testing.T, text []byte, classes uint8) {
		path := filepath.Join(t.TempDir(), "labels")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		names, err := readWithin(t, path, len(text), int(classes))
		if err != nil {
			if names != nil || !strings.HasPrefix(err.Error(), "vocab: "+path+": ") {
				t.Errorf("%q and error %v", names, err)
			}
			return
		}
		if len(names) != int(classes) {
			t.Fatalf("%d names for %d classes", len(names), classes)
		}
		lines := "\ufeff" + strings.Join(names, "\n") + "\n"
		if strings.Count(lines, "\n") != len(names) || strings.Contains(lines, "\r") || classes == 0 || strings.Contains(names[0], "Index") {
			return
		}
		if err := os.WriteFile(path, []byte(lines), 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := Read(path, int(classes))
		if diff := cmp.Diff(names, again); err != nil || diff != "" {
			t.Errorf("%v (-first +again)\n%s", err, diff)
		}
	})
}

// readWithin is Read of a file of n bytes, within the memory that they and the names of classes may take.
func readWithin(t *testing.T, path string, n, classes int) (names []string, err error) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	names, err = Read(path, classes)
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 16*uint64(n+2*classes)+1<<20 {
		t.Errorf("%d bytes allocated for %d and %d classes", used, n, classes)
	}
	return names, err
}

// TestMemory reads files of as many lines and columns as fit.
func TestMemory(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("Index,Name\n")
	for i := range 1 << 17 {
		fmt.Fprintf(&rows, "%d,\n", i)
	}
	for name, text := range map[string]string{
		"lines": strings.Repeat("\n", 1<<20), "columns": "Index,Name" + strings.Repeat(",", 1<<20), "wide row": "Index,Name\n" + strings.Repeat(",", 1<<20), "quotes": strings.Repeat("\"\"", 1<<20), "rows": rows.String(),
	} {
		path := filepath.Join(t.TempDir(), "labels")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) { _, _ = readWithin(t, path, len(text), 1<<20) })
	}
}

func TestReadNoFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := Read(filepath.Join(dir, "none"), 3); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such file: %v", err)
	}
	if _, err := Read(dir, 3); err == nil || !strings.Contains(err.Error(), "not a file of class names") {
		t.Errorf("a folder: %v", err)
	}
	big := filepath.Join(dir, "big")
	if err := os.WriteFile(big, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(big, maxFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(big, 3); err == nil || !strings.Contains(err.Error(), "larger than 64 MB") {
		t.Errorf("a large file: %v", err)
	}
}
