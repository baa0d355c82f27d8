package explorer

import (
	"net/http"
	"net/url"

	"github.com/larder-go/larder/core"
)

// writable returns the API's error for a resource that accepts no writes.
func (v *visit) writable() error {
	if v.engine.ReadOnly(v.resource.APIName()) {
		return &problem{Status: http.StatusMethodNotAllowed, Message: "Changes of " + v.resource.APIName() + " are not accepted."}
	}
	return nil
}

// create shows the form of a new record, and creates the record.
func (v *visit) create() error {
	if err := v.writable(); err != nil {
		return err
	}
	fields, err := v.fieldsToSet(core.Insert)
	if err != nil {
		return err
	}
	if v.opts.Explain == nil {
		// Fields that the caller can read in no record are left out. A caller that can read no records sees all fields.
		_, cols, err := v.read(v.path(), url.Values{"limit": {"0"}}, columnsOf(fields, false))
		if p := problemOf(err); err != nil && p.Status != http.StatusForbidden && p.Status != http.StatusUnauthorized {
			return err
		}
		fields = fieldsOf(cols)
	}
	sent := v.r.Method == http.MethodPost
	texts := v.r.URL.Query()
	if sent {
		texts = v.r.PostForm
	}
	form := &formPage{Heading: "New " + v.resource.APIName(), Submit: "Create", Cancel: v.path()}
	for _, f := range fields {
		text := typedText(texts, f)
		if !sent && text == "" && f.ConstantDefault().IsSet() {
			text = formText(f, f.AppendJSON(nil, f.ConstantDefault()))
		}
		form.Inputs = append(form.Inputs, v.newInput(f, text, ""))
	}
	if !sent {
		return v.show(http.StatusOK, form)
	}
	body := form.bodyOf(nil)
	if form.failed() {
		return v.show(http.StatusBadRequest, form)
	}
	answer, err := v.send(http.MethodPost, v.path(), nil, mustJSON(body), "Prefer", "return=minimal")
	if err != nil {
		return v.reject(form, err)
	}
	if to := answer.header.Get("Location"); v.isOwnPath(to) {
		return v.redirect(to)
	}
	return v.redirect(v.path())
}

// fieldsOf returns the fields of the columns.
func fieldsOf(cols []column) []*core.Field {
	fields := make([]*core.Field, len(cols))
	for i, c := range cols {
		fields[i] = c.field
	}
	return fields
}

// failed reports whether an input has an error.
func (p *formPage) failed() bool {
	for _, in := range p.Inputs {
		if len(in.Errors) > 0 {
			return true
		}
	}
	return false
}

// reject shows the form again, with the error of the API. Errors that are not about the form get their own page.
func (v *visit) reject(form *formPage, err error) error {
	p := problemOf(err)
	if p.Status == 0 || p.Status == http.StatusUnauthorized {
		return err
	}
	form.add(v.resource, p)
	return v.show(p.Status, form)
}

// edit shows the form of a record, and changes the fields whose texts the person has changed.
func (v *visit) edit() error {
	if err := v.writable(); err != nil {
		return err
	}
	fields, err := v.fieldsToSet(core.Update)
	if err != nil {
		return err
	}
	answer, cols, err := v.read(v.path(), nil, columnsOf(withKey(v.resource, fields), false))
	sent := v.r.Method == http.MethodPost
	form := &formPage{Heading: "Edit " + v.resource.APIName() + " " + brief(v.id, maxLabel), Submit: "Save", Cancel: v.path()}
	if err != nil {
		if !sent {
			return err
		}
		v.fill(form, cols, row{})
		return v.reject(form, err)
	}
	record, err := rowOf(answer)
	if err != nil {
		return err
	}
	form.Tag = answer.header.Get("ETag")
	v.fill(form, cols, record)
	form.withoutContinued(record)
	switch {
	case !sent:
		return v.show(http.StatusOK, form)
	case v.r.PostForm.Get("$tag") != form.Tag:
		form.conflict(record)
		return v.show(http.StatusPreconditionFailed, form)
	}
	body := form.bodyOf(record)
	if form.failed() {
		return v.show(http.StatusBadRequest, form)
	}
	if len(body) == 0 {
		return v.redirect(v.path())
	}
	_, err = v.send(http.MethodPatch, v.path(), shownBy(cols), mustJSON(body), "If-Match", form.Tag, "Prefer", "return=minimal")
	if problemOf(err).Status == http.StatusPreconditionFailed {
		v.r.PostForm.Del("$tag") // another request has changed the record in the meantime
		return v.edit()
	}
	if err != nil {
		return v.reject(form, err)
	}
	return v.redirect(v.path())
}

// fill adds the inputs of the columns, with the texts that the person has sent, or with the values of the record.
func (v *visit) fill(form *formPage, cols []column, record row) {
	for _, c := range cols {
		if !settable(c.field) {
			continue
		}
		stored := formText(c.field, record[c.field.APIName()])
		text := stored
		if v.r.PostForm.Has(c.field.APIName()) {
			text = typedText(v.r.PostForm, c.field)
		}
		form.Inputs = append(form.Inputs, v.newInput(c.field, text, stored))
	}
}

// conflict marks the inputs whose typed text differs from the record.
func (p *formPage) conflict(record row) {
	p.Conflict = true
	for _, in := range p.Inputs {
		stored := formText(in.field, record[in.Name])
		if !sameText(in.field, in.Value, stored) {
			in.Conflict, in.Stored = true, stored
		}
	}
}

// deletePage is the content of the question before a record is deleted.
type deletePage struct {
	Heading, Cancel, Tag string
	Cells                []cell
	Changed              bool // the record has changed since the person was asked
	Problem              *problem
}

// remove asks whether the record shall be deleted, and deletes it.
func (v *visit) remove() error {
	if err := v.writable(); err != nil {
		return err
	}
	answer, cols, err := v.read(v.path(), nil, columnsOf(withKey(v.resource, shownFields(v.resource)), false))
	if err != nil {
		return err
	}
	record, err := rowOf(answer)
	if err != nil {
		return err
	}
	shown := deletePage{
		Heading: "Delete " + v.resource.APIName() + " " + brief(v.id, maxLabel), Cancel: v.path(), Tag: answer.header.Get("ETag"),
		Cells: v.cells(v.resource, cols, record, true),
	}
	switch {
	case v.r.Method != http.MethodPost:
		return v.render(http.StatusOK, "delete", shown.Heading, shown)
	case v.r.PostForm.Get("$tag") != shown.Tag:
		shown.Changed = true
		return v.render(http.StatusPreconditionFailed, "delete", shown.Heading, shown)
	}
	_, err = v.send(http.MethodDelete, v.path(), shownBy(cols), nil, "If-Match", shown.Tag)
	switch p := problemOf(err); {
	case err == nil:
		return v.redirect(v.resourcePath(v.resource))
	case p.Status == http.StatusPreconditionFailed:
		v.r.PostForm.Del("$tag") // another request has changed the record in the meantime
		return v.remove()
	case p.Status == 0 || p.Status == http.StatusUnauthorized:
		return err
	default:
		shown.Problem = p
		return v.render(p.Status, "delete", shown.Heading, shown)
	}
}
