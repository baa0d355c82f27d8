package strictjson

// Memory that Parse allocates, in bytes, size classes of the allocator included.
const (
	arrayWeight   = 48  // header of the slice, and the place in the survey
	elementWeight = 20  // an interface
	objectWeight  = 72  // header of the map, and the place in the survey
	groupWeight   = 288 // the first eight members of a map
	groupMembers  = 8
	memberWeight  = 80 // a member of a larger map, free slots included
	boxWeight     = 32 // of a string or number in an interface
	boundedNumber = 32 // bytes of a number that is checked without allocations
)

// Weigh returns an upper bound of the bytes that [Parse] allocates for data. It takes a
// fraction of the time of Parse and allocates next to nothing, so a caller can refuse a
// short text of many small values. Beyond limit it stops, and the result is only known to
// exceed limit.
func Weigh(data []byte, maxNesting int, limit int64) int64 {
	s := survey{data: data, limit: limit}
	s.run(nestingOr(maxNesting))
	return s.weight
}

// survey is a first pass over a text that looks at its structure alone. What it finds in
// a text that is not JSON means nothing, but that the weight bounds the hints.
type survey struct {
	data   []byte
	pos    int
	limit  int64
	weight int64

	keep    bool     // the members
	members []uint32 // of each array and object, in the order of their openings
	open    []opened
}

// opened is an array or object that has not ended.
type opened struct {
	object  bool
	members int
	at      int // in survey.members
}

func (s *survey) run(maxNesting int) {
	s.open = make([]opened, 0, min(maxNesting, DefaultNesting))
	for s.pos < len(s.data) && s.weight <= s.limit {
		switch c := s.data[s.pos]; c {
		case '{', '[':
			if len(s.open) == maxNesting { // Parse goes no further either
				return
			}
			s.begin(c == '{')
		case '}', ']':
			s.end()
		case ',':
			s.comma()
		case '"':
			s.string()
		case ' ', '\t', '\n', '\r', ':':
			s.pos++
		default:
			s.literal()
		}
	}
	for len(s.open) > 0 { // of a text that ends early
		s.end()
	}
}

func (s *survey) begin(object bool) {
	s.member()
	o := opened{object: object, at: len(s.members)}
	if s.keep {
		s.members = append(s.members, 0)
	}
	s.open = append(s.open, o)
	if s.weight += arrayWeight; object {
		s.weight += objectWeight - arrayWeight
	}
	s.pos++
}

func (s *survey) end() {
	s.pos++
	if len(s.open) == 0 {
		return
	}
	o := s.open[len(s.open)-1]
	s.open = s.open[:len(s.open)-1]
	if s.keep {
		s.members[o.at] = uint32(o.members) //nolint:gosec // a hint
	}
}

// member notes that the innermost array or object is not empty.
func (s *survey) member() {
	if n := len(s.open); n > 0 && s.open[n-1].members == 0 {
		s.add(&s.open[n-1])
	}
}

func (s *survey) comma() {
	s.pos++
	if n := len(s.open); n > 0 {
		s.add(&s.open[n-1])
	}
}

func (s *survey) add(o *opened) {
	o.members++
	switch {
	case !o.object:
		s.weight += elementWeight
	case o.members == 1:
		s.weight += groupWeight
	case o.members == groupMembers+1:
		s.weight += (groupMembers + 1) * memberWeight
	case o.members > groupMembers:
		s.weight += memberWeight
	}
}

func (s *survey) string() {
	s.member()
	end, escapes := endOfString(s.data, s.pos+1)
	n := int64(end - s.pos)
	if s.weight += boxWeight + n + n/4; escapes {
		s.weight += 2 * n
	}
	s.pos = end
}

// endOfString returns the position behind the closing quote of a string whose content
// begins at pos, and whether the string has escapes.
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

// literal steps over a number, true, false or null.
func (s *survey) literal() {
	s.member()
	start, exponent := s.pos, false
	for ; s.pos < len(s.data); s.pos++ {
		switch s.data[s.pos] {
		case '{', '[', '}', ']', ',', '"', ' ', '\t', '\n', '\r', ':':
			s.weigh(start, exponent)
			return
		case 'e', 'E':
			exponent = true
		}
	}
	s.weigh(start, exponent)
}

func (s *survey) weigh(start int, exponent bool) {
	switch n := int64(s.pos - start); {
	case s.data[start] > '9': // a literal
	case exponent || n > boundedNumber:
		s.weight += 2*boxWeight + 5*n
	default:
		s.weight += boxWeight + n
	}
}
