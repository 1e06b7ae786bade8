package metric

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sbinet/npyio/npz"
)

// goldenCase is one case of testdata/manifest.json: exact holds, for each measure, the lowest and the highest value that any
// order of equal scores gives.
type goldenCase struct {
	Name   string
	File   string
	Params struct {
		N, K    int
		Batches []int
	}
	Exact         map[string]any
	DependsOnTies []string `json:"depends_on_ties"`
}

func (c goldenCase) bounds(t *testing.T, measure string) (lo, hi float64) {
	t.Helper()
	lo, okLo := c.Exact[measure+"_lo"].(float64)
	hi, okHi := c.Exact[measure+"_hi"].(float64)
	if !okLo || !okHi {
		t.Fatalf("manifest: case %s has no bounds of %s", c.Name, measure)
	}
	return lo, hi
}

func goldenCases(t *testing.T) []goldenCase {
	t.Helper()
	text, err := os.ReadFile("testdata/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct{ Cases []goldenCase }
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	if len(manifest.Cases) == 0 {
		t.Fatal("manifest: no cases")
	}
	return manifest.Cases
}

// video is what Add takes.
type video struct {
	classes []int32
	probs   []float32
	labels  []int32
}

// ranked returns the video of one row of probabilities [K] and labels [K] in {0, 1}, with all classes ranked.
func ranked(probs []float32, isLabel []uint8) video {
	var v video
	for k := range probs {
		v.classes = append(v.classes, int32(k))
		if isLabel[k] == 1 {
			v.labels = append(v.labels, int32(k))
		}
	}
	slices.SortStableFunc(v.classes, func(a, b int32) int { return cmp.Compare(probs[b], probs[a]) })
	for _, k := range v.classes {
		v.probs = append(v.probs, probs[k])
	}
	return v
}

// cut drops the classes that the accumulator has no right to.
func (v video) cut(k int) video {
	need := min(k, max(PoolSize, len(v.labels)))
	return video{v.classes[:need], v.probs[:need], v.labels}
}

func readGolden(t *testing.T, c goldenCase) (videos []video, apsOriginal []float64) {
	t.Helper()
	path := filepath.Join("testdata", filepath.Base(c.File))
	arrays, err := npz.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer arrays.Close()
	var probs []float32
	var isLabel []uint8
	for name, dst := range map[string]any{"P": &probs, "T": &isLabel, "aps_original": &apsOriginal} {
		if err := arrays.Read(name+".npy", dst); err != nil {
			t.Fatalf("%s: %s: %v", path, name, err)
		}
	}
	n, k := c.Params.N, c.Params.K
	if len(probs) != n*k || len(isLabel) != n*k {
		t.Fatalf("%s: %d probabilities and %d labels, want %d", path, len(probs), len(isLabel), n*k)
	}
	for b := range n {
		videos = append(videos, ranked(probs[b*k:(b+1)*k], isLabel[b*k:(b+1)*k]).cut(k))
	}
	return videos, apsOriginal
}

func measureSigmoid(t *testing.T, numClasses int, videos []video) SigmoidResult {
	t.Helper()
	a := NewSigmoid(numClasses)
	for i, v := range videos {
		if err := a.Add(fmt.Sprint(i), v.classes, v.probs, v.labels); err != nil {
			t.Fatal(err)
		}
	}
	return a.Result()
}

// exactly is the tolerance where the golden value is unique: both sides are sums of at most 4,000 fractions in float64.
const exactly = 1e-12

func TestGolden(t *testing.T) {
	for _, c := range goldenCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			videos, aps := readGolden(t, c)
			r := measureSigmoid(t, c.Params.K, videos)

			var mapAll float64
			for _, class := range r.PerClass {
				mapAll += class.AP / float64(c.Params.K)
			}
			for measure, got := range map[string]float64{"hit": r.Hit1, "perr": r.PERR, "gap": r.GAP, "map_pos": r.MAP, "map_all": mapAll} {
				name := measure
				if name == "hit" {
					name = "hit1"
				}
				lo, hi := c.bounds(t, measure)
				if tied := slices.Contains(c.DependsOnTies, name); !tied && hi-lo > exactly {
					t.Errorf("manifest: %s is open although no tie touches it", measure)
				}
				if got < lo-exactly || got > hi+exactly || math.IsNaN(got) {
					t.Errorf("%s = %.16g, want [%.16g, %.16g]", measure, got, lo, hi)
				}
			}
			if r.Videos != int64(c.Params.N) || len(r.PerClass) != c.Params.K {
				t.Errorf("%d videos, %d classes, want %d, %d", r.Videos, len(r.PerClass), c.Params.N, c.Params.K)
			}
			if slices.Contains(c.DependsOnTies, "map_all") {
				return
			}
			for k, want := range aps {
				if math.Abs(r.PerClass[k].AP-want) > exactly {
					t.Errorf("AP of class %d = %.16g, want %.16g", k, r.PerClass[k].AP, want)
				}
			}
		})
	}
}

// TestOrder wants the same bits for any order of the videos.
func TestOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range goldenCases(t) {
		videos, _ := readGolden(t, c)
		want := fmt.Sprintf("%x", measureSigmoid(t, c.Params.K, videos))
		for range 5 {
			random.Shuffle(len(videos), func(i, j int) { videos[i], videos[j] = videos[j], videos[i] })
			if got := fmt.Sprintf("%x", measureSigmoid(t, c.Params.K, videos)); got != want {
				t.Fatalf("%s: another order gives\n%s, want\n%s", c.Name, got, want)
			}
		}
	}
}
