package strictjson

// Bytes that Parse allocates, with the size classes of the allocator.
const (
	arrayBytes   = 48  // slice header, and its entry in the prescan
	elementBytes = 20  // an interface value, rounded up to size classes
	objectBytes  = 72  // map header, and its entry in the prescan
	groupBytes   = 288 // the first eight members of a map
	groupMembers = 8
	memberBytes  = 80 // a further member of a map, with free slots
	boxBytes     = 32 // a string or number in an interface value
	shortNumber  = 32 // greatest length of a number that is checked without allocations
)

// Weigh returns an upper bound of the bytes that [Parse] allocates for data with the same maxNesting. It takes a
// fraction of the time of Parse and allocates only a stack of at most maxNesting entries, so a caller can reject a
// short text of many small values before it parses it. Weigh stops beyond limit; then its result is only known to
// exceed limit.
func Weigh(data []byte, maxNesting int, limit int64) int64 {
	s := prescan{data: data, limit: limit}
	s.run(nestingLimit(maxNesting))
	return s.weight
}

// prescan is a first pass over a text that looks only at its structure. It counts the members of arrays and objects, and
// bounds the memory of Parse. For a text that is not JSON the counts mean nothing, but the bound still covers them.
type prescan struct {
	data   []byte
	pos    int
	limit  int64
	weight int64

	keepMembers bool     // whether to fill members
	members     []uint32 // number of members of each array and object, in the order of the opening brackets
	stack       []container
}

// container is an open array or object: the prescan has not reached its closing bracket.
type container struct {
	object  bool
	members int
	at      int // index in prescan.members
}

func (s *prescan) run(maxNesting int) {
	s.stack = make([]container, 0, min(maxNesting, DefaultNesting))
	for s.pos < len(s.data) && s.weight <= s.limit {
		switch c := s.data[s.pos]; c {
		case '{', '[':
			if len(s.stack) == maxNesting { // Parse fails here
				return
			}
			s.open(c == '{')
		case '}', ']':
			s.close()
		case ',':
			s.comma()
		case '"':
			s.scanString()
		case ' ', '\t', '\n', '\r', ':':
			s.pos++
		default:
			s.scanLiteral()
		}
	}
	for len(s.stack) > 0 { // containers that the text does not close
		s.close()
	}
}

func (s *prescan) open(object bool) {
	s.firstMember()
	o := container{object: object, at: len(s.members)}
	if s.keepMembers {
		s.members = append(s.members, 0)
	}
	s.stack = append(s.stack, o)
	if s.weight += arrayBytes; object {
		s.weight += objectBytes - arrayBytes
	}
	s.pos++
}

func (s *prescan) close() {
	s.pos++
	if len(s.stack) == 0 {
		return
	}
	o := s.stack[len(s.stack)-1]
	s.stack = s.stack[:len(s.stack)-1]
	if s.keepMembers {
		s.members[o.at] = uint32(o.members) //nolint:gosec // a wrong hint is harmless
	}
}

// firstMember counts the first member of the innermost container. Commas count the others.
func (s *prescan) firstMember() {
	if n := len(s.stack); n > 0 && s.stack[n-1].members == 0 {
		s.addMember(&s.stack[n-1])
	}
}

func (s *prescan) comma() {
	s.pos++
	if n := len(s.stack); n > 0 {
		s.addMember(&s.stack[n-1])
	}
}

// addMember counts a member of a container.
func (s *prescan) addMember(o *container) {
	o.members++
	switch {
	case !o.object:
		s.weight += elementBytes
	case o.members == 1:
		s.weight += groupBytes
	case o.members == groupMembers+1:
		s.weight += (groupMembers + 1) * memberBytes
	case o.members > groupMembers:
		s.weight += memberBytes
	}
}

func (s *prescan) scanString() {
	s.firstMember()
	end, escapes := endOfString(s.data, s.pos+1)
	n := int64(end - s.pos)
	if s.weight += boxBytes + n + n/4; escapes {
		s.weight += 2 * n
	}
	s.pos = end
}

// endOfString returns the position after the closing quote of the string with content from pos on, and whether the
// string has escapes.
func endOfString(data []byte, pos int) (end int, escapes bool) {
	for pos < len(data) {
		switch data[pos] {
		case '"':
			return pos + 1, escapes
		case '\\':
			escapes = true
			pos++
		}
		pos++
	}
	return len(data), escapes
}

// scanLiteral skips a number, true, false or null.
func (s *prescan) scanLiteral() {
	s.firstMember()
	start, exponent := s.pos, false
	for ; s.pos < len(s.data); s.pos++ {
		switch s.data[s.pos] {
		case '{', '[', '}', ']', ',', '"', ' ', '\t', '\n', '\r', ':':
			s.addLiteral(start, exponent)
			return
		case 'e', 'E':
			exponent = true
		}
	}
	s.addLiteral(start, exponent)
}

// addLiteral adds the memory of the literal between start and the current position.
func (s *prescan) addLiteral(start int, exponent bool) {
	switch n := int64(s.pos - start); {
	case s.data[start] > '9': // true, false or null, without memory
	case exponent || n > shortNumber:
		s.weight += 2*boxBytes + 5*n
	default:
		s.weight += boxBytes + n
	}
}
