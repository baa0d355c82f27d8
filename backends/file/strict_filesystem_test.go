package file

import (
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
)

// strictFilesystem keeps the current content of files and the content on disk separately, in memory. A crash keeps the
// synced content, and any part of the rest: each sector of a write by itself, each size, each name.
type strictFilesystem struct {
	mu    sync.Mutex
	names map[string]*inode
	disk  map[string]*inode
	later map[string][]*inode // changes of names since the last sync of the directory; nil for no file

	watch func(call string) error

	appended, compacted int64 // bytes written to files at their path, and to replacements
}

const sector = 512

// inode is a file.
type inode struct {
	data    []byte
	disk    []byte
	pending []change // of data since the last sync
	locked  bool
}

// change is a part of a write that reaches the disk completely or not at all, or a new size.
type change struct {
	offset   int64
	data     []byte
	truncate bool
}

func newStrictFilesystem() *strictFilesystem {
	return &strictFilesystem{
		names: make(map[string]*inode), disk: make(map[string]*inode), later: make(map[string][]*inode),
		watch: func(string) error { return nil },
	}
}

// onChange sets a function that is called before each change of a file or a name. Its error fails the change, which is
// then applied partially.
func (s *strictFilesystem) onChange(watch func(call string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watch = watch
}

func (s *strictFilesystem) before(call string) error {
	s.mu.Lock()
	watch := s.watch
	s.mu.Unlock()
	return watch(call)
}

// crash returns a possible state after a crash. choose is called with a number of outcomes and returns one: 0 means that
// nothing reached the disk, and the last one that everything did.
func (s *strictFilesystem) crash(choose func(n int) int) *strictFilesystem {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := newStrictFilesystem()
	inodes := make(map[*inode]*inode)
	for _, name := range slices.Sorted(maps.Keys(s.everyName())) {
		possible := append([]*inode{s.disk[name]}, s.later[name]...)
		node := possible[choose(len(possible))]
		if node == nil {
			continue
		}
		if inodes[node] == nil {
			inodes[node] = node.crash(choose)
		}
		left.names[name], left.disk[name] = inodes[node], inodes[node]
	}
	return left
}

// kill returns the state after the end of the process: visible, but not on disk yet.
func (s *strictFilesystem) kill() *strictFilesystem {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := newStrictFilesystem()
	inodes := map[*inode]*inode{nil: nil}
	of := func(n *inode) *inode {
		if _, known := inodes[n]; !known {
			inodes[n] = &inode{data: slices.Clone(n.data), disk: slices.Clone(n.disk), pending: slices.Clone(n.pending)}
		}
		return inodes[n]
	}
	for name, node := range s.names {
		left.names[name] = of(node)
	}
	for name, node := range s.disk {
		left.disk[name] = of(node)
	}
	for name, nodes := range s.later {
		for _, node := range nodes {
			left.later[name] = append(left.later[name], of(node))
		}
	}
	return left
}

// size returns the bytes of the file at the path.
func (s *strictFilesystem) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if node := s.names[path]; node != nil {
		return len(node.data)
	}
	return 0
}

func (s *strictFilesystem) everyName() map[string]bool {
	all := make(map[string]bool)
	for name := range s.disk {
		all[name] = true
	}
	for name := range s.later {
		all[name] = true
	}
	return all
}

func (n *inode) crash(choose func(n int) int) *inode {
	disk := slices.Clone(n.disk)
	for _, c := range n.pending {
		if choose(2) == 1 {
			disk = c.apply(disk)
		}
	}
	if len(disk) < len(n.data) && choose(2) == 1 { // the size reached the disk, but not the data
		disk = grown(disk, len(n.data))
	}
	return &inode{data: slices.Clone(disk), disk: disk}
}

func (c change) apply(data []byte) []byte {
	if c.truncate {
		return grown(data[:min(int64(len(data)), c.offset)], int(c.offset))
	}
	data = grown(data, int(c.offset)+len(c.data))
	copy(data[c.offset:], c.data)
	return data
}

func grown(data []byte, size int) []byte {
	if len(data) >= size {
		return data
	}
	return append(data, make([]byte, size-len(data))...)
}

func (s *strictFilesystem) Open(path string, flag int, _ fs.FileMode) (handle, error) {
	s.mu.Lock()
	node := s.names[path]
	s.mu.Unlock()
	switch {
	case node != nil && flag&os.O_EXCL != 0:
		return nil, fs.ErrExist
	case node == nil && flag&os.O_CREATE == 0:
		return nil, fs.ErrNotExist
	case node == nil:
		if err := s.before("create"); err != nil {
			return nil, err
		}
		node = new(inode)
		s.name(path, node)
	}
	return &strictFile{fs: s, node: node}, nil
}

func (s *strictFilesystem) name(path string, node *inode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names[path] = node
	if node == nil {
		delete(s.names, path)
	}
	s.later[path] = append(s.later[path], node)
}

func (s *strictFilesystem) Resolve(path string) (string, error) { return path, nil }

func (s *strictFilesystem) Rename(from, to string) error {
	if err := s.before("rename"); err != nil {
		return err
	}
	s.name(to, s.names[from])
	s.name(from, nil)
	return nil
}

func (s *strictFilesystem) Remove(path string) error {
	if s.names[path] == nil {
		return fs.ErrNotExist
	}
	if err := s.before("remove"); err != nil {
		return err
	}
	s.name(path, nil)
	return nil
}

func (s *strictFilesystem) SyncDir(string) error {
	if err := s.before("sync the directory"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disk = maps.Clone(s.names)
	clear(s.later)
	return nil
}

// strictFile is an open file.
type strictFile struct {
	fs     *strictFilesystem
	node   *inode
	locked bool
}

func (f *strictFile) ReadAt(p []byte, offset int64) (int, error) {
	if offset >= int64(len(f.node.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.node.data[offset:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *strictFile) WriteAt(p []byte, offset int64) (int, error) {
	if err := f.fs.before("write"); err != nil {
		f.write(p[:len(p)/2], offset)
		return len(p) / 2, err
	}
	f.write(p, offset)
	return len(p), nil
}

func (f *strictFile) write(p []byte, offset int64) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.fs.names[replacementPath(path)] == f.node {
		f.fs.compacted += int64(len(p))
	} else {
		f.fs.appended += int64(len(p))
	}
	for len(p) > 0 {
		n := min(int64(len(p)), sector-offset%sector)
		c := change{offset: offset, data: slices.Clone(p[:n])}
		f.node.data = c.apply(f.node.data)
		f.node.pending = append(f.node.pending, c)
		p, offset = p[n:], offset+n
	}
}

func (f *strictFile) Truncate(size int64) error {
	if err := f.fs.before("truncate"); err != nil {
		return err
	}
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	c := change{offset: size, truncate: true}
	f.node.data = c.apply(f.node.data)
	f.node.pending = append(f.node.pending, c)
	return nil
}

// Sync discards the unwritten data when it fails, as Linux does: the next call has nothing to do and succeeds.
func (f *strictFile) Sync() error {
	err := f.fs.before("sync")
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	for i, c := range f.node.pending {
		if err == nil || i%2 == 0 {
			f.node.disk = c.apply(f.node.disk)
		}
	}
	f.node.pending = nil
	return err
}

func (f *strictFile) Lock() error {
	if f.node.locked {
		return ErrLocked
	}
	f.node.locked, f.locked = true, true
	return nil
}

func (f *strictFile) Close() error {
	if f.locked {
		f.node.locked, f.locked = false, false
	}
	return nil
}

func (f *strictFile) IsAt(path string) (bool, error) { return f.fs.names[path] == f.node, nil }
func (f *strictFile) Size() (int64, error)           { return int64(len(f.node.data)), nil }
func (f *strictFile) CopyOwnerAndMode(handle) error  { return f.fs.before("copy owner") }

// possibilities calls try once for each combination of choices. If there are more than limit, it calls try for limit of
// them: all first choices, all last choices, and random ones.
func possibilities(random *rand.Rand, limit int, try func(choose func(n int) int)) {
	var path, radix []int
	count := 1
	try(func(n int) int { // the first combination, which also counts the choices
		radix = append(radix, n)
		count = min(count*n, limit+1)
		return 0
	})
	if count > limit {
		try(func(n int) int { return n - 1 })
		for range limit - 2 {
			try(random.IntN)
		}
		return
	}
	for path = make([]int, len(radix)); advance(path, radix); {
		at := 0
		try(func(n int) int {
			if at++; at > len(path) { // a choice that depends on others
				return 0
			}
			return min(path[at-1], n-1)
		})
	}
}

// advance moves to the next combination, and returns false after the last one.
func advance(path, radix []int) bool {
	for i := range path {
		if path[i]++; path[i] < radix[i] {
			return true
		}
		path[i] = 0
	}
	return false
}
