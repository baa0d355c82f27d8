package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// client sends requests to a program. It repeats a request until an answer shows the outcome.
type client struct {
	base, user string
	http       *http.Client
	onFailure  func(code string) // called for each failed attempt
}

// pause is the time between two attempts.
const pause = 200 * time.Millisecond

// request is one that may be sent repeatedly.
type request struct{ method, path, header, body string }

// do sends the request until its answer is final, and returns its status and body. A broken connection and the status 503 are
// not final: the server may have performed the request.
func (c client) do(ctx context.Context, r request) (status int, body []byte, attempts int, err error) {
	for {
		attempts++
		status, body, err = c.attempt(ctx, r)
		if err == nil && status != http.StatusServiceUnavailable {
			return status, body, attempts, nil
		}
		c.onFailure(codeOf(body, err))
		select {
		case <-ctx.Done():
			return 0, nil, attempts, ctx.Err()
		case <-time.After(pause):
		}
	}
}

func (c client) attempt(ctx context.Context, r request) (status int, body []byte, err error) {
	q, err := http.NewRequestWithContext(ctx, r.method, c.base+r.path, strings.NewReader(r.body))
	if err != nil {
		return 0, nil, err
	}
	q.Header.Set("Authorization", "Bearer "+c.user)
	q.Header.Set("Content-Type", "application/json")
	if name, value, found := strings.Cut(r.header, ": "); found {
		q.Header.Set(name, value)
	}
	w, err := c.http.Do(q)
	if err != nil {
		return 0, nil, err
	}
	defer w.Body.Close()
	body, err = io.ReadAll(w.Body)
	return w.StatusCode, body, err
}

// codeOf returns the code of an error.
func codeOf(body []byte, err error) string {
	var answer struct{ Error struct{ Code string } }
	switch {
	case err != nil:
		return "no answer"
	case json.Unmarshal(body, &answer) != nil || answer.Error.Code == "":
		return fmt.Sprintf("an answer without a code: %.80q", body)
	}
	return answer.Error.Code
}

// way creates an order. The id is random.
type way func(ctx context.Context, c client, item, id string) error

// ways are those that are safe to repeat after OUTCOME_UNKNOWN.
var ways = []way{withKey, withChosenID, withReference}

// withKey sends an Idempotency-Key: the server performs the first attempt that reaches it and answers the others from memory.
func withKey(ctx context.Context, c client, item, id string) error {
	status, body, _, err := c.do(ctx, request{http.MethodPost, "/order", "Idempotency-Key: " + id, fmt.Sprintf(`{"item": %q}`, item)})
	return expect(status, body, err, http.StatusCreated)
}

// withChosenID chooses the id of the record: 412 means that an earlier attempt has created the record.
func withChosenID(ctx context.Context, c client, item, id string) error {
	status, body, attempts, err := c.do(ctx, request{http.MethodPut, "/order/" + id, "If-None-Match: *", fmt.Sprintf(`{"item": %q}`, item)})
	if status == http.StatusPreconditionFailed && attempts > 1 {
		return nil
	}
	return expect(status, body, err, http.StatusCreated)
}

// withReference sends a value that is unique: 409 means that an earlier attempt has created the record if the list has it.
func withReference(ctx context.Context, c client, item, id string) error {
	status, body, attempts, err := c.do(ctx, request{http.MethodPost, "/order", "", fmt.Sprintf(`{"item": %q, "reference": %q}`, item, id)})
	if status != http.StatusConflict || attempts == 1 {
		return expect(status, body, err, http.StatusCreated)
	}
	status, body, _, err = c.do(ctx, request{http.MethodGet, "/order?reference=" + id, "", ""})
	if err := expect(status, body, err, http.StatusOK); err != nil {
		return err
	}
	if string(body) == "[]" {
		return fmt.Errorf("409 for the reference %s, which no order has", id)
	}
	return nil
}

func expect(status int, body []byte, err error, want int) error {
	if err == nil && status != want {
		return fmt.Errorf("status %d: %s", status, body)
	}
	return err
}
