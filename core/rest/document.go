package rest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/larder-go/larder/core"
)

// documentForm selects one of the OpenAPI documents of a handler.
type documentForm struct {
	// old is true for OpenAPI 3.0.3, and false for 3.1.0.
	old bool
	// depth is the depth of the records in the answers that the document describes.
	depth int
	// open is true if the store does not deny anonymous callers everything.
	open bool
}

// documents holds the OpenAPI documents of a handler that were asked for.
type documents struct {
	mu   sync.Mutex
	made map[documentForm][]byte
	// asked is true once the store has said whether it is open to anonymous callers.
	asked, open bool
}

// isOpen reports whether the store does not deny anonymous callers everything. It remembers the answer of the store.
func (d *documents) isOpen(x *exchange) (bool, error) {
	d.mu.Lock()
	asked, open := d.asked, d.open
	d.mu.Unlock()
	if asked {
		return open, nil
	}
	err := x.api.Admit(core.WithPrincipal(x.ctx, nil))
	if err != nil && !errors.Is(err, core.Unauthorized) {
		return false, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked, d.open = true, err == nil
	return d.open, nil
}

// get returns the document of the form. It makes a document once.
func (d *documents) get(h *Handler, form documentForm) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if text := d.made[form]; text != nil {
		return text, nil
	}
	text, err := document(h.api, h.opts, h.actions, form)
	if err != nil {
		return nil, fmt.Errorf("OpenAPI document: %w", err)
	}
	if d.made == nil {
		d.made = make(map[documentForm][]byte)
	}
	d.made[form] = text
	return text, nil
}

func (x *exchange) getDocument() error   { return x.answerDocument(false) }
func (x *exchange) getDocument30() error { return x.answerDocument(true) }

// answerDocument answers with the OpenAPI document of the argument depth.
func (x *exchange) answerDocument(old bool) error {
	if err := x.unauthorized(); err != nil {
		return err
	}
	p, err := x.params("depth")
	if err != nil {
		return err
	}
	form := documentForm{old: old}
	if form.depth, err = p.depth(); err != nil {
		return err
	}
	if greatest := x.api.Options().MaxDepth; form.depth > greatest {
		return badParam("depth", fmt.Sprintf("0 to %d", greatest))
	}
	if form.open, err = x.h.documents.isOpen(x); err != nil {
		return err
	}
	text, err := x.h.documents.get(x.h, form)
	if err != nil {
		return err
	}
	return x.answerConditionally(text)
}
