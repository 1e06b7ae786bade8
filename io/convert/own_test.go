package convert

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"avcu/io/npy/quantise"

	"github.com/google/go-cmp/cmp"
)

var ownNames, ownDims = []string{"rgb", "audio"}, []int{6, 3}

// options are for makeVideos in a layout.
func options(t *testing.T, videos []made, k kind) FeatureOptions {
	t.Helper()
	dir := t.TempDir()
	o := FeatureOptions{Folder: filepath.Join(dir, "mine"), Truth: truthOf(t, videos)}
	saveAs(t, videos, k, o.Folder)
	save(t, []byte("notes"), o.Folder, "README.txt")
	save(t, []byte("junk"), o.Folder, ".hidden.npy")
	o.To, o.Workers = filepath.Join(dir, "out"), 1
	return o
}

// TestLayouts: each layout, number of workers and place gives the same videos, in the order of the truth file.
func TestLayouts(t *testing.T) {
	videos := makeVideos(50)
	var want []copied
	var scale string
	for _, k := range []kind{byFeature, byVideo, archives} {
		for _, workers := range []int{1, 3} {
			for _, to := range []string{"out", "x.tfrecord", "x.pkl"} {
				o := options(t, videos, k)
				o.Workers, o.To = workers, filepath.Join(filepath.Dir(o.To), to)
				report, err := Features(ctx, o)
				if err != nil {
					t.Fatal(err)
				}
				got := videosIn(t, report.Files[0], ownNames, ownDims, true)
				text, err := os.ReadFile(report.ScaleFile)
				if err != nil {
					t.Fatal(err)
				}
				if want == nil {
					want, scale = got, string(text)
				}
				if diff := cmp.Diff(want, got); diff != "" || string(text) != scale || len(report.Files) != 1 || report.Videos != 50 {
					t.Errorf("layout %d, %d workers, %s: %+v (-first +this):\n%s", k, workers, to, report, diff)
				}
				if name := filepath.Base(report.ScaleFile); name != map[string]string{"out": "out.scale.json"}[to] && name != "x.scale.json" {
					t.Errorf("%s: the scale is %s", to, name)
				}
			}
		}
	}
	checkOwn(t, videos, want, scale)
}

// checkOwn compares what was written of videos with what they are.
func checkOwn(t *testing.T, videos []made, got []copied, scale string) {
	t.Helper()
	var scales map[string]*quantise.Scale
	if err := json.Unmarshal([]byte(scale), &scales); err != nil || len(scales) != 1 || scales["rgb"].Check(6) != nil {
		t.Fatalf("scales %v, %v", scales, err)
	}
	sums, squares, n := make([]float64, 6), make([]float64, 6), 0.0
	for k, v := range videos {
		if diff := cmp.Diff([]int32{int32(k % 5), 9}, got[k].Labels); diff != "" || got[k].ID != v.id || got[k].Frames != v.frames {
			t.Errorf("video %d: id %s, %d frames, labels %s", k, got[k].ID, got[k].Frames, diff)
		}
		if audio := strings.Join(got[k].Rows[1], ""); audio != string(v.audio) {
			t.Errorf("video %d: bytes have changed", k)
		}
		for i, f := range v.rgb {
			x := scales["rgb"].Factor[i%6]*float64(f) + scales["rgb"].Offset[i%6]
			sums[i%6] += x
			squares[i%6] += x * x
			n++
			value := float64(quantise.Value(got[k].Rows[0][i/6][i%6]))
			if clipped := min(max(x, -2), 2); math.Abs(value-clipped) > 4.0/255 {
				t.Errorf("video %d, value %d: %v, want %v", k, i, value, clipped)
			}
		}
	}
	for d := range sums {
		if mean, spread := sums[d]/(n/6), squares[d]/(n/6); math.Abs(mean) > 1e-5 || math.Abs(spread-1) > 1e-5 {
			t.Errorf("dimension %d has mean %v and variance %v", d, mean, spread)
		}
	}
}

// TestScales: a scale of other data, or none.
func TestScales(t *testing.T) {
	videos := makeVideos(40)
	o := options(t, videos, byFeature)
	first, err := Features(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	rgb := first.Features[1]
	if rgb.Name != "rgb" {
		rgb = first.Features[0]
	}
	frames := 0
	for _, v := range videos {
		frames += v.frames
	}
	if rgb.Values != int64(6*frames) || rgb.Clipped < rgb.Values/50 || rgb.Clipped > rgb.Values/10 {
		t.Errorf("%+v, want some 5 %% clipped of %d", rgb, 6*frames)
	}
	part := options(t, videos[:7], archives)
	part.Scale = first.ScaleFile
	report, err := Features(ctx, part)
	if err != nil {
		t.Fatal(err)
	}
	want := videosIn(t, first.Files[0], ownNames, ownDims, true)[:7]
	if diff := cmp.Diff(want, videosIn(t, report.Files[0], ownNames, ownDims, true)); diff != "" {
		t.Errorf("with the scale of another run (-want +got):\n%s", diff)
	}
	a, _ := os.ReadFile(first.ScaleFile)
	if b, err := os.ReadFile(report.ScaleFile); err != nil || string(a) != string(b) {
		t.Errorf("the scale beside the output is another: %v", err)
	}
	part.Scale, part.To = Identity, part.To+"2"
	if report, err = Features(ctx, part); err != nil || report.Features[0].Clipped+report.Features[1].Clipped < 100 {
		t.Errorf("as they are: %+v, %v", report, err)
	}
	single := options(t, videos, single)
	single.Names = []string{"clip"}
	if _, err = Features(ctx, single); err != nil {
		t.Error(err)
	}
}

// TestOwnRestart: a run that ended anywhere, and started again, leaves what an unbroken one does.
func TestOwnRestart(t *testing.T) {
	videos := makeVideos(2*20 + 17)
	o := options(t, videos, archives)
	o.Workers, o.PerFile = 2, 20
	whole, err := Features(ctx, o)
	if err != nil || len(whole.Files) != 3 {
		t.Fatalf("%+v, %v", whole, err)
	}
	want := tree(t, filepath.Dir(o.To))
	for _, name := range []string{"out/mine0001.tfrecord", "out/mine0000.tfrecord", "out.scale.json"} {
		if err := os.Remove(filepath.Join(filepath.Dir(o.To), name)); err != nil {
			t.Fatal(err)
		}
		save(t, []byte("half"), o.To, ".mine0001.tfrecord.4711.tmp")
		again, err := Features(ctx, o)
		if err != nil || again.Kept != map[bool]int{true: 2, false: 3}[strings.HasPrefix(name, "out/")] {
			t.Errorf("without %s: %+v, %v", name, again, err)
		}
		if diff := cmp.Diff(whole.Features, again.Features); diff != "" {
			t.Errorf("without %s: another report (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(want, tree(t, filepath.Dir(o.To))); diff != "" {
			t.Errorf("without %s: other files", name)
		}
	}
	// Labels that have changed, even in one video, are not passed over.
	text, err := os.ReadFile(o.Truth)
	if err != nil {
		t.Fatal(err)
	}
	save(t, []byte(strings.Replace(string(text), "clip-034,4 9", "clip-034,4 8", 1)), o.Truth)
	if _, err := Features(ctx, o); err == nil || !strings.Contains(err.Error(), "video 14 has the labels [4 9], not [4 8]") {
		t.Errorf("another label: %v", err)
	}
}

func TestOwnRefused(t *testing.T) {
	videos := makeVideos(5)
	rgb, audio := videos[3].arrays()
	in := func(o *FeatureOptions, path string) string { return filepath.Join(o.Folder, path) }
	for _, c := range []struct {
		name  string
		kind  kind
		spoil func(o *FeatureOptions)
		want  string
	}{
		{"a feature is missing", byFeature, func(o *FeatureOptions) { os.Remove(in(o, "audio/clip-003.npy")) }, `video "clip-003" has the feature`},
		{"a feature is missing in an archive", archives, func(o *FeatureOptions) { o.Names = []string{"rgb", "flow"} }, `no array "flow"`},
		{"no folder for a feature", byFeature, func(o *FeatureOptions) { o.Names = []string{"rgb", "flow"} }, `no folder for the feature "flow", there are audio, rgb`},
		{"another width", byFeature, func(o *FeatureOptions) {
			save(t, npyBytes("|u1", []int{2, 4}, make([]byte, 8)), in(o, "audio/clip-003.npy"))
		}, "audio/clip-003.npy: feature \"audio\": frames are 4 wide, expected 3"},
		{"another width than configured", byFeature, func(o *FeatureOptions) { o.Names, o.Dims = ownNames, []int{6, 4} }, "frames are 3 wide, expected 4"},
		{"another type", byFeature, func(o *FeatureOptions) {
			save(t, npyBytes("<f4", []int{1, 3}, make([]float32, 3)), in(o, "audio/clip-003.npy"))
		},
			"elements are floating point, and uint8 in other videos"},
		{"no matrix", byFeature, func(o *FeatureOptions) {
			save(t, npyBytes("|u1", []int{3}, make([]byte, 3)), in(o, "audio/clip-003.npy"))
		}, "shape (3), expected (frames, width)"},
		{"no frame", byFeature, func(o *FeatureOptions) { save(t, npyBytes("|u1", []int{0, 3}, []byte{}), in(o, "audio/clip-003.npy")) }, "shape (0, 3), expected (frames, width)"},
		{"not a number", byFeature, func(o *FeatureOptions) {
			save(t, npyBytes("<f4", []int{1, 6}, []float32{0, 0, float32(math.NaN()), 0, 0, 0}), in(o, "rgb/clip-003.npy"))
		}, "rgb/clip-003.npy: feature \"rgb\": quantise: dimension 2 of frame 0 is NaN"},
		{"cut off", byFeature, func(o *FeatureOptions) { save(t, rgb[:len(rgb)-3], in(o, "rgb/clip-003.npy")) }, "clip-003.npy: shape"},
		{"no name", single, func(o *FeatureOptions) {}, "which has no name: put them into a folder"},
		{"layouts side by side", byFeature, func(o *FeatureOptions) { save(t, audio, in(o, "clip-003.npy")) }, "0 .npz files, 1 .npy files and 2 folders side by side"},
		{"nothing there", single, func(o *FeatureOptions) { o.Folder = t.TempDir() }, "there is nothing of the kind"},
		{"no such folder", single, func(o *FeatureOptions) { o.Folder += "x" }, "no such file"},
		{"other ids", byFeature, func(o *FeatureOptions) { save(t, []byte("film-1,3\n"), o.Truth) }, `none of the 5 videos`},
		{"no such scale", byFeature, func(o *FeatureOptions) { o.Scale = o.To + ".json" }, "no such file"},
		{"a scale of something else", byFeature, func(o *FeatureOptions) { o.Scale = save(t, []byte(`{"flow": {}}`), o.To+".json") }, `no scale for the feature "rgb"`},
		{"a scale of another width", byFeature, func(o *FeatureOptions) {
			o.Scale = save(t, []byte(`{"rgb": {"factor": [1], "offset": [1]}}`), o.To+".json")
		}, "has 1 factors"},
		{"no scale at all", byFeature, func(o *FeatureOptions) { o.Scale = save(t, []byte("what?"), o.To+".json") }, "name the .scale.json file"},
		{"a scale for bytes", byFeature, func(o *FeatureOptions) {
			six, three := `{"factor": [1,1,1,1,1,1], "offset": [1,1,1,1,1,1]}`, `{"factor": [1,1,1], "offset": [1,1,1]}`
			o.Scale = save(t, fmt.Appendf(nil, `{"rgb": %s, "audio": %s}`, six, three), o.To+".json")
		}, `a scale for the feature "audio", which is uint8`},
		{"the scale of other data", byFeature, func(o *FeatureOptions) { save(t, []byte("{}"), o.To+".scale.json") }, "is the scale of other data"},
	} {
		o := options(t, videos, c.kind)
		c.spoil(&o)
		if _, err := Features(ctx, o); err == nil || !strings.HasPrefix(err.Error(), "convert: ") && !strings.HasPrefix(err.Error(), "npy: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
		if _, err := os.Stat(o.To); err == nil {
			t.Errorf("%s: something was written", c.name)
		}
	}
}

// TestLeftOut: videos without a line, and lines without a video, are counted.
func TestLeftOut(t *testing.T) {
	videos := makeVideos(9)
	o := options(t, videos, byVideo)
	save(t, []byte("gone,1\n"+videos[4].id+",3\n"+videos[2].id+",\n"), o.Truth)
	report, err := Features(ctx, o)
	if err != nil || report.Unlabeled != 7 || report.Absent != 1 || report.Videos != 2 {
		t.Fatalf("%+v, %v", report, err)
	}
	got := videosIn(t, report.Files[0], ownNames, ownDims, false)
	if got[0].ID != videos[4].id || got[1].ID != videos[2].id || len(got[1].Labels) != 0 {
		t.Errorf("not in the order of the truth file: %s, %s", got[0].ID, got[1].ID)
	}
}

// TestOtherCounts: features of a video may differ in their frames. All are written, and the smallest count is what counts.
func TestOtherCounts(t *testing.T) {
	for _, c := range []struct{ rgb, audio, frames, long int }{{4, 5, 4, 0}, {5, 4, 4, 0}, {301, 310, 301, 1}} {
		videos := makeVideos(1)
		o := options(t, videos, byFeature)
		o.Scale, o.To = Identity, o.To+".pkl"
		save(t, npyBytes("<f4", []int{c.rgb, 6}, make([]float32, c.rgb*6)), o.Folder, "rgb", videos[0].id+".npy")
		save(t, npyBytes("|u1", []int{c.audio, 3}, make([]byte, c.audio*3)), o.Folder, "audio", videos[0].id+".npy")
		for _, to := range []string{"x.pkl", "x.tfrecord"} {
			o.To = filepath.Join(t.TempDir(), to)
			report, err := Features(ctx, o)
			if err != nil {
				t.Fatal(err)
			}
			v := videosIn(t, o.To, ownNames, ownDims, true)[0]
			if v.Frames != c.frames || to == "x.tfrecord" && report.Long != int64(c.long) || c.long == 0 && (len(v.Rows[0]) != c.rgb || len(v.Rows[1]) != c.audio) {
				t.Errorf("%+v, %s: %d frames of %d and %d, %d long", c, to, v.Frames, len(v.Rows[0]), len(v.Rows[1]), report.Long)
			}
		}
	}
}
