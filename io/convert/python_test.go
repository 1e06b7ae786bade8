package convert

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// script prints what pickle.load finds in files, as it is called by default, for bytes, and as Paddle's reader does.
const script = `
import json, pickle, sys
for name in sys.argv[1:]:
    lists = []
    for how in ({}, {"encoding": "bytes"}, {"encoding": "latin1"}):
        with open(name, "rb") as f:
            videos = pickle.load(f, **how)
        assert type(videos) is list
        rows = []
        for v in videos:
            v = {k.decode() if isinstance(k, bytes) else k: x for k, x in v.items()}
            assert sorted(v) == ["audio", "feature", "label", "nframes", "video"], sorted(v)
            assert type(v["video"]) is bytes and type(v["nframes"]) is int and type(v["label"]) is list
            assert all(type(x) is int for x in v["label"])
            arrays = [v["feature"], v["audio"]]
            assert all(a.dtype == "uint8" and a.ndim == 2 for a in arrays)
            rows.append({"ID": v["video"].decode(), "Labels": v["label"], "Frames": v["nframes"],
                         "Rows": [[bytes(r).hex() for r in a] for a in arrays]})
        lists.append(rows)
    assert lists[0] == lists[1] == lists[2]
    print(json.dumps(lists[0]))
`

// TestPythonReads: what Python's pickle.load finds in a pickle that was made of a TFRecord or another pickle is what was in there.
func TestPythonReads(t *testing.T) {
	if err := exec.Command("python3", "-c", "import numpy").Run(); err != nil {
		t.Skip("no python3 with numpy: ", err)
	}
	var names []string
	args := []string{"-c", script}
	for _, from := range given(t, records+"/*.tfrecord*", pickles+"/*.pkl") {
		o := Options{Names: pair.Names, Dims: dimsOf(from), To: filepath.Join(t.TempDir(), "x.pkl")}
		if _, err := Videos(ctx, []string{from}, o); err != nil {
			t.Fatal(err)
		}
		names, args = append(names, from), append(args, o.To)
	}
	var stderr bytes.Buffer
	cmd := exec.Command("python3", args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != len(names) {
		t.Fatalf("%d lines for %d files", len(lines), len(names))
	}
	for i, from := range names {
		var got []copied
		if err := json.Unmarshal([]byte(lines[i]), &got); err != nil {
			t.Fatal(err)
		}
		want := videosIn(t, from, pair.Names, dimsOf(from), true)
		for _, v := range want {
			for _, rows := range v.Rows {
				for l := range rows {
					rows[l] = hex.EncodeToString([]byte(rows[l]))
				}
			}
		}
		if strings.Contains(from, records) {
			for k := range want {
				want[k].Frames = min(want[k].Frames, 300)
			}
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", from, diff)
		}
	}
}
