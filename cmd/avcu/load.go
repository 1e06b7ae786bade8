package main

import (
	"fmt"
	"slices"
	"strings"

	"avcu/engine"
	"avcu/io/paddle"
	"avcu/model"
)

// moments reports that there is what Adam keeps of a parameter.
func (w *weights) moments() bool {
	return slices.ContainsFunc(w.list, func(t tensorInfo) bool { return strings.HasPrefix(t.Name, firstMoment) })
}

// learningRate is the learning rate that Paddle stored with the optimiser's state, if it did.
func (w *weights) learningRate() (rate float32, ok bool) {
	for _, t := range w.list {
		if _, kind := paddle.Split(t.Name); kind == paddle.LearningRate && t.elements() == 1 {
			var value [1]float32
			p := w.place[t.Name]
			err := p.file.ReadFloat32(p.stored, value[:])
			return value[0], err == nil
		}
	}
	return 0, false
}

// parameter reports that a tensor is no state of an optimiser.
func (w *weights) parameter(t tensorInfo) bool {
	_, kind := paddle.Split(t.Name)
	return kind == paddle.Parameter && strings.Contains(t.Type, "float") && !strings.HasPrefix(t.Name, firstMoment) && !strings.HasPrefix(t.Name, secondMoment)
}

// read puts a tensor into memory of the device. Its values must be finite.
func (w *weights) read(d engine.Device, name string, to engine.Tensor) error {
	p := w.place[name]
	data := make([]float32, to.Len())
	if err := p.file.ReadFloat32(p.stored, data); err != nil {
		return err
	}
	for i, x := range data {
		if x-x != 0 {
			return fmt.Errorf("weights: %s: %s is %v at element %d: the training that made it had diverged, or the file is damaged; use other weights", w.path, name, x, i)
		}
	}
	return engine.Write(d, to, data)
}

// load reads all parameters, and with moments what Adam keeps of them. What does not fit is listed.
func (w *weights) load(d engine.Device, params *model.Params, moments bool) error {
	type target struct {
		name string
		to   engine.Tensor
	}
	var all []target
	var wrong []string
	need := func(name string, shape []int, to engine.Tensor) {
		all = append(all, target{name, to})
		wrong = append(wrong, w.misfit(name, shape)...)
	}
	for _, q := range params.List {
		need(q.Name, q.Shape, q.Value)
		if moments {
			need(firstMoment+q.Name, q.Shape, q.M)
			need(secondMoment+q.Name, q.Shape, q.V)
		}
	}
	if err := w.fits(wrong); err != nil {
		return err
	}
	for _, t := range all {
		if err := w.read(d, t.name, t.to); err != nil {
			return err
		}
	}
	return nil
}

// misfit says what is wrong with the tensor that should have this name and shape; nothing if it is there.
func (w *weights) misfit(name string, shape []int) []string {
	p, ok := w.place[name]
	switch {
	case !ok:
		return []string{fmt.Sprintf("expected %s %v, which is missing", name, shape)}
	case !sameShape(p.Shape, shape):
		return []string{fmt.Sprintf("expected %s %v, found %v", name, shape, p.Shape)}
	}
	return nil
}

// fits makes an error of what does not fit, together with what was found.
func (w *weights) fits(wrong []string) error {
	if len(wrong) == 0 {
		return nil
	}
	var found []string
	for _, t := range w.list {
		if w.parameter(t) {
			found = append(found, fmt.Sprintf("%s %v", t.Name, t.Shape))
		}
	}
	if len(found) == 0 {
		return fmt.Errorf("weights: %s holds no parameters, only an optimiser's state at most: give the .pdparams file beside it", w.path)
	}
	return fmt.Errorf("weights: %s does not fit the configured model: %s. The file has %s. Give the --config that it was trained with, or train from what fits with --init-from", w.path, brief(wrong), brief(found))
}

// loadFitting reads what parameters there are in the right shape, and returns what it has not.
func (w *weights) loadFitting(d engine.Device, params *model.Params) (left []string, err error) {
	for _, q := range params.List {
		p, ok := w.place[q.Name]
		switch {
		case !ok:
			left = append(left, q.Name+" (not in the file)")
		case !sameShape(p.Shape, q.Shape):
			left = append(left, fmt.Sprintf("%s (%v there, %v here)", q.Name, p.Shape, q.Shape))
		default:
			if err := w.read(d, q.Name, q.Value); err != nil {
				return nil, err
			}
		}
	}
	return left, nil
}

// sameShape compares shapes up to ones at their ends: releases differ in how many a 1×1 convolution has.
func sameShape(a, b []int) bool {
	trim := func(s []int) []int {
		for len(s) > 0 && s[len(s)-1] == 1 {
			s = s[:len(s)-1]
		}
		return s
	}
	return slices.Equal(trim(a), trim(b))
}

// brief joins what a person wants to read of a list.
func brief(list []string) string {
	const most = 20
	if len(list) > most {
		list = append(list[:most:most], fmt.Sprintf("and %d more", len(list)-most))
	}
	return strings.Join(list, ", ")
}
