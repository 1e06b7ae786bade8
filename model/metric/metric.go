// Package metric accumulates the measures of a model over any number of batches: Hit@1, PERR, GAP@20 and mAP for models
// with a sigmoid per class (Sigmoid), top-1 and top-5 for models with one softmax over the classes (Softmax).
//
// Both accumulators are given, video by video, the classes that the model scores highest and the video's labels. What they
// return does not depend on how the videos were grouped into batches nor on their order: counts are integers, and the sums
// of precisions run over the sorted pool.
package metric

import (
	"fmt"
	"math"
)

// marks tells which classes are labels of the video at hand without clearing a table for each video.
type marks struct {
	of      []uint64 // of[class] is the number of the last video that had class as a label
	current uint64
}

// set makes labels the classes of a new video and returns how many different ones there are.
func (m *marks) set(labels []int32) (int, error) {
	m.current++
	distinct := 0
	for _, class := range labels {
		if class < 0 || int(class) >= len(m.of) {
			return 0, fmt.Errorf("label %d is not a class: the model has classes 0 to %d", class, len(m.of)-1)
		}
		if m.of[class] != m.current {
			m.of[class] = m.current
			distinct++
		}
	}
	return distinct, nil
}

func (m *marks) has(class int32) bool { return m.of[class] == m.current }

// checkTop verifies that classes and probs are a ranking of at least `need` classes (or of all of numClasses, if these are
// fewer): highest probability first, equal probabilities by class.
func checkTop(classes []int32, probs []float32, numClasses, need int) error {
	if len(classes) != len(probs) {
		return fmt.Errorf("%d classes with %d probabilities", len(classes), len(probs))
	}
	if need = min(need, numClasses); len(classes) < need {
		return fmt.Errorf("%d highest classes given, %d needed", len(classes), need)
	}
	for i, p := range probs {
		if p != p {
			return fmt.Errorf("probability of class %d is NaN: the weights or the features are damaged", classes[i])
		}
		if p < 0 || math.IsInf(float64(p), 1) {
			return fmt.Errorf("probability of class %d is %v: must be finite and not negative", classes[i], p)
		}
		if classes[i] < 0 || int(classes[i]) >= numClasses {
			return fmt.Errorf("class %d is not one of the model's %d", classes[i], numClasses)
		}
		if i > 0 && (p > probs[i-1] || p == probs[i-1] && classes[i] <= classes[i-1]) {
			return fmt.Errorf("classes %d and %d are not ranked by probability, then class", classes[i-1], classes[i])
		}
	}
	return nil
}

// lossSum adds losses with a second float64 that holds what the first one rounds away, so that the order of the terms
// changes the sum by no more than about one unit in its last place.
type lossSum struct{ high, low float64 }

func (s *lossSum) add(x float64) error {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return fmt.Errorf("metric: loss is %v: the weights or the features are damaged", x)
	}
	sum := s.high + x
	part := sum - s.high
	s.low += (s.high - (sum - part)) + (x - part)
	s.high = sum
	return nil
}

func (s *lossSum) mean(videos int64) float64 { return ratio(s.high+s.low, videos) }

// ratio is sum/n, and 0 where there is nothing to divide by.
func ratio(sum float64, n int64) float64 {
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}
