package paddle

import (
	"cmp"
	"fmt"
	"io"

	"avcu/io/pickle"
)

// Keys of a pickled dict that hold no tensor.
const (
	structuredNames = "StructuredToParameterName@@" // dict from the names of a layer to those inside Paddle
	splitArrays     = "UnpackBigParamInfor@@"       // dict from the names of arrays to their shapes and parts
)

// pickled reads the tensors of a pickle.
func (w *Weights) pickled(r io.ReaderAt, size int64, name string) ([]tensor, error) {
	v, err := pickle.DecodeWithin(&w.budget, r, size, name)
	if err != nil {
		return nil, err
	}
	d, ok := v.(*pickle.Dict)
	if !ok {
		return nil, fmt.Errorf("the pickle holds %s where a dict from names to arrays is wanted: give a .pdparams or .pdopt file", pickle.Describe(v))
	}
	c := collector{weights: w, seen: map[*pickle.Dict]bool{}}
	if err := c.dict(d); err != nil {
		return nil, err
	}
	return c.tensors, nil
}

// collector gathers the tensors of a dict and of the dicts in it.
type collector struct {
	weights *Weights
	seen    map[*pickle.Dict]bool
	tensors []tensor
}

func (c *collector) dict(d *pickle.Dict) error {
	if c.seen[d] {
		return nil
	}
	c.seen[d] = true
	parts, err := c.split(d)
	if err != nil {
		return err
	}
	for _, e := range d.Entries {
		name, ok := pickle.Text(e.Key)
		if !ok || parts[name] {
			continue
		}
		switch v := e.Value.(type) {
		case *pickle.NDArray:
			if err := c.add(name, v); err != nil {
				return err
			}
		case *pickle.Tuple: // a tensor in a nested object: (its name inside Paddle, array)
			if len(v.Items) == 2 {
				inside, isText := pickle.Text(v.Items[0])
				if a, ok := v.Items[1].(*pickle.NDArray); ok && isText {
					if err := cmp.Or(c.add(name, a), c.name(name, inside)); err != nil {
						return err
					}
				}
			}
		case *pickle.Dict:
			switch name {
			case structuredNames:
				for _, n := range v.Entries {
					tensor, ok1 := pickle.Text(n.Key)
					inside, ok2 := pickle.Text(n.Value)
					if ok1 && ok2 {
						if err := c.name(tensor, inside); err != nil {
							return err
						}
					}
				}
			case splitArrays:
			default:
				if err := c.dict(v); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// name notes what a tensor is called inside Paddle, if that is another name.
func (c *collector) name(tensor, inside string) error {
	if tensor == inside {
		return nil
	}
	c.weights.names[tensor] = inside
	return c.weights.charge(nameCost)
}

func (c *collector) add(name string, a *pickle.NDArray) error {
	c.tensors = append(withRoom(c.tensors), tensor{Info: Info{name, DType(a.DType), a.Shape}, data: a})
	return c.weights.charge(tensorCost)
}

// split adds the arrays that were stored in parts, and returns the names of the parts.
func (c *collector) split(d *pickle.Dict) (map[string]bool, error) {
	v, ok := d.Get(splitArrays)
	if !ok {
		return nil, nil
	}
	all, ok := v.(*pickle.Dict)
	if !ok {
		return nil, fmt.Errorf("key %q holds %s where a dict is wanted: save the file again", splitArrays, pickle.Describe(v))
	}
	parts := map[string]bool{}
	for _, e := range all.Entries {
		name, _ := pickle.Text(e.Key)
		t, err := c.joined(d, e.Value, parts)
		if err != nil {
			return nil, fmt.Errorf("tensor %q, which is stored in parts: %w: save the file again", name, err)
		}
		t.Name = name
		c.tensors = append(withRoom(c.tensors), t)
	}
	return parts, nil
}

// joined is the tensor that the parts make which about, {OriginShape, slices}, lists. No part may belong to two.
func (c *collector) joined(d *pickle.Dict, about any, parts map[string]bool) (tensor, error) {
	var t tensor
	if err := c.weights.charge(tensorCost); err != nil {
		return t, err
	}
	a, ok := about.(*pickle.Dict)
	if !ok {
		return t, fmt.Errorf("its description is %s", pickle.Describe(about))
	}
	shape, _ := a.Get("OriginShape")
	sizes, ok1 := pickle.Items(shape)
	slices, _ := a.Get("slices")
	list, ok2 := pickle.Items(slices)
	if !ok1 || !ok2 || len(list) == 0 || len(sizes) > maxDims {
		return t, fmt.Errorf("its description has no OriginShape and slices")
	}
	for _, s := range sizes {
		n, ok := s.(int64)
		if !ok {
			return t, fmt.Errorf("its OriginShape holds %s", pickle.Describe(s))
		}
		t.Shape = append(t.Shape, int(n))
	}
	var pieces pieces
	have := 0
	for _, s := range list {
		name, _ := pickle.Text(s)
		v, _ := d.Get(name)
		array, ok := v.(*pickle.NDArray)
		if !ok || parts[name] {
			return t, fmt.Errorf("part %q is missing, or belongs to another too", name)
		}
		parts[name] = true
		if err := c.weights.charge(nameCost); err != nil {
			return t, err
		}
		if len(pieces) > 0 && array.DType != pieces[0].DType {
			return t, fmt.Errorf("part %q is %s, the first is %s", name, array.DType, pieces[0].DType)
		}
		pieces = append(pieces, array)
		have += array.Len()
	}
	t.DType, t.data = DType(pieces[0].DType), pieces
	if bytes, err := byteSize(t.Info); err != nil {
		return t, err
	} else if bytes != int64(have)*int64(t.DType.Size()) {
		return t, fmt.Errorf("its parts hold %d elements, its shape is %v", have, t.Shape)
	}
	return t, nil
}

// pieces are arrays that follow one another.
type pieces []*pickle.NDArray

// Reader returns the elements of all pieces, in memory.
func (p pieces) Reader() (*io.SectionReader, error) {
	total := 0
	for _, a := range p {
		total += a.Len() * a.DType.Size()
	}
	b := make([]byte, total)
	rest := b
	for _, a := range p {
		n := a.Len() * a.DType.Size()
		if err := a.Read(rest[:n]); err != nil {
			return nil, err
		}
		rest = rest[n:]
	}
	return inMemory(b), nil
}
