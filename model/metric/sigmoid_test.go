package metric

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// scored is one class of one video in the definitions' words.
type scored struct {
	score float32
	class int32
	hit   bool
}

// averagePrecision is Σ precision(threshold)·hits(threshold)/positives in exact fractions, where equal scores are one
// threshold: of each hit, the share of hits among all entries that score at least as high.
func averagePrecision(entries []scored, positives int64) float64 {
	sum := new(big.Rat)
	for _, e := range entries {
		if !e.hit {
			continue
		}
		var above, hits int64
		for _, other := range entries {
			if other.score >= e.score {
				above++
				if other.hit {
					hits++
				}
			}
		}
		sum.Add(sum, big.NewRat(hits, above))
	}
	if positives == 0 {
		return 0
	}
	f, _ := sum.Quo(sum, big.NewRat(positives, 1)).Float64()
	return f
}

// TestDefinition holds Result to the definitions on small sets full of equal scores.
func TestDefinition(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, shape := range []struct{ videos, classes, levels int }{{1, 1, 1}, {7, 5, 2}, {9, 31, 3}, {20, 25, 6}, {12, 40, 1000}} {
		t.Run(fmt.Sprintf("%+v", shape), func(t *testing.T) {
			var videos []video
			var pooled []scored
			perClass := make([][]scored, shape.classes)
			positives := make([]int64, shape.classes)
			var total int64
			for range shape.videos {
				probs := make([]float32, shape.classes)
				isLabel := make([]uint8, shape.classes)
				for k := range probs {
					probs[k] = float32(random.IntN(shape.levels)) / float32(shape.levels)
					if random.IntN(4) == 0 {
						isLabel[k] = 1
						positives[k]++
						total++
					}
				}
				v := ranked(probs, isLabel).cut(shape.classes)
				videos = append(videos, v)
				for i, k := range v.classes[:min(20, len(v.classes))] {
					e := scored{v.probs[i], k, isLabel[k] == 1}
					pooled = append(pooled, e)
					perClass[k] = append(perClass[k], e)
				}
			}
			r := measureSigmoid(t, shape.classes, videos)

			if want := averagePrecision(pooled, total); math.Abs(r.GAP-want) > exactly {
				t.Errorf("GAP = %.16g, want %.16g", r.GAP, want)
			}
			var sum, labelled float64
			for k, entries := range perClass {
				want := averagePrecision(entries, positives[k])
				if got := r.PerClass[k]; math.Abs(got.AP-want) > exactly || got.Positives != positives[k] || got.Class != k {
					t.Errorf("class %d: %+v, want AP %.16g of %d", k, got, want, positives[k])
				}
				if positives[k] > 0 {
					sum += want
					labelled++
				}
			}
			if want := sum / max(labelled, 1); math.Abs(r.MAP-want) > exactly {
				t.Errorf("mAP = %.16g, want %.16g", r.MAP, want)
			}
		})
	}
}

func TestRepeatedLabelsCountOnce(t *testing.T) {
	once := []video{{[]int32{2, 0, 1}, []float32{.9, .5, .1}, []int32{0, 2}}}
	again := []video{{[]int32{2, 0, 1}, []float32{.9, .5, .1}, []int32{2, 0, 2, 0, 0}}}
	want := SigmoidResult{Videos: 1, Hit1: 1, PERR: 1, GAP: 1, MAP: 1, PerClass: []ClassAP{{0, 1, 1}, {1, 0, 0}, {2, 1, 1}}}
	for _, videos := range [][]video{once, again} {
		if diff := cmp.Diff(want, measureSigmoid(t, 3, videos)); diff != "" {
			t.Errorf("labels %v: -want +got\n%s", videos[0].labels, diff)
		}
	}
}

// TestMinusZero wants -0 and 0 to be one threshold.
func TestMinusZero(t *testing.T) {
	minusZero := float32(math.Copysign(0, -1))
	r := measureSigmoid(t, 3, []video{{[]int32{0, 1, 2}, []float32{0, minusZero, 0}, []int32{1}}})
	if r.GAP != 1./3 {
		t.Errorf("GAP = %v, want 1/3: three entries at one threshold, one of them a hit", r.GAP)
	}
}

func TestSigmoidRefuses(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		name string
		v    video
		want string
	}{
		{"NaN", video{[]int32{0, 1, 2}, []float32{.5, nan, .1}, nil}, "probability of class 1 is NaN"},
		{"negative", video{[]int32{0, 1, 2}, []float32{.5, .1, -.1}, nil}, "probability of class 2 is -0.1"},
		{"infinite", video{[]int32{0, 1, 2}, []float32{inf, .1, 0}, nil}, "probability of class 0 is +Inf"},
		{"negative label", video{[]int32{0, 1, 2}, []float32{.5, .2, .1}, []int32{-1}}, "label -1 is not a class: the model has classes 0 to 2"},
		{"label past the classes", video{[]int32{0, 1, 2}, []float32{.5, .2, .1}, []int32{1, 3}}, "label 3 is not a class"},
		{"class past the classes", video{[]int32{0, 3, 2}, []float32{.5, .2, .1}, nil}, "class 3 is not one of the model's 3"},
		{"negative class", video{[]int32{0, -2, 2}, []float32{.5, .2, .1}, nil}, "class -2 is not one"},
		{"too few", video{[]int32{0, 1}, []float32{.5, .2}, nil}, "2 highest classes given, 3 needed"},
		{"lengths", video{[]int32{0, 1, 2}, []float32{.5, .2}, nil}, "3 classes with 2 probabilities"},
		{"rising", video{[]int32{0, 1, 2}, []float32{.5, .1, .2}, nil}, "classes 1 and 2 are not ranked"},
		{"tie out of order", video{[]int32{1, 0, 2}, []float32{.5, .5, .2}, nil}, "classes 1 and 0 are not ranked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := NewSigmoid(3)
			err := a.Add("vid-7", c.v.classes, c.v.probs, c.v.labels)
			if err == nil || !strings.HasPrefix(err.Error(), `metric: video "vid-7": `+c.want) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			// The refused video leaves no trace.
			if err := a.Add("good", []int32{2, 0, 1}, []float32{.9, .5, .1}, []int32{2}); err != nil {
				t.Fatal(err)
			}
			want := SigmoidResult{Videos: 1, Hit1: 1, PERR: 1, GAP: 1, MAP: 1, PerClass: []ClassAP{{0, 0, 0}, {1, 0, 0}, {2, 1, 1}}}
			if diff := cmp.Diff(want, a.Result()); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// TestManyLabelsNeedMoreClasses: PERR looks at as many classes as there are labels.
func TestManyLabelsNeedMoreClasses(t *testing.T) {
	var v video
	for k := range int32(30) {
		v.classes = append(v.classes, k)
		v.probs = append(v.probs, 1/float32(k+1))
		if k >= 5 {
			v.labels = append(v.labels, k)
		}
	}
	a := NewSigmoid(40)
	if err := a.Add("v", v.classes[:24], v.probs[:24], v.labels); err == nil || !strings.Contains(err.Error(), "24 highest classes given, 25 needed") {
		t.Errorf("24 classes for 25 labels: error %v", err)
	}
	if err := a.Add("v", v.classes[:25], v.probs[:25], v.labels); err != nil {
		t.Fatal(err)
	}
	r := a.Result()
	if r.PERR != 20./25 {
		t.Errorf("PERR = %v, want 20/25", r.PERR)
	}
	var want float64 // only the first 20 classes enter GAP, of which those from 5 on are hits
	for i := 5; i < 20; i++ {
		want += float64(i-4) / float64(i+1) / 25
	}
	if math.Abs(r.GAP-want) > exactly {
		t.Errorf("GAP = %v, want %v", r.GAP, want)
	}
}

// TestPoolOverChunks merges several chunks, the last one partly filled.
func TestPoolOverChunks(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 14))
	var p pool
	var want []entry
	for range 5*chunkEntries/2 + 17 {
		e := entry(random.Uint64N(1 << 20)) // some are equal
		p.add(e)
		want = append(want, e)
	}
	slices.Sort(want)
	var got []entry
	p.sorted(func(e entry) { got = append(got, e) })
	if !slices.Equal(got, want) {
		t.Error("entries out of order, lost or made up")
	}
}

func TestNoVideos(t *testing.T) {
	if diff := cmp.Diff(SigmoidResult{PerClass: []ClassAP{{}, {Class: 1}}}, NewSigmoid(2).Result()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(SoftmaxResult{}, NewSoftmax(2).Result()); diff != "" {
		t.Error(diff)
	}
}

// TestResultTwice: asking changes nothing, and more videos may follow.
func TestResultTwice(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	videos := randomVideos(random, 200, 50)
	a := NewSigmoid(50)
	for i, v := range videos {
		if i == 100 {
			if diff := cmp.Diff(a.Result(), a.Result()); diff != "" {
				t.Error(diff)
			}
		}
		if err := a.Add("v", v.classes, v.probs, v.labels); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(measureSigmoid(t, 50, videos), a.Result()); diff != "" {
		t.Error(diff)
	}
}

// randomVideos draws scores from a few thousand values, so that some are equal.
func randomVideos(random *rand.Rand, n, numClasses int) []video {
	videos := make([]video, n)
	for b := range videos {
		probs := make([]float32, numClasses)
		isLabel := make([]uint8, numClasses)
		for k := range probs {
			probs[k] = float32(random.IntN(5000)) / 5000
			if random.IntN(10) == 0 {
				isLabel[k] = 1
			}
		}
		videos[b] = ranked(probs, isLabel).cut(numClasses)
	}
	return videos
}

func TestJSON(t *testing.T) {
	for _, c := range []struct {
		result any
		want   string
	}{
		{SigmoidResult{Videos: 2, Loss: 1.5, Hit1: .25, PERR: .5, GAP: .75, MAP: .125, PerClass: []ClassAP{{}}}, `{"videos":2,"loss":1.5,"hit_at_1":0.25,"perr":0.5,"gap":0.75,"map":0.125}`},
		{SoftmaxResult{Videos: 2, Loss: 1.5, Top1: .25, Top5: .5}, `{"videos":2,"loss":1.5,"top1":0.25,"top5":0.5}`},
		{ClassAP{Class: 3, Positives: 7, AP: .5}, `{"class":3,"positives":7,"ap":0.5}`},
	} {
		got, err := json.Marshal(c.result)
		if err != nil || string(got) != c.want {
			t.Errorf("%s (%v), want %s", got, err, c.want)
		}
	}
}
