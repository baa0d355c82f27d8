package explorer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// formPage is the content of the form of a record.
type formPage struct {
	Heading, Submit string
	Cancel          string // URL of the page to return to
	Tag             string // entity tag of the record that the form shows; empty for a new record
	Inputs          []*input
	Errors          []formError // summary; shown above the form
	Conflict        bool        // the record has changed since the person opened the form
	Untouched       []string    // to-many relations that are too long to be edited
}

// formError is an error in the summary, with the id of the input that it concerns; empty for errors of the whole form.
type formError struct{ Text, ID string }

// input is the input of a field.
type input struct {
	field             *core.Field
	Name, Description string
	Hint              string
	Control           string // "line", "area" or "choice"
	Mode              string // the attribute inputmode
	Date              bool
	Rows              int
	Required          bool
	Value             string
	Choices           []choice
	Errors            []string
	Conflict          bool   // the stored value differs from the typed one
	Stored            string // the stored value, if Conflict is set
}

// choice is a value to choose, with its text for people.
type choice struct {
	Value, Text string
	Selected    bool
}

// ID returns the id of the input in the page.
func (in *input) ID() string { return "field-" + in.Name }

// Describedby returns the ids of the hint, the errors and the stored value.
func (in *input) Describedby() string {
	var ids []string
	if in.Description != "" || in.Hint != "" {
		ids = append(ids, in.ID()+"-hint")
	}
	if len(in.Errors) > 0 {
		ids = append(ids, in.ID()+"-errors")
	}
	if in.Conflict {
		ids = append(ids, in.ID()+"-stored")
	}
	return strings.Join(ids, " ")
}

// settable reports whether a client can ever set the field in a body.
func settable(f *core.Field) bool {
	if c := f.Computed(); c != nil && c.Set == nil {
		return false
	}
	return !f.Key() && !f.KeyPart() && !f.Hidden() && !f.ReadOnly()
}

// fieldsToSet returns the fields that the body of a request of the kind, Insert or Update, can name. Where the program explains
// its policy, they are the ones that it permits.
func (v *visit) fieldsToSet(kind core.Kind) (fields []*core.Field, err error) {
	r := v.resource
	keys := r.Key().Parts()
	if keys == nil {
		keys = []*core.Field{r.Key()}
	}
	for _, f := range r.Fields() {
		key := kind == core.Insert && v.engine.KeySource(r).Assigned && slices.Contains(keys, f) && !f.ReadOnly()
		if !key && !settable(f) {
			continue
		}
		permitted, err := v.permitsField(kind, f)
		if err != nil {
			return nil, err
		}
		if permitted {
			fields = append(fields, f)
		}
	}
	return fields, nil
}

// permitsField reports whether the caller may set the field, as far as [visit.permitted] tells. A relation that other records
// store is set in these.
func (v *visit) permitsField(kind core.Kind, f *core.Field) (bool, error) {
	near, far := f.Through()
	switch inverse := f.Inverse(); {
	case near != nil:
		return v.permitted(core.Insert, near.Resource(), near.Name(), far.Name())
	case inverse != nil && !f.Stored():
		return v.permitted(core.Update, inverse.Resource(), inverse.Name())
	case f.Stored() && f.Parts() == nil:
		return v.permitted(kind, f.Resource(), f.Name())
	}
	return true, nil // the fields that hold it decide
}

// formText returns the JSON of a value as the text of an input.
func formText(f *core.Field, raw json.RawMessage) string {
	var ids []json.RawMessage
	switch {
	case f.Many():
		if json.Unmarshal(raw, &ids) != nil {
			return ""
		}
		lines := make([]string, len(ids))
		for i, id := range ids {
			lines[i] = plain(id)
		}
		return strings.Join(lines, "\n")
	case f.Type() == core.JSON || f.Type() == core.List:
		return indented(raw)
	}
	return plain(raw)
}

// errNotJSON is the error of an input for JSON.
var errNotJSON = errors.New("This is not valid JSON.") //nolint:revive,staticcheck // a sentence for people

// formJSON returns the text of an input as JSON. An empty text is null, or an empty list.
func formJSON(f *core.Field, text string) (json.RawMessage, error) {
	switch {
	case f.Many():
		ids := []json.RawMessage{}
		for line := range strings.Lines(text) {
			if id := strings.TrimSpace(line); id != "" {
				ids = append(ids, jsonOf(f.Target().Key(), id))
			}
		}
		return mustJSON(ids), nil
	case text == "":
		return json.RawMessage("null"), nil
	case f.Type() == core.JSON || f.Type() == core.List:
		var compact bytes.Buffer
		if json.Compact(&compact, []byte(text)) != nil {
			return nil, errNotJSON
		}
		return compact.Bytes(), nil
	case f.Type() != core.Text:
		text = strings.TrimSpace(text)
	}
	return jsonOf(f, text), nil
}

// lineEnds makes every line end the one of Unix. Browsers send other line ends than they got.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// sameText reports whether two texts of an input mean the same value.
func sameText(f *core.Field, a, b string) bool {
	one, err := formJSON(f, lineEnds.Replace(a))
	other, otherErr := formJSON(f, lineEnds.Replace(b))
	return err == nil && otherErr == nil && bytes.Equal(one, other)
}

// typedText returns the text of an input that the person has sent.
func typedText(form url.Values, f *core.Field) string { return lineEnds.Replace(form.Get(f.APIName())) }

// newInput returns the input of a field with a text. state is the stored state of a field with transitions.
func (v *visit) newInput(f *core.Field, text, state string) *input {
	in := &input{
		field: f, Name: f.APIName(), Description: f.Description(), Hint: hint(f), Control: "line", Value: text,
		Required: f.Required() || f.Key() || f.KeyPart(), Date: f.Type() == core.Date,
	}
	spec := f.Spec()
	switch {
	case f.Target() != nil && f.Many():
		in.Control, in.Rows = "area", 3
	case f.Target() != nil:
		v.offerRelated(in)
	case f.Type() == core.Bool:
		in.choose([]string{"true", "false"}, nil)
	case spec.Transitions != nil:
		in.choose(slices.Concat([]string{state}, spec.Transitions[state]), nil)
	case f.OneOf() != nil:
		var values []string
		for _, value := range f.OneOf() {
			values = append(values, plain(f.AppendJSON(nil, value)))
		}
		in.choose(values, nil)
	case f.Type() == core.JSON || f.Type() == core.List:
		in.Control, in.Rows = "area", 5
	case f.Type() == core.Text && (spec.MaxLength == 0 || spec.MaxLength > maxLine || strings.ContainsAny(text, "\r\n")):
		in.Control, in.Rows = "area", 2
	case f.Type() == core.Int:
		in.Mode = "numeric"
	case f.Type() == core.Float || f.Type() == core.Decimal:
		in.Mode = "decimal"
	}
	return in
}

// maxLine is the greatest length of a text that has an input of one line.
const maxLine = 200

// choose makes the input a choice of the values, of the present text, and of null. texts describes values; empty for none.
func (in *input) choose(values []string, texts map[string]string) {
	in.Control = "choice"
	for _, value := range slices.Concat([]string{""}, values, []string{in.Value}) {
		known := slices.ContainsFunc(in.Choices, func(c choice) bool { return c.Value == value })
		if text := cmp.Or(texts[value], value, "none"); !known {
			in.Choices = append(in.Choices, choice{value, text, value == in.Value})
		}
	}
}

// maxOffered is the number of related records that an input offers.
const maxOffered = 100

// offerRelated makes the input of a to-one relation a choice of the records that the caller can read. The person enters an id if
// these are too many, or if the API does not list them.
func (v *visit) offerRelated(in *input) {
	r := in.field.Target()
	fields := []*core.Field{r.Key()}
	if label := labelOf(r); label != nil {
		fields = append(fields, label)
	}
	answer, cols, err := v.read(v.resourcePath(r), url.Values{"limit": {strconv.Itoa(maxOffered)}}, columnsOf(fields, false))
	var records []row
	if err != nil || answer.header.Get("Link") != "" || json.Unmarshal(answer.body.Bytes(), &records) != nil {
		return
	}
	var ids []string
	texts := make(map[string]string)
	for _, record := range records {
		id := record.id(r)
		ids = append(ids, id)
		if len(cols) > 1 {
			texts[id] = labelled(id, plain(record[cols[1].field.APIName()]))
		}
	}
	in.Hint = ""
	in.choose(ids, texts)
}

// hint returns the form and the rules of a field's values in words.
func hint(f *core.Field) string {
	spec := f.Spec()
	var words []string
	switch {
	case f.Target() != nil && f.Many():
		words = append(words, "One id of "+f.Target().APIName()+" a line.")
	case f.Target() != nil:
		words = append(words, "The id of a record of "+f.Target().APIName()+".")
	default:
		if form := forms[f.Type()]; form != "" {
			words = append(words, form)
		}
	}
	if spec.MinLength > 0 {
		words = append(words, fmt.Sprintf("At least %d characters.", spec.MinLength))
	}
	if spec.MaxLength > 0 {
		words = append(words, fmt.Sprintf("At most %d characters.", spec.MaxLength))
	}
	least, greatest := f.Bounds()
	if least.IsSet() {
		words = append(words, "At least "+plain(f.AppendJSON(nil, least))+".")
	}
	if greatest.IsSet() {
		words = append(words, "At most "+plain(f.AppendJSON(nil, greatest))+".")
	}
	if spec.Pattern != "" {
		words = append(words, "Pattern: "+spec.Pattern)
	}
	return strings.Join(words, " ")
}

// forms are the forms of values that people may not expect.
var forms = map[core.Type]string{
	core.Time: "Such as 2026-11-29T12:00:00Z.", core.LocalTime: "Such as 2026-11-29T12:00:00.",
	core.Bytes: "In base64.", core.JSON: "JSON.", core.List: "A list in JSON.", core.UUID: "A UUID.", core.Tuple: "The parts of the key, with commas between.",
}

// bodyOf returns the members of a body for the typed texts that differ from the texts of the record. It adds an error to each
// input whose text has no JSON form.
func (p *formPage) bodyOf(record row) map[string]json.RawMessage {
	body := make(map[string]json.RawMessage)
	for _, in := range p.Inputs {
		if sameText(in.field, in.Value, formText(in.field, record[in.Name])) {
			continue
		}
		member, err := formJSON(in.field, in.Value)
		if err != nil {
			in.Errors = append(in.Errors, err.Error())
			continue
		}
		body[in.Name] = member
	}
	return body
}

// add puts the error of the API beside the inputs that it concerns, or above the form.
func (p *formPage) add(r *core.Resource, err *problem) {
	if err.Status == 0 {
		return
	}
	found := false
	put := func(name, text string) {
		for _, in := range p.Inputs {
			if in.Name == name {
				in.Errors, found = append(in.Errors, text), true
				return
			}
		}
		p.Errors, found = append(p.Errors, formError{Text: name + ": " + text}), true
	}
	for _, broken := range err.Details.Violations {
		put(broken.where(), broken.text())
	}
	own := err.Details.Object == r.APIName()
	for _, name := range append(err.Details.Fields, err.Details.Field) {
		if own && name != "" {
			put(name, err.Message)
		}
	}
	if err.Code == string(core.NotFound) { // a related record
		for _, in := range p.Inputs {
			if target := in.field.Target(); target != nil && target.APIName() == err.Details.Object && in.Value != "" {
				put(in.Name, err.Message)
			}
		}
	}
	if !found {
		p.Errors = append(p.Errors, formError{Text: err.Message})
	}
}

// where returns the name of the field that the violation concerns. The path of a body's value begins with it.
func (b violation) where() string {
	for _, step := range b.Path {
		if name, ok := step.(string); ok {
			return name
		}
	}
	return "record"
}

// text returns the violation in words.
func (b violation) text() string {
	switch {
	case b.Rule == "required":
		return "Enter a value."
	case b.Accepted != "":
		return "This is not accepted. Accepted: " + b.Accepted + "."
	}
	return "This breaks the rule " + b.Rule + "."
}

// summarise adds the errors of the inputs to the summary.
func (p *formPage) summarise() {
	for _, in := range p.Inputs {
		for _, text := range in.Errors {
			p.Errors = append(p.Errors, formError{in.Name + ": " + text, in.ID()})
		}
	}
}

// show answers with the form. The title of a page with errors says so first.
func (v *visit) show(status int, p *formPage) error {
	p.summarise()
	title := p.Heading
	if len(p.Errors) > 0 || p.Conflict {
		title = "Not saved: " + title
	}
	return v.render(status, "form", title, p)
}

// withoutContinued removes to-many relations that the record does not show in full.
func (p *formPage) withoutContinued(record row) {
	p.Inputs = slices.DeleteFunc(p.Inputs, func(in *input) bool {
		_, continued := record[in.Name+engine.NextSuffix]
		if continued {
			p.Untouched = append(p.Untouched, in.Name)
		}
		return continued
	})
}
