package file

// batch is lines that are written and synced together.
type batch struct {
	bodies  [][]byte
	growth  int64  // of the live bytes
	publish func() // of the last transaction, which shows those before it too
	done    chan struct{}
	err     error // once done
}

func newBatch() *batch { return &batch{done: make(chan struct{})} }

func (b *batch) add(body []byte, growth int64, publish func()) {
	b.bodies = append(b.bodies, body)
	b.growth += growth
	if publish != nil {
		b.publish = publish
	}
}

// finish wakes all who wait for the batch.
func (b *batch) finish(err error) {
	if err == nil && b.publish != nil {
		b.publish()
	}
	b.err, b.bodies, b.publish = err, nil, nil
	close(b.done)
}
