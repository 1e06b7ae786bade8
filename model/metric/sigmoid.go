package metric

import "fmt"

// PoolSize is how many of a video's highest-scored classes enter GAP and mAP: the 20 of GAP@20.
const PoolSize = 20

// Sigmoid accumulates the measures of a model that gives every class a probability of its own (any number of labels a
// video). It keeps 8 bytes for each of a video's 20 highest-scored classes: 176 MB for 1.1 million videos.
type Sigmoid struct {
	labels    marks
	pool      pool
	positives []int64 // positives[k]: videos that have label k
	perr      []int64 // perr[n]: labels among the n highest-scored classes, over all videos with n labels
	hits      int64   // videos whose highest-scored class is a label
	videos    int64
	loss      lossSum
}

// NewSigmoid returns an empty accumulator for a model of numClasses classes.
func NewSigmoid(numClasses int) *Sigmoid {
	return &Sigmoid{
		labels:    marks{of: make([]uint64, numClasses)},
		positives: make([]int64, numClasses),
		perr:      make([]int64, numClasses+1),
	}
}

// Add takes one video: its highest-scored classes with their probabilities, highest first and of equal ones the lowest class
// first, and its labels, in which a repeated one counts once. At least min(K, max(20, n)) classes are needed, K being the
// number of classes and n that of the labels. An error names the video by id and leaves the accumulator as it was; NaN, a
// label that is not a class and a ranking out of order are errors.
func (a *Sigmoid) Add(id string, classes []int32, probs []float32, labels []int32) error {
	n, err := a.labels.set(labels)
	if err == nil {
		err = checkTop(classes, probs, len(a.positives), max(PoolSize, n))
	}
	if err != nil {
		return fmt.Errorf("metric: video %q: %w", id, err)
	}
	a.videos++
	if len(classes) > 0 && a.labels.has(classes[0]) {
		a.hits++
	}
	for i := range n {
		if probs[i] > 0 && a.labels.has(classes[i]) {
			a.perr[n]++
		}
	}
	for i := range min(PoolSize, len(classes)) {
		a.pool.add(newEntry(probs[i], classes[i], a.labels.has(classes[i])))
	}
	a.count(labels)
	return nil
}

// count adds the current video's labels to positives, each class once.
func (a *Sigmoid) count(labels []int32) {
	for _, class := range labels {
		if a.labels.has(class) {
			a.positives[class]++
			a.labels.of[class] = 0 // so that a repetition is not counted
		}
	}
}

// AddLoss adds the loss of one video, or the sum of the losses of several. A loss that is not finite is an error.
func (a *Sigmoid) AddLoss(sum float64) error { return a.loss.add(sum) }

// SigmoidResult is what Sigmoid measured; its JSON is that of `avcu eval --format json`.
type SigmoidResult struct {
	Videos int64   `json:"videos"`
	Loss   float64 `json:"loss"`     // mean over the videos
	Hit1   float64 `json:"hit_at_1"` // share of videos whose highest-scored class is a label
	PERR   float64 `json:"perr"`     // mean over all videos of the share of the n highest-scored classes that are labels, n the video's number of labels
	GAP    float64 `json:"gap"`      // average precision of all videos' 20 highest-scored classes in one pool
	MAP    float64 `json:"map"`      // mean of AP over the classes with a positive

	PerClass []ClassAP `json:"-"` // one for every class, in order
}

// ClassAP is the average precision of one class over the pooled entries; 0 for a class without a positive.
type ClassAP struct {
	Class     int     `json:"class"`
	Positives int64   `json:"positives"`
	AP        float64 `json:"ap"`
}

// Result computes the measures of all videos added so far; with none, everything is 0. It sorts the pool in place. Equal
// scores are one threshold: each hit among them counts with the precision after the last of them.
//
// Source: google/youtube-8m (GAP, PERR, Hit@1, mAP), apart from the rule for equal scores.
func (a *Sigmoid) Result() SigmoidResult {
	var all curve
	classes := make([]curve, len(a.positives))
	// In the sorted pool equal scores are neighbours, and among them the entries of one class are: one pass serves the pool
	// and all classes. The sums have at most a few million terms, which float64 adds to better than 1e-9.
	open := int32(-1)
	var last entry
	a.pool.sorted(func(e entry) {
		if open >= 0 {
			if e.score() != last.score() {
				all.close()
				classes[open].close()
			} else if e.class() != open {
				classes[open].close()
			}
		}
		all.add(e.hit())
		classes[e.class()].add(e.hit())
		open, last = e.class(), e
	})
	if open >= 0 {
		all.close()
		classes[open].close()
	}

	r := SigmoidResult{
		Videos:   a.videos,
		Loss:     a.loss.mean(a.videos),
		Hit1:     ratio(float64(a.hits), a.videos),
		PERR:     ratio(a.perrSum(), a.videos),
		PerClass: make([]ClassAP, len(classes)),
	}
	var positives, labelled int64
	var sum float64
	for k, c := range classes {
		n := a.positives[k]
		r.PerClass[k] = ClassAP{Class: k, Positives: n, AP: ratio(c.sum, n)}
		if n > 0 {
			positives += n
			labelled++
			sum += r.PerClass[k].AP
		}
	}
	r.GAP = ratio(all.sum, positives)
	r.MAP = ratio(sum, labelled)
	return r
}

// perrSum is the sum over videos of hits/n, taken by n in ascending order.
func (a *Sigmoid) perrSum() float64 {
	var sum float64
	for n, hits := range a.perr[1:] {
		sum += float64(hits) / float64(n+1)
	}
	return sum
}

// curve walks down a ranking and sums precision·hit over it.
type curve struct {
	seen, hits int64
	group      int64 // hits since the last close
	sum        float64
}

func (c *curve) add(hit int64) {
	c.seen++
	c.hits += hit
	c.group += hit
}

// close ends a group of equal scores.
func (c *curve) close() {
	if c.group > 0 {
		c.sum += float64(c.group) * float64(c.hits) / float64(c.seen)
		c.group = 0
	}
}
