package core

// KeySource says where the keys of a resource come from. The zero value stands for a
// backend that generates them and for bounds of 2^52.
type KeySource struct {
	// Assigned: nothing generates a key, so an Insert has to name it.
	Assigned bool
	// Low and High are the least and the greatest Int key that a client may choose,
	// so that the generator has as many left; both 0 stand for -2^52 and 2^52, half
	// of the numbers on which readers of JSON agree (RFC 8259, section 6). They do
	// not concern records that are there, keys of another type and assigned keys.
	Low, High int64
}

// DefaultKeySource is the source of keys of a backend that generates keys of type
// [Int] and [UUID]: those of type [Text] are assigned, and so are those that the model
// declares to be.
func DefaultKeySource(r *Resource) KeySource {
	return KeySource{Assigned: r.key.typ == Text || r.key.Assigned()}
}

// maxChosen is the default of [KeySource] High.
const maxChosen = 1 << 52

// KeySource says where the keys of the resource come from: what the backend says, or
// assigned if the model declares so.
func (s *Store) KeySource(r *Resource) KeySource {
	source := s.backend.KeySource(r)
	source.Assigned = source.Assigned || r.key.Assigned()
	if source.Low == 0 && source.High == 0 {
		source.Low, source.High = -maxChosen, maxChosen
	}
	return source
}

// NoNextKey is the error of a backend for an Insert without a key, and for NextIDs, on a
// resource whose keys nothing generates. Its code is [BadRequest].
func (r *Resource) NoNextKey() error {
	return &Error{Code: BadRequest, Message: "nothing generates keys of " + r.apiName + "; name the field " + r.key.apiName}
}
