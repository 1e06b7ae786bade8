package paddle

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Kind is what a tensor holds.
type Kind int

// What tensors hold: parameters, or the state of Paddle's Adam optimiser.
const (
	Parameter    Kind = iota
	Moment1           // mean of the gradients
	Moment2           // mean of their squares
	Beta1Pow          // beta1 to the power of one more than the steps taken
	Beta2Pow          // beta2 to that power
	LearningRate      // of all parameters
	Counter           // steps taken, where the learning rate follows a schedule
)

// suffixes stand after a parameter's name, before _0.
var suffixes = [...]string{Moment1: "_moment1", Moment2: "_moment2", Beta1Pow: "_beta1_pow_acc", Beta2Pow: "_beta2_pow_acc"}

// learningRate is the name of the learning rate before _0.
const learningRate = "learning_rate"

// decayCounter is the name of the counter.
const decayCounter = "@LR_DECAY_COUNTER@"

// Split takes the name of a tensor apart: fc1.bias_moment1_0 is Moment1 of fc1.bias. The parameter is empty for LearningRate
// and Counter.
func Split(name string) (parameter string, kind Kind) {
	if name == decayCounter {
		return "", Counter
	}
	end := strings.TrimRight(name, "0123456789")
	stem, ok := strings.CutSuffix(end, "_")
	if !ok || end == name {
		return name, Parameter
	}
	if stem == learningRate {
		return "", LearningRate
	}
	for kind := Moment1; kind <= Beta2Pow; kind++ {
		if p, ok := strings.CutSuffix(stem, suffixes[kind]); ok && p != "" {
			return p, kind
		}
	}
	return name, Parameter
}

// Join is the name of a tensor that holds that kind of state of a parameter, as Paddle gives it.
func Join(parameter string, kind Kind) string {
	switch kind {
	case Parameter:
		return parameter
	case LearningRate:
		return learningRate + "_0"
	case Counter:
		return decayCounter
	}
	return parameter + suffixes[kind] + "_0"
}

// Rename makes the optimiser's state of a model that was saved with state_dict known under the names of the tensors: it is
// stored under the names that parameters have inside Paddle. names is what ParameterNames of the model's weights returns.
func (w *Weights) Rename(names map[string]string) error {
	w.rename(names)
	if err := w.sort(); err != nil {
		return fmt.Errorf("paddle: %s: %w", w.path, err)
	}
	return nil
}

func (w *Weights) rename(names map[string]string) {
	inside := make(map[string]string, len(names))
	for tensor, parameter := range names {
		inside[parameter] = tensor
	}
	for i, t := range w.tensors {
		if p, kind := Split(t.Name); kind != Parameter && inside[p] != "" {
			w.tensors[i].Name = Join(inside[p], kind)
		}
	}
	w.last = -1
}

// Steps returns how many steps Adam has taken, from the powers of beta1 and beta2 that are stored for each parameter; ok says
// whether there are any. Where the parameters do not agree, it is an error. See CountSteps.
func (w *Weights) Steps(beta1, beta2 float32) (steps int64, ok bool, err error) {
	powers := map[string][2]float32{}
	for _, t := range w.tensors {
		p, kind := Split(t.Name)
		if kind != Beta1Pow && kind != Beta2Pow {
			continue
		}
		var v [1]float32
		if err := w.ReadFloat32(t.Name, v[:]); err != nil {
			return 0, false, err
		}
		both := powers[p]
		both[kind-Beta1Pow] = v[0]
		powers[p] = both
	}
	first := ""
	for _, p := range sortedKeys(powers) {
		n, err := CountSteps(powers[p][0], powers[p][1], beta1, beta2)
		if err != nil {
			return 0, false, fmt.Errorf("paddle: %s: %s and %s: %w", w.path, Join(p, Beta1Pow), Join(p, Beta2Pow), err)
		}
		if ok && n != steps {
			return 0, false, fmt.Errorf("paddle: %s: %s was trained for %d steps, %s for %d: the files do not belong together", w.path, first, steps, p, n)
		}
		steps, ok, first = n, true, p
	}
	return steps, ok, nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// smallPower is where products of float32 begin to lose digits.
const smallPower = 1e-37

// maxSteps is the most steps that are counted.
const maxSteps = 100_000_000

// CountSteps returns the t for which pow1 is beta1 to the power t+1 and pow2 is beta2 to that power, multiplied up in float32
// as Paddle does it. pow1 vanishes after some 900 steps at beta1 = 0.9, and pow2 tells from there on; where it has vanished
// too, after some 90,000 steps at beta2 = 0.999, the first t for which it does is returned: Adam's corrections are 1 from
// there on.
func CountSteps(pow1, pow2, beta1, beta2 float32) (int64, error) {
	if pow1 >= smallPower {
		return steps(pow1, beta1)
	}
	return steps(pow2, beta2)
}

// Power returns what Paddle stores of a beta after so many steps, from which CountSteps counts them: beta to the power steps+1,
// multiplied up in float32.
func Power(beta float32, steps int64) float32 {
	p := beta
	for i := int64(0); i < steps && p*beta != p; i++ { // the smallest number times 0.9 is itself
		p *= beta
	}
	return p
}

// steps returns the t for which v is beta^(t+1), or the first t for which that is below smallPower if v is.
func steps(v, beta float32) (int64, error) {
	if !(beta > 0 && beta < 1) {
		return 0, fmt.Errorf("beta is %g, not between 0 and 1", beta)
	}
	if !(v >= 0 && v <= beta*(1+1e-6)) {
		return 0, fmt.Errorf("%g is not a power of %g", v, beta)
	}
	p, t := beta, int64(0)
	for p > v && p >= smallPower {
		p *= beta
		if t++; t > maxSteps {
			return 0, fmt.Errorf("beta is %g, too close to 1 to count steps", beta)
		}
	}
	if v < smallPower {
		return t, nil
	}
	// p is the first power not above v; rounding may have put v just above the power that is meant.
	if before := float64(p) / float64(beta); math.Abs(before-float64(v)) < math.Abs(float64(p)-float64(v)) {
		p, t = float32(before), t-1
	}
	if math.Abs(float64(p)/float64(v)-1) > 0.25*(1-float64(beta)) {
		return 0, errors.New("not a power of beta: the optimiser had other betas")
	}
	return t, nil
}
