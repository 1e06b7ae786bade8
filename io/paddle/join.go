package paddle

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// join makes the tensors of all parts those of w, with their names.
func (w *Weights) join(parts []part, names []string) error {
	lod, total := 0, 0
	for _, p := range parts {
		total += len(p.tensors)
		if p.lod {
			lod++
		}
	}
	if len(parts) > 1 {
		w.tensors = make([]tensor, 0, total)
	}
	for _, p := range parts {
		switch {
		case !p.lod:
		case p.name != "" && len(p.tensors) == 1: // a file named after its variable
			p.tensors[0].Name = p.name
		case lod > 1:
			return fmt.Errorf("%s: byte %d: a second tensor in a file that is named after one: give the file alone if it is a combined one, else fetch it again", p.name, p.tensors[1].at)
		default:
			if err := w.nameCombined(p.tensors, names); err != nil {
				return err
			}
		}
		if len(parts) == 1 {
			w.tensors = p.tensors
		} else {
			w.tensors = append(w.tensors, p.tensors...)
		}
	}
	return nil
}

// nameCombined gives names to the tensors of a file without them, in their order.
func (w *Weights) nameCombined(tensors []tensor, names []string) error {
	if w.nameless = len(names) == 0; w.nameless {
		for i := range tensors {
			tensors[i].Name = "#" + strconv.Itoa(i)
		}
		return nil
	}
	var problem error
	for _, list := range layouts(names) {
		if len(list) != len(tensors) {
			continue
		}
		err := misfit(tensors, list)
		if err == nil {
			for i := range tensors {
				tensors[i].Name = list[i].Name
			}
			return nil
		}
		problem = err
	}
	if problem == nil {
		n := len(names)
		more := ""
		if len(tensors) > n {
			more = fmt.Sprintf("; the first that is too many begins at byte %d", tensors[n].at)
		}
		problem = fmt.Errorf("it holds %d tensors without names, the model has %d, or %d with Adam's state%s: give weights of this model, or its configuration", len(tensors), n, 5*n+1, more)
	}
	return problem
}

// layouts are the lists of tensors that a combined file may hold, in its order: the parameters, or these with Adam's state
// and with a counter of steps that a schedule keeps, a learning rate, or neither. Shapes are given where they are always the
// same: those of the model's tensors are for its loader to compare, which lists all that do not fit or takes those that do.
func layouts(names []string) [][]Info {
	byName := func(list []Info, more ...Info) []Info {
		return slices.SortedFunc(slices.Values(append(slices.Clone(list), more...)), func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	}
	one := []int{1}
	var parameters, all []Info
	for _, p := range names {
		parameters = append(parameters, Info{Name: p})
		all = append(all, Info{Name: p}, Info{Name: Join(p, Moment1)}, Info{Name: Join(p, Moment2)},
			Info{Join(p, Beta1Pow), "", one}, Info{Join(p, Beta2Pow), "", one})
	}
	return [][]Info{byName(parameters), byName(all, Info{Join("", Counter), Int64, one}), byName(all), byName(all, Info{Name: Join("", LearningRate)})}
}

// misfit says which tensor is not as expected, if any.
func misfit(tensors []tensor, list []Info) error {
	for i, t := range tensors {
		want := list[i]
		if want.Shape != nil && !slices.Equal(want.Shape, t.Shape) || want.DType != "" && want.DType != t.DType {
			return fmt.Errorf("tensor %d at byte %d is %s of shape %v, where %s of shape %v is expected: give weights of this model, or its configuration", i, t.at, t.DType, t.Shape, want.Name, want.Shape)
		}
	}
	return nil
}
