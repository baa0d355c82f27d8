package file

// labels are the names that an object of the journal may have, in their order.
type labels struct {
	inOrder []string // as JSON has them, colon included
	indexes map[string]int
}

func (l *labels) add(name string) {
	label := labelOf(name)
	if l.indexes == nil {
		l.indexes = make(map[string]int)
	}
	l.indexes[label] = len(l.inOrder)
	l.inOrder = append(l.inOrder, label)
}

// index returns where the name is, or -1.
func (l *labels) index(name string) int {
	if i, ok := l.indexes[labelOf(name)]; ok {
		return i
	}
	return -1
}

// linearTries is how many labels are tried one after the other, which is faster than to look
// one up when few are left out.
const linearTries = 8

// read reads a label that stands at or behind a place, and returns where; -1 if none
// comes next.
func (l *labels) read(r *jsonReader, from int) int {
	for i := from; i < min(from+linearTries, len(l.inOrder)); i++ {
		if r.literal(l.inOrder[i]) {
			return i
		}
	}
	begin := r.pos
	if _, err := r.quoted(); err == nil && r.literal(":") {
		if i, ok := l.indexes[string(r.text[begin:r.pos])]; ok && i >= from {
			return i
		}
	}
	r.pos = begin
	return -1
}
