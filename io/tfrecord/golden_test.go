package tfrecord

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testdata holds files written by TensorFlow and damaged copies of them; manifest.json says what is in each.
type goldenCase struct {
	Name    string     `json:"name"`
	Path    string     `json:"path"`
	Records []struct{} `json:"records"`
	Framing [][2]int64 `json:"record_offsets_and_lengths"`
	Wrong   string     `json:"wrong"`
	Byte    int64      `json:"byte_offset"`
	Good    *int64     `json:"good_records_before"`
	Proto   bool       `json:"proto_error"`
}

func golden(t *testing.T) []goldenCase {
	t.Helper()
	text, err := os.ReadFile("testdata/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Cases []goldenCase `json:"cases"`
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	var cases []goldenCase
	for _, c := range manifest.Cases {
		if c.Path != "" {
			cases = append(cases, c)
		}
	}
	if len(cases) < 25 {
		t.Fatalf("manifest.json lists %d files", len(cases))
	}
	return cases
}

// readAll returns the data of all records up to the first error.
func readAll(name string) (records [][]byte, err error) {
	r, err := Open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for {
		data, err := r.Next()
		if err != nil {
			if _, again := r.Next(); again != err {
				return records, errors.New("a second Next gave another error than the first")
			}
			return records, err
		}
		records = append(records, append([]byte(nil), data...))
	}
}

func TestGoldenFraming(t *testing.T) {
	for _, c := range golden(t) {
		if c.Wrong != "" && !c.Proto {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			name := filepath.Join("testdata", c.Name)
			records, err := readAll(name)
			if err != io.EOF {
				t.Fatalf("after %d records: %v", len(records), err)
			}
			var framing [][2]int64
			if err := Scan(name, func(offset, length int64) bool {
				framing = append(framing, [2]int64{offset, length})
				return true
			}); err != nil {
				t.Fatal(err)
			}
			if len(framing) != len(records) {
				t.Errorf("Scan visits %d records, Next gives %d", len(framing), len(records))
			}
			for i, data := range records {
				if framing[i][1] != int64(len(data)) {
					t.Errorf("record %d: Scan says %d bytes, Next gives %d", i, framing[i][1], len(data))
				}
			}
			if c.Proto {
				return
			}
			if len(records) != len(c.Records) {
				t.Errorf("%d records, want %d", len(records), len(c.Records))
			}
			if len(c.Framing) > 0 {
				if diff := cmp.Diff(c.Framing, framing); diff != "" {
					t.Errorf("offsets and lengths (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestGoldenDamage(t *testing.T) {
	want := map[string]error{
		"bad/length_crc.tfrecord":          ErrLengthChecksum,
		"bad/length.tfrecord":              ErrLengthChecksum,
		"bad/data_crc.tfrecord":            ErrDataChecksum,
		"bad/data_byte.tfrecord":           ErrDataChecksum,
		"bad/truncated_data.tfrecord":      ErrTruncated,
		"bad/truncated_header.tfrecord":    ErrTruncated,
		"bad/truncated_footer.tfrecord":    ErrTruncated,
		"bad/huge_length.tfrecord":         ErrTruncated,
		"bad/garbage.tfrecord":             ErrTrailing,
		"bad/gzip_truncated.tfrecord.gz":   ErrTruncated,
		"made/not_tfrecord":                ErrNotTFRecord,
		"made/short":                       ErrTruncated,
		"made/gzip_of_text.gz":             ErrNotTFRecord,
		"made/gzip_bad_checksum.gz":        ErrCompression,
		"made/gzip_trailing.gz":            ErrCompression,
		"made/first_header_damaged":        ErrLengthChecksum,
		"made/gzip_claims_2_to_the_30.gz":  ErrTruncated,
		"made/gzip_claims_2_to_the_31.gz":  ErrTooLong,
		"made/gzip_ends_inside_header.gz":  ErrTruncated,
		"made/gzip_head_cut.gz":            ErrTruncated,
		"made/zlib_cut":                    ErrTruncated,
		"made/trailing_longer_than_window": ErrTrailing,
	}
	seen := 0
	for _, c := range append(golden(t), madeDamage(t)...) {
		if c.Wrong == "" || c.Proto {
			continue
		}
		seen++
		t.Run(c.Name, func(t *testing.T) {
			name := filepath.Join("testdata", c.Name)
			if c.Path == "" {
				name = c.Name
			}
			records, err := readAll(name)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("after %d records: %v, want an *Error", len(records), err)
			}
			key := c.Name
			if c.Path == "" {
				key = "made/" + filepath.Base(c.Name)
			}
			if !errors.Is(err, want[key]) {
				t.Errorf("error is %v, want %v", err, want[key])
			}
			if c.Good != nil && (e.Record != *c.Good || int64(len(records)) != *c.Good) {
				t.Errorf("error in record %d after %d good ones, want %d", e.Record, len(records), *c.Good)
			}
			start := int64(0) // of the damaged record: the good ones are before it
			for _, data := range records {
				start += HeaderSize + int64(len(data)) + FooterSize
			}
			if e.Offset != start || e.File != name {
				t.Errorf("error at %v, want byte %d of %s", e.Position, start, name)
			}
			text := err.Error()
			prefix := "tfrecord: " + name + ": record " + strconv.Itoa(len(records)) + " at byte " + strconv.FormatInt(start, 10) + ": " + want[key].Error()
			if !strings.HasPrefix(text, prefix) || !strings.HasSuffix(text, ")") {
				t.Errorf("error reads %q, want %q … (remedy)", text, prefix)
			}
			// Where the file ends is told to the byte; a flipped bit lies inside the record that is named.
			if e.Err == ErrTruncated && !strings.Contains(c.Name, "huge") && !strings.Contains(text, "ends at byte "+strconv.FormatInt(c.Byte, 10)) {
				t.Errorf("error reads %q, want the end of the file, %d", text, c.Byte)
			}
			if c.Path != "" && !strings.HasSuffix(c.Name, ".gz") && c.Byte < e.Offset {
				t.Errorf("the damage is at byte %d, before the record named", c.Byte)
			}

			scanned := 0
			err = Scan(name, func(_, _ int64) bool { scanned++; return true })
			if e.Err == ErrDataChecksum { // what a framing-only pass of a plain file cannot see
				if err != nil {
					t.Errorf("Scan: %v", err)
				}
			} else if err == nil || err.Error() != text || scanned != len(records) {
				t.Errorf("Scan after %d records: %v\nNext after %d: %s", scanned, err, len(records), text)
			}
		})
	}
	if seen != len(want) {
		t.Errorf("%d damaged files were read, want %d", seen, len(want))
	}
}
