package pickle

// maxDepth is how deep values may lie in one another, as in Python's own pickler.
const maxDepth = 1000

// mark is what finish knows about a container: 0 nothing, -1 that it stands inside it, else the depth of what it holds.
type mark struct{ depth int32 }

// finish makes v, which lies depth deep, ready for the caller: long strings are fetched, and what is only of use inside the
// machine is refused, as are containers that hold themselves. It returns how deep v is.
func (m *machine) finish(v any, depth int) (any, int, error) {
	if depth > maxDepth {
		return nil, 0, tooDeep()
	}
	switch v := v.(type) {
	case *lazy:
		loaded, err := m.load(v)
		return loaded, 0, err
	case *List:
		n, err := m.finishAll(&v.mark, depth, len(v.Items), func(i int) *any { return &v.Items[i] })
		return v, n, err
	case *Tuple:
		n, err := m.finishAll(&v.mark, depth, len(v.Items), func(i int) *any { return &v.Items[i] })
		return v, n, err
	case *Dict:
		n, err := m.finishAll(&v.mark, depth, len(v.Entries), func(i int) *any { return &v.Entries[i].Value })
		return v, n, err
	case *NDArray:
		if !v.built {
			return nil, 0, damaged("an array that was never filled")
		}
	case *global, *dtype:
		return nil, 0, unsupported("%s where data should stand", Describe(v))
	}
	return v, 0, nil
}

func (m *machine) finishAll(mark *mark, depth, n int, item func(i int) *any) (int, error) {
	if mark.depth < 0 {
		return 0, unsupported("a container that holds itself")
	}
	if mark.depth == 0 {
		mark.depth = -1
		deepest := 0
		for i := range n {
			p := item(i)
			v, d, err := m.finish(*p, depth+1)
			if err != nil {
				return 0, err
			}
			*p = v
			deepest = max(deepest, d)
		}
		mark.depth = int32(deepest + 1)
	}
	if depth+int(mark.depth) > maxDepth {
		return 0, tooDeep()
	}
	return int(mark.depth), nil
}

func tooDeep() error { return unsupported("values more than %d deep in one another", maxDepth) }

// load fetches a long string or bytes.
func (m *machine) load(l *lazy) (any, error) {
	if l.value != nil {
		return l.value, nil
	}
	if err := m.charge(2*l.data.n + 48); err != nil {
		return nil, err
	}
	b := make([]byte, l.data.n)
	if got, err := l.data.r.ReadAt(b, l.data.off); int64(got) < l.data.n {
		return nil, readError(err)
	}
	if l.data.latin {
		used, made, ok := decodeLatin(b, b)
		if !ok || used < len(b) {
			return nil, notLatin()
		}
		b = b[:made]
	}
	v, err := valueOf(l.what, b)
	l.value = v
	return v, err
}
