package core

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"
)

// AnswersName is the name of the private resource for remembered answers, and of its table in a database. A model that
// declares a resource with this name and nothing else remembers answers, see [Transaction.Remember]:
//
//	core.ResourceSpec{Name: core.AnswersName}
//
// The resource is no part of [Model.Resources]: no decorator, engine or client meets it.
const AnswersName = "larder_answer"

// declaresAnswers reports whether the spec is the declaration of remembered answers.
func declaresAnswers(spec ResourceSpec) bool {
	return spec.Name == AnswersName && len(spec.Fields) == 0
}

// withoutAnswers returns the declared resources without that of remembered answers, and the number of its declarations.
func withoutAnswers(specs []ResourceSpec) (others []ResourceSpec, declared int) {
	others = slices.DeleteFunc(slices.Clone(specs), declaresAnswers)
	return others, len(specs) - len(others)
}

// addAnswers adds the resource of remembered answers if it is declared.
func (b *builder) addAnswers(declared int) {
	switch {
	case declared == 0:
		return
	case declared > 1 || b.model.byName[AnswersName] != nil:
		b.failf("resource %q: declared twice", AnswersName)
		return
	}
	b.model.answers = b.addPrivate(AnswersName,
		FieldSpec{Name: "id", Type: Text, Key: true}, FieldSpec{Name: "answer", Type: Text},
		FieldSpec{Name: "expires", Type: Time, Indexed: true})
}

// Causes of errors of remembered answers.
var (
	errForgetful = errors.New("the model remembers no answers; declare core.ResourceSpec{Name: core.AnswersName}")
	errNoOwner   = errors.New("a remembered answer needs a principal with an ID")
)

// Recall returns the answer that [Transaction.Remember] has stored for the principal of the context under the key; found is
// false if there is none, or if it has expired. Call it as the first operation of the transaction: it locks the key until
// the transaction ends, so that transactions with one key and principal run one after another, also in several processes.
// No decorator sees it. The answer of another principal is out of reach.
//
// Errors: [ServerError] for a model without [AnswersName], and for a principal without an ID; those of [Store].
func (t *Transaction) Recall(ctx context.Context, key string) (answer string, found bool, err error) {
	s := t.session
	id, err := s.answerID(ctx, key)
	if err != nil {
		return "", false, err
	}
	if err := s.tx.lock(ctx, AnswersName+" "+id.Text()); err != nil {
		return "", false, wrap(err)
	}
	res, err := s.tx.run(ctx, s.answerOp(Load, id))
	if err != nil || len(res.Records) == 0 {
		return "", false, wrap(err)
	}
	rec := res.Records[0]
	if rec.At(2).Time().After(time.Now()) {
		return rec.At(1).Text(), true, nil
	}
	if !s.tx.info.ReadOnly { // makes room for the next answer
		_, err = s.tx.run(ctx, s.answerOp(Delete, id))
	}
	return "", false, wrap(err)
}

// Remember stores an answer for the principal of the context under the key, until it expires. It follows a
// [Transaction.Recall] that has found nothing. The answer is stored if the transaction commits, and only then. No decorator
// sees it, and no other principal can recall it. [Store.Forget] deletes expired answers.
//
// Errors: [ServerError] for a model without [AnswersName], and for a principal without an ID; [ReadOnly] in a read-only
// transaction; those of [Store].
func (t *Transaction) Remember(ctx context.Context, key, answer string, expires time.Time) error {
	s := t.session
	id, err := s.answerID(ctx, key)
	if err != nil {
		return err
	}
	if s.tx.info.ReadOnly {
		return &Error{Code: ReadOnly}
	}
	at, err := Time.Convert(expires)
	if err != nil {
		return &Error{Code: ServerError, Cause: err}
	}
	op := s.answerOp(Insert)
	op.Records = []Record{op.Resource.RecordOf([]Value{id, TextValue(answer), at})}
	_, err = s.tx.run(ctx, op)
	if errors.Is(err, AlreadyExists) { // inserted after the snapshot
		err = fmt.Errorf("%w: both remember an answer under one key", ErrConflict)
	}
	return wrap(err)
}

// Forget deletes at most limit expired answers of all principals, see [Transaction.Remember], and returns their number. It is
// a short transaction of its own, and fails with [ErrConflict] instead of disturbing others for long. Expired answers cost
// only space, so it is enough to call it now and then. It needs no principal, and does nothing without [AnswersName].
//
// Errors: those of [Store].
func (s *Store) Forget(ctx context.Context, limit int) (deleted int, err error) {
	r := s.model.answers
	if r == nil || limit <= 0 {
		return 0, nil
	}
	now, err := Time.Convert(time.Now())
	if err != nil {
		return 0, &Error{Code: ServerError, Cause: err}
	}
	err = s.TxWith(System(ctx), TxOptions{Attempts: 1}, func(ctx context.Context, tx *Transaction) error {
		if tx.session.tx.info.ReadOnly {
			return &Error{Code: ReadOnly}
		}
		find := tx.session.answerOp(Select)
		expires := r.fields[2]
		find.Where, find.Order, find.Limit = expires.Compare(FilterLe, now), []Order{{Field: expires}, {Field: r.key}}, limit
		found, err := tx.session.tx.run(ctx, find)
		if err != nil || len(found.Records) == 0 {
			return err
		}
		keys := make([]Value, len(found.Records))
		for i, rec := range found.Records {
			keys[i] = rec.Key()
		}
		deleted = len(keys)
		_, err = tx.session.tx.run(ctx, tx.session.answerOp(Delete, SortKeys(keys)...))
		return err
	})
	if err != nil {
		return 0, err
	}
	return deleted, nil
}

// answerID returns the key of the record for an answer of the principal: a hash, which has one length for keys of all
// lengths, and which the key of another principal cannot have.
func (s session) answerID(ctx context.Context, key string) (Value, error) {
	p := PrincipalOf(ctx)
	switch {
	case s.store.model.answers == nil:
		return Value{}, &Error{Code: ServerError, Cause: errForgetful}
	case p == nil || !p.ID.IsSet(): // the program itself has no ID either
		return Value{}, &Error{Code: ServerError, Cause: errNoOwner}
	}
	owner := p.ID.AppendJSON(nil) // ends before the key: it is one JSON value
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s %s", p.ID.Type(), owner, key))
	return TextValue(hex.EncodeToString(sum[:])), nil
}

// answerOp returns an op on remembered answers for [transaction.run].
func (s session) answerOp(kind Kind, keys ...Value) *Op {
	return &Op{Kind: kind, Resource: s.store.model.answers, Keys: keys, origin: s.store, handle: s.tx, Tx: s.tx.info}
}
