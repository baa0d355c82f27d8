package logging_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/jackc/pgx/v5/pgconn"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/logging"
)

// secret and secretNumber are in every value. The digits are the same.
const (
	secret       = "hush41721"
	secretNumber = 41721
)

func TestOnlyValuesOfNamedFieldsAreLogged(t *testing.T) {
	synctest.Test(t, onlyValuesOfNamedFields) // pauses after conflicts take no time in it
}

func onlyValuesOfNamedFields(t *testing.T) {
	var out bytes.Buffer
	encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
	logger := zap.New(zapcore.NewCore(encoder, zapcore.AddSync(&out), zapcore.DebugLevel))
	var fails error
	store, err := core.New(t.Context(), model, memory.New(),
		logging.New(logger, logging.Options{OmitPrincipal: true, Values: []string{"cookie.sold"}}), failing(&fails))
	if err != nil {
		t.Fatal(err)
	}
	key, ctx := core.IntValue(secretNumber), core.WithPrincipal(t.Context(), &core.Principal{ID: core.TextValue(secret)})
	rec := record(t, map[string]any{"id": secretNumber, "type": secret, "price": secretNumber, "sold": true})
	everything := func(s core.Querier) {
		_, _ = s.Insert(ctx, cookie, rec)
		_, _ = s.Insert(ctx, cookie, rec) // already exists
		_, _ = s.Load(ctx, cookie, []core.Value{key, core.IntValue(secretNumber * 10)})
		_, _ = s.Select(ctx, cookie, core.Query{Where: core.Eq("type", secret)})
		_, _ = s.Count(ctx, cookie, core.Gt("price", secretNumber-1))
		_, _ = s.Update(ctx, cookie, rec)
		_, _ = s.Update(ctx, cookie, rec.With(cookie.Field("jar").Column(), key)) // the jar does not exist
		_ = s.Delete(ctx, cookie, key)
		_ = s.Delete(ctx, cookie, key) // does not exist
	}
	for _, fails = range []error{
		nil,
		cookie.NotFound(key),
		&core.Error{Code: core.BadFieldValue, Resource: "biscuit", Field: "sort", Type: core.Text, Value: secret},
		&core.Error{Code: core.BadRequest, Message: secret},
		&core.Error{Code: core.UnknownField, Resource: "biscuit", Field: secret},
		&core.Error{Code: core.ServerError, Cause: fmt.Errorf("condition: %w", &core.Error{Code: core.BadFieldValue, Value: secret})},
		fmt.Errorf("%w: %w", core.ErrConflict, &pgconn.PgError{Severity: "ERROR", Code: "23505", Message: secret, Detail: secret}),
		errors.Join(errors.New("insert"), &pgconn.PgError{Severity: "ERROR", Code: "22003", Message: `value "` + secret + `" is out of range`}),
		&pgconn.PgError{Severity: "ERROR", Code: "P0001", Message: secret, Hint: secret, Where: secret},
		fmt.Errorf("read: %w", &rowError{&pgconn.PgError{Severity: "ERROR", Code: "55000", Message: secret}}),
	} {
		everything(store)
		_ = store.Tx(ctx, func(_ context.Context, tx *core.Transaction) error { everything(tx); return nil })
	}
	lines := strings.Count(out.String(), "\n")
	if lines < 9*2*10 {
		t.Errorf("%d lines", lines)
	}
	for line := range strings.Lines(out.String()) {
		if strings.Contains(line, strconv.Itoa(secretNumber)) {
			t.Error(line)
		}
	}
	if !strings.Contains(out.String(), `"values":[{"sold":true}]`) {
		t.Error("the named field is not logged")
	}
}

// rowError has a text of its own for the log.
type rowError struct{ *pgconn.PgError }

func (e *rowError) Redacted() string { return "a row" }

// silentError has an empty text.
type silentError struct{}

func (silentError) Error() string    { return "" }
func (silentError) Redacted() string { return "nothing" }

func TestValuesKeepTheirTypes(t *testing.T) {
	store, logs := open(t, zapcore.DebugLevel, logging.Options{
		Values: []string{"cookie.id", "cookie.type", "cookie.type", "cookie.price", "cookie.sold", "cookie.jar"},
	})
	ctx := t.Context()
	long := "a" + strings.Repeat("é", 200) // byte 256 is inside a character
	values := func() any {
		t.Helper()
		entries := logs.TakeAll()
		if len(entries) != 1 {
			t.Fatalf("%d lines", len(entries))
		}
		return entries[0].ContextMap()["values"]
	}
	if _, err := store.Insert(ctx, cookie, record(t, map[string]any{"type": long, "price": 2.5, "sold": true})); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("[map[id:1 jar:<nil> price:2.5 sold:true type:%s...]]", long[:255])
	inserted := values()
	if got := fmt.Sprint(inserted); got != want {
		t.Errorf("insert: got %s", got)
	}
	if got := fmt.Sprintf("%#v", inserted); !strings.Contains(got, `"id":1,`) || !strings.Contains(got, `"price":2.5,`) {
		t.Errorf("numbers as strings: %s", got)
	}
	if _, err := store.Load(ctx, cookie, []core.Value{core.IntValue(1)}, "sold"); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(values()); got != "[map[id:1 sold:true]]" {
		t.Errorf("load: got %s", got)
	}
	if _, err := store.Insert(ctx, cookie, record(t, map[string]any{"id": 1, "sold": false})); err == nil {
		t.Fatal("inserted a key twice")
	}
	if got := fmt.Sprint(values()); got != "[map[id:1 sold:false]]" {
		t.Errorf("insert that failed: got %s", got)
	}
	if err := store.Delete(ctx, cookie, core.IntValue(1)); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(values()); got != "[map[id:1]]" {
		t.Errorf("delete: got %s", got)
	}
	if _, err := store.Insert(ctx, cookie, make12(t)...); err != nil {
		t.Fatal(err)
	}
	if got, ok := values().([]any); !ok || len(got) != 10 {
		t.Errorf("%d of 12 records", len(got))
	}
	if _, err := store.Count(ctx, cookie, core.Eq("sold", true)); err != nil {
		t.Fatal(err)
	}
	if got := values(); got != nil {
		t.Errorf("count: got %v", got)
	}
}

func make12(t *testing.T) (recs []core.Record) {
	t.Helper()
	for range 12 {
		recs = append(recs, record(t, nil))
	}
	return recs
}

func TestCauseIsLoggedWithoutValues(t *testing.T) {
	var err error
	store, logs := open(t, zapcore.DebugLevel, logging.Options{}, failing(&err))
	for _, c := range []struct {
		err             error
		sqlstate, cause any
	}{
		{&core.Error{Code: core.Unavailable, Cause: errors.New("connection refused")}, nil, "connection refused"},
		{fmt.Errorf("audit: %w", &core.Error{Code: core.ServerError, Cause: errors.New("disk full")}), nil, "audit: SERVER_ERROR: disk full"},
		{
			&core.Error{Code: core.ServerError, Cause: fmt.Errorf("rule 3: %w", cookie.NotFound(core.IntValue(secretNumber)))},
			nil, "rule 3: OBJECT_DOES_NOT_EXIST biscuit",
		},
		{
			&core.Error{Code: core.Unavailable, Cause: &pgconn.PgError{Severity: "FATAL", Code: "57P01", Message: "terminating connection"}},
			"57P01", "FATAL: terminating connection (SQLSTATE 57P01)",
		},
		{
			fmt.Errorf("insert: %w", &pgconn.PgError{Severity: "ERROR", Code: "22001", Message: secret}),
			"22001", "insert: SQLSTATE 22001",
		},
		{&pgconn.PgError{Severity: "ERROR", Code: "my", Message: secret}, "my", "SQLSTATE my"},
		{&pgconn.PgError{Severity: "ERROR", Code: "", Message: secret}, "", "SQLSTATE "},
		{&pgconn.PgError{Severity: "ERROR", Code: "57", Message: secret}, "57", "SQLSTATE 57"},
		{fmt.Errorf("read: %w", silentError{}), nil, "read: "},
		{
			&core.Error{Code: core.ServerError, Cause: fmt.Errorf("read: %w", &rowError{&pgconn.PgError{Severity: "ERROR", Code: "55000", Message: secret}})},
			"55000", "read: a row",
		},
		{errors.New(strings.Repeat("é", 4096)), nil, strings.Repeat("é", 2048) + "..."},
		{errors.New(strings.Repeat("é", 2048)), nil, strings.Repeat("é", 2048)},
		{core.ErrCommitUnknown, nil, "outcome of the commit is unknown"},
	} {
		err = c.err
		_, _ = store.Count(t.Context(), cookie, core.All())
		line := logs.TakeAll()[0].ContextMap()
		if line["cause"] != c.cause || line["sqlstate"] != c.sqlstate {
			t.Errorf("%v: got %v, %v", c.err, line["sqlstate"], line["cause"])
		}
	}
}
