package pickle

// sizes of what containers are made of, in bytes.
const (
	listSize  = 48
	dictSize  = 64
	entrySize = 2 * slot
)

func (m *machine) emptyList(byte) error {
	if err := m.charge(listSize); err != nil {
		return err
	}
	return m.push(&List{})
}

func (m *machine) emptyDict(byte) error {
	if err := m.charge(dictSize); err != nil {
		return err
	}
	return m.push(&Dict{})
}

func (m *machine) markedList(byte) error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	l := &List{}
	if err := m.extend(l, items); err != nil {
		return err
	}
	return m.push(l)
}

func (m *machine) markedDict(byte) error {
	items, err := m.popMark()
	if err == nil {
		err = m.charge(dictSize)
	}
	if err != nil {
		return err
	}
	d := &Dict{}
	if err := m.set(d, items); err != nil {
		return err
	}
	return m.push(d)
}

// tuple makes a tuple of none, one, two, three or all values up to the mark.
func (m *machine) tuple(op byte) error {
	var items []any
	var err error
	if op == 't' {
		items, err = m.popMark()
	} else if op != ')' {
		n := int(op) - 0x84
		for range n {
			if _, err = m.pop(); err != nil {
				return err
			}
		}
		items = m.stack[len(m.stack) : len(m.stack)+n]
	}
	if err == nil {
		err = m.charge(listSize + slot*int64(len(items)))
	}
	if err != nil {
		return err
	}
	return m.push(&Tuple{Items: append([]any(nil), items...)})
}

// extend appends items to l. Room grows by half, or to what is wanted.
func (m *machine) extend(l *List, items []any) error {
	if n := len(l.Items) + len(items); n > cap(l.Items) {
		n = max(n, cap(l.Items)*3/2+2)
		if len(l.Items) == 0 && len(items) > 1 {
			n = len(items)
		}
		if err := m.charge(slot * int64(n)); err != nil {
			return err
		}
		l.Items = append(make([]any, 0, n), l.Items...)
	}
	l.Items = append(l.Items, items...)
	return nil
}

// set sets the keys and values that stand in items by turns.
func (m *machine) set(d *Dict, items []any) error {
	if len(items)%2 != 0 {
		return damaged("a dict with a key that has no value")
	}
	if n := len(d.Entries) + len(items)/2; n > cap(d.Entries) {
		if len(d.Entries) > 0 {
			n = max(n, cap(d.Entries)*3/2+2)
		}
		if err := m.charge(entrySize * int64(n)); err != nil {
			return err
		}
		d.Entries = append(make([]Entry, 0, n), d.Entries...)
	}
	for ; len(items) > 0; items = items[2:] {
		if err := m.setOne(d, items[0], items[1]); err != nil {
			return err
		}
	}
	return nil
}

// setOne sets one key, which may be there already; there is room for it.
func (m *machine) setOne(d *Dict, key, value any) error {
	if l, ok := key.(*lazy); ok {
		v, err := m.load(l)
		if err != nil {
			return err
		}
		key = v
	}
	k, ok := canonical(key)
	if !ok {
		return unsupported("%s as the key of a dict", Describe(key))
	}
	if i := d.find(k); i >= 0 {
		d.Entries[i].Value = value
		return nil
	}
	d.Entries = append(d.Entries, Entry{key, value})
	n := len(d.Entries)
	if n <= fewEntries {
		return nil
	}
	if d.index == nil {
		if err := m.charge(mapCost * int64(n)); err != nil {
			return err
		}
		d.index = make(map[any]int, n)
		for i, e := range d.Entries {
			k, _ := canonical(e.Key)
			d.index[k] = i
		}
		return nil
	}
	if err := m.charge(mapCost); err != nil {
		return err
	}
	d.index[k] = n - 1
	return nil
}

func (m *machine) append(byte) error {
	if _, err := m.pop(); err != nil {
		return err
	}
	return m.appendTo(m.stack[len(m.stack) : len(m.stack)+1])
}

func (m *machine) appends(byte) error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	return m.appendTo(items)
}

// appendTo appends items to the list on top of the stack.
func (m *machine) appendTo(items []any) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	l, ok := v.(*List)
	if !ok {
		return damaged("values are appended to %s", Describe(v))
	}
	return m.extend(l, items)
}

func (m *machine) setItem(byte) error {
	for range 2 {
		if _, err := m.pop(); err != nil {
			return err
		}
	}
	return m.setIn(m.stack[len(m.stack) : len(m.stack)+2])
}

func (m *machine) setItems(byte) error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	return m.setIn(items)
}

// setIn sets keys and values in the dict on top of the stack.
func (m *machine) setIn(items []any) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	d, ok := v.(*Dict)
	if !ok {
		return damaged("keys are set in %s", Describe(v))
	}
	return m.set(d, items)
}
