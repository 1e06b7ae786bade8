package metric

import "fmt"

// Softmax accumulates the measures of a model with one softmax over the classes: exactly one label a video.
type Softmax struct {
	labels     marks
	top1, top5 int64
	videos     int64
	loss       lossSum
}

// NewSoftmax returns an empty accumulator for a model of numClasses classes.
func NewSoftmax(numClasses int) *Softmax {
	return &Softmax{labels: marks{of: make([]uint64, numClasses)}}
}

// Add takes one video: its highest-scored classes (at least min(K, 5), K being the number of classes) with their
// probabilities, highest first and of equal ones the lowest class first, and its one label. An error names the video by id
// and leaves the accumulator as it was.
func (a *Softmax) Add(id string, classes []int32, probs []float32, labels []int32) error {
	n, err := a.labels.set(labels)
	if err == nil && n != 1 {
		err = fmt.Errorf("%d labels: a model with softmax loss needs exactly one", n)
	}
	if err == nil {
		err = checkTop(classes, probs, len(a.labels.of), 5)
	}
	if err != nil {
		return fmt.Errorf("metric: video %q: %w", id, err)
	}
	a.videos++
	for i, class := range classes[:min(5, len(classes))] {
		if class == labels[0] {
			a.top5++
			if i == 0 {
				a.top1++
			}
		}
	}
	return nil
}

// AddLoss adds the loss of one video, or the sum of the losses of several. A loss that is not finite is an error.
func (a *Softmax) AddLoss(sum float64) error { return a.loss.add(sum) }

// SoftmaxResult is what Softmax measured; its JSON is that of `avcu eval --format json`.
type SoftmaxResult struct {
	Videos int64   `json:"videos"`
	Loss   float64 `json:"loss"` // mean over the videos
	Top1   float64 `json:"top1"` // share of videos whose label is the highest-scored class
	Top5   float64 `json:"top5"` // share of videos whose label is among the five highest-scored classes
}

// Result computes the measures of all videos added so far; with none, everything is 0.
func (a *Softmax) Result() SoftmaxResult {
	return SoftmaxResult{
		Videos: a.videos,
		Loss:   a.loss.mean(a.videos),
		Top1:   ratio(float64(a.top1), a.videos),
		Top5:   ratio(float64(a.top5), a.videos),
	}
}
