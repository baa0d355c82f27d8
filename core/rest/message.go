package rest

import (
	"fmt"
	"strings"

	"github.com/larder-go/larder/core"
)

// message returns the error in sentences for people. It says nothing that the code and the details do not say.
func message(e *core.Error) string {
	if e.Code == core.ValidationFailed {
		return violations(e.Violations)
	}
	d := make(details)
	for _, detail := range e.Details() {
		d[detail.Name] = detail.Value
	}
	text := d.sentence(e.Code)
	if e.Element > 0 {
		text += fmt.Sprintf(" This concerns the element with the index %d.", e.Element-1)
	}
	return text
}

// maxDescribed is the number of violations that a message describes, and of records that it names for each.
const maxDescribed = 5

// violations says which values break which rules.
func violations(all []core.Violation) string {
	texts := make([]string, 0, maxDescribed+1)
	for i, v := range all {
		if i == maxDescribed {
			texts = append(texts, "and others")
			break
		}
		subject := []string{v.Resource}
		for _, step := range v.Path {
			subject = append(subject, fmt.Sprint(step))
		}
		text := fmt.Sprintf("%s%s breaks the rule %s", strings.Join(subject, "/"), inRecords(v.Keys), v.Rule)
		if v.Accepted != "" {
			text += " (accepted: " + v.Accepted + ")"
		}
		texts = append(texts, text)
	}
	return "Values are not acceptable: " + strings.Join(texts, "; ") + "."
}

// inRecords names the records of a violation; empty without keys.
func inRecords(keys []core.Value) string {
	if len(keys) == 0 {
		return ""
	}
	ids := make([]string, 0, maxDescribed+1)
	for i, key := range keys {
		if i == maxDescribed {
			ids = append(ids, "others")
			break
		}
		ids = append(ids, key.String())
	}
	if len(ids) == 1 {
		return " (record " + ids[0] + ")"
	}
	return " (records " + strings.Join(ids, ", ") + ")"
}

// examples are values in JSON by the names of their types, for the types whose values have a form to learn.
var examples = map[string]string{
	core.Int.String():       `7`,
	core.Float.String():     `1.5`,
	core.Bool.String():      `true`,
	core.Time.String():      `"2026-11-29T12:00:00Z"`,
	core.UUID.String():      `"9f0c2b4e-6f1d-4c55-8a2f-0f6f3a1c7d10"`,
	core.Bytes.String():     `"bXVmZmlu"`,
	core.Date.String():      `"2026-11-29"`,
	core.LocalTime.String(): `"2026-11-29T12:00:00"`,
	core.Decimal.String():   `"10.5"`,
}

// details are the details of an error by name.
type details map[string]any

func (d details) sentence(code core.Code) string {
	switch code {
	case core.NotFound:
		return fmt.Sprintf("There is no %s with the id %s, or you may not see it.", d.text("object_name"), d.text("object_id"))
	case core.NoSuchURL:
		return fmt.Sprintf("There is nothing at %s.", d.text("path"))
	case core.UnknownField:
		return fmt.Sprintf("There is no field %q%s, or you may not use it.", d.text("field_name"), d.resource("in"))
	case core.FieldReadOnly:
		return fmt.Sprintf("The field %q%s cannot be set.", d.text("field_name"), d.resource("of"))
	case core.FieldUpdateForbidden:
		return fmt.Sprintf("%s cannot be changed.", d.subject())
	case core.SearchForbidden:
		return fmt.Sprintf("%s does not support this use in a filter, sort, search, group or figure.", d.subject())
	case core.BadParam:
		return fmt.Sprintf("The parameter %q is not valid%s.", d.text("param_name"), d.accepted("accepted_values"))
	case core.BadFieldValue:
		kind := ""
		if d["accepted_values"] == nil {
			kind = "; accepted: a value of the type " + d.text("type")
			if example := examples[d.text("type")]; example != "" {
				kind += ", such as " + example
			}
		}
		return fmt.Sprintf("The value of the field %q%s is not valid%s%s.", d.text("field_name"), d.resource("of"), d.accepted("accepted_values"), kind)
	case core.BadRequest:
		return fmt.Sprintf("The request is not valid: %s.", d.text("msg"))
	case core.TooLarge:
		return fmt.Sprintf("The request or its answer is too large: %s.", d.text("msg"))
	case core.Unauthorized:
		return "This needs credentials, and the request has none that are accepted."
	case core.Forbidden:
		if text := d.text("msg"); text != "" {
			return fmt.Sprintf("You may not do this%s: %s.", d.resource("with"), text)
		}
		return fmt.Sprintf("You may not do this%s.", d.resource("with"))
	case core.MethodNotAllowed:
		return fmt.Sprintf("This URL does not support the method %s%s.", d.text("method"), d.accepted("allowed_methods"))
	case core.ReadOnly:
		return fmt.Sprintf("Changes%s are not accepted.", d.resource("of"))
	case core.AlreadyExists:
		return d.conflict()
	case core.StillReferenced:
		return fmt.Sprintf("The record cannot be deleted, because other records refer to it: %s.", d.relation())
	case core.PreconditionFailed:
		return "The record is not in the state that the request demands. Read it again."
	case core.PreconditionRequired:
		return fmt.Sprintf("The request needs the header %s with the ETag of the record that it changes.", d.text("header"))
	case core.KeyReused:
		return fmt.Sprintf("The key in the header %s belongs to another request. Use a new key for a new request.", d.text("header"))
	case core.UnsupportedMediaType:
		return fmt.Sprintf("The header %s is not acceptable%s.", d.text("param_name"), d.accepted("accepted_values"))
	case core.Unavailable:
		return "The server cannot do this now, and nothing was changed. Try again."
	case core.TooManyRequests:
		if seconds := d.text("retry_after"); seconds != "" {
			return fmt.Sprintf("There are too many requests (limit %s), and nothing was changed. Try again after %s s.", d.text("limit"), seconds)
		}
		return "There are too many requests, and nothing was changed. Try again later."
	case core.OutcomeUnknown:
		return "It is unknown whether the change was made. Read the record before you repeat the request."
	case core.QueryTooExpensive:
		return "The request takes more time than the server permits, and nothing was changed. Ask for less."
	}
	return "The server failed. Its log has the reason."
}

// text returns a detail as text; empty for one that is absent.
func (d details) text(name string) string {
	switch v := d[name].(type) {
	case nil:
		return ""
	case string:
		return v
	}
	v, err := core.JSON.Convert(d[name])
	if err != nil {
		return ""
	}
	return v.String()
}

// resource returns the name of the resource after a preposition; empty if the error has none.
func (d details) resource(preposition string) string {
	if name := d.text("object_name"); name != "" {
		return " " + preposition + " " + name
	}
	return ""
}

// accepted returns what is accepted instead; empty if the error does not say it.
func (d details) accepted(name string) string {
	if text := d.text(name); text != "" {
		return "; accepted: " + text
	}
	return ""
}

// subject names the field of the error, or the resource if the field is hidden.
func (d details) subject() string {
	if name := d.text("field_name"); name != "" {
		return fmt.Sprintf("The field %q%s", name, d.resource("of"))
	}
	return fmt.Sprintf("This %s", d.text("object_name"))
}

// relation names the relation of the error, or the resource if the relation is hidden.
func (d details) relation() string {
	if name := d.text("field_name"); name != "" {
		return fmt.Sprintf("the relation %q%s", name, d.resource("of"))
	}
	return "a relation of " + d.text("object_name")
}

// conflict names the values that another record has.
func (d details) conflict() string {
	names, _ := d["field_names"].([]any)
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	field := d.text("field_name")
	switch {
	case len(quoted) > 0:
		return fmt.Sprintf("Another record%s has the same values in %s.", d.resource("of"), strings.Join(quoted, ", "))
	case field != "":
		return fmt.Sprintf("Another record%s has the same value in %q.", d.resource("of"), field)
	}
	return fmt.Sprintf("Another record%s has the same value where each must have its own.", d.resource("of"))
}
